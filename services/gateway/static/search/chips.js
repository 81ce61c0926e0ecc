/** The categories as chips, the searched one pressed: one tap searches another. */

import { h } from "../shared/dom.js";
import { capital, categoryName } from "../shared/strings.js";

/** @import { Strings } from "../types.js" */
/** @typedef {{chosen: string, t: Strings, onChoose: (name: string) => void}} Options */

/** How many chips stand there before the visitor opens all. */
const COLLAPSED = 4;

/** @param {string[]} categories the likeliest first @param {Options} options */
export function chips(categories, options) {
  const { chosen, t } = options;
  const group = h("div", { class: "chips", role: "group", "aria-label": t.category.group });
  /** @param {boolean} isOpen */
  const draw = (isOpen) => {
    const visible = categories.filter((name, position) => isOpen || position < COLLAPSED || name === chosen);
    const more = h(
      "button",
      { class: "chip quiet", type: "button", "aria-expanded": String(isOpen), on: { click: () => toggle(!isOpen) } },
      isOpen ? t.category.fewer : t.category.all,
    );
    const buttons = visible.map((category) => chip(category, options));
    group.replaceChildren(...buttons, ...(categories.length > COLLAPSED ? [more] : []));
  };
  /** @param {boolean} isOpen */
  const toggle = (isOpen) => {
    draw(isOpen);
    if (group.lastElementChild instanceof HTMLElement) group.lastElementChild.focus();
  };
  draw(false);
  return group;
}

/** @param {string} name @param {Options} options */
function chip(name, { chosen, t, onChoose }) {
  const pressed = String(name === chosen);
  const props = { class: "chip", type: "button", "data-category": name, "aria-pressed": pressed };
  const text = capital(categoryName(t, name), t.language);
  return h("button", { ...props, on: { click: () => onChoose(name) } }, text);
}
