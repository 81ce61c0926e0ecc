/** The category that was searched, and the others: one click each. */

import { h } from "../shared/dom.js";

const ALWAYS = 4;

/**
 * @param {{name: string, probability: number|null}[]} categories best first
 * @param {{chosen: string, overridden: boolean, t: any, onChoose: (name: string) => void}} options
 */
export function chips(categories, { chosen, overridden, t, onChoose }) {
  const group = h("div", { class: "chips", role: "group", "aria-label": t.category.group });
  const draw = (all) => {
    const shown = categories.filter(({ name }, position) => all || position < ALWAYS || name === chosen);
    const buttons = shown.map((category) => chip(category, { chosen, overridden, t, onChoose }));
    const more = h(
      "button",
      { class: "chip quiet", type: "button", "aria-expanded": String(all), on: { click: () => toggle(!all) } },
      all ? t.category.fewer : t.category.all,
    );
    group.replaceChildren(...buttons, ...(categories.length > ALWAYS ? [more] : []));
  };
  const toggle = (all) => {
    draw(all);
    group.lastElementChild.focus();
  };
  draw(false);
  return group;
}

function chip({ name, probability }, { chosen, overridden, t, onChoose }) {
  const isChosen = name === chosen;
  const percent = probability === null ? null : Math.round(probability * 100);
  const label =
    isChosen && overridden ? t.category.chosen(name) : percent === null ? name : t.category.sure(name, percent);
  const figure =
    percent !== null && percent >= 1 && h("span", { class: "chip-figure", "aria-hidden": "true" }, `${percent} %`);
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
