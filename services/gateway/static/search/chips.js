/** The categories as chips, the searched one pressed: one click searches another. */

import { h } from "../shared/dom.js";

/** @import { Strings } from "../types.js" */
/** @typedef {{name: string, probability: number}} Ranked */
/** @typedef {{chosen: string, isOverridden: boolean, t: Strings, onChoose: (name: string) => void}} Options */

/** How many chips stand there before the visitor opens all. */
const COLLAPSED = 4;

/** @param {Ranked[]} categories best first @param {Options} options `isOverridden`: the visitor chose the category */
export function chips(categories, options) {
  const { chosen, t } = options;
  const group = h("div", { class: "chips", role: "group", "aria-label": t.category.group });
  /** @param {boolean} isOpen */
  const draw = (isOpen) => {
    const visible = categories.filter(({ name }, position) => isOpen || position < COLLAPSED || name === chosen);
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

/** @param {Ranked} category @param {Options} options */
function chip({ name, probability }, { chosen, isOverridden, t, onChoose }) {
  const isChosen = name === chosen;
  const percent = Math.round(probability * 100);
  const label = isChosen && isOverridden ? t.category.chosen(name) : t.category.sure(name, percent);
  const figure = percent >= 1 && h("span", { class: "chip-figure", "aria-hidden": "true" }, `${percent} %`);
  return h(
    "button",
    {
      class: "chip",
      type: "button",
      "aria-pressed": String(isChosen),
      "aria-label": label,
      on: { click: () => onChoose(name) },
    },
    name,
    figure,
  );
}
