/** Filters by attribute, with how many products each would leave. */

import { fill, h } from "../shared/dom.js";
import { label, number } from "../shared/format.js";

const SHOWN = 6;

/**
 * @typedef {{attribute: string, values?: {value: any, count: number}[], range?: {min: number, max: number}}} Facet
 * @param {Facet[]} facets
 * @param {Record<string, any>} filter what is set now
 * @param {{t: any, language: string, onChange: (filter: Record<string, any>) => void}} options
 * @returns {HTMLElement|null} null where there is nothing to filter by
 */
export function filterPanel(facets, filter, options) {
  const groups = facets
    .map((facet) => (facet.range ? range(facet, filter, options) : values(facet, filter, options)))
    .filter(Boolean);
  if (groups.length === 0) return null;
  const { t, onChange } = options;
  const set = Object.keys(filter).length;
  const clear =
    set > 0 &&
    h(
      "button",
      { class: "link", type: "button", "data-focus": "clear", on: { click: () => onChange({}) } },
      t.filters.clear,
    );
  const head = h(
    "div",
    { class: "filters-head" },
    set > 0 && h("span", { class: "muted" }, t.filters.active(set)),
    clear,
  );
  return h("div", { class: "filters-body" }, set > 0 && head, groups);
}

function chosenValues(condition) {
  if (condition === undefined || condition === null) return [];
  return Array.isArray(condition) ? condition : [condition];
}

function without(filter, attribute) {
  const { [attribute]: _, ...rest } = filter;
  return rest;
}

function values({ attribute, values: offered = [] }, filter, { t, onChange }) {
  const chosen = chosenValues(filter[attribute]).filter((value) => typeof value !== "object");
  const missing = chosen
    .filter((value) => !offered.some((option) => option.value === value))
    .map((value) => ({ value, count: 0 }));
  const all = [...missing, ...offered];
  if (all.length === 0) return null;
  const change = (value, on) => {
    const next = on ? [...chosen, value] : chosen.filter((other) => other !== value);
    onChange(next.length > 0 ? { ...filter, [attribute]: next } : without(filter, attribute));
  };
  const option = ({ value, count }) =>
    checkbox({ attribute, value, count, checked: chosen.includes(value), t, change });
  const list = h("div", { class: "options" }, all.slice(0, SHOWN).map(option));
  const rest = all.slice(SHOWN);
  const more = h(
    "button",
    { class: "link", type: "button", on: { click: () => expand() } },
    t.filters.more(rest.length),
  );
  const expand = () => {
    list.append(...rest.map(option));
    more.remove();
    list.children[SHOWN].querySelector("input").focus();
  };
  if (rest.some(({ value }) => chosen.includes(value))) list.append(...rest.splice(0).map(option));
  return h("fieldset", { class: "facet" }, h("legend", {}, label(attribute)), list, rest.length > 0 && more);
}

function checkbox({ attribute, value, count, checked, t, change }) {
  const shown = typeof value === "boolean" ? (value ? t.filters.yes : t.filters.no) : String(value);
  const input = h("input", {
    type: "checkbox",
    checked,
    "data-focus": `${attribute}=${value}`,
    "aria-label": t.filters.option(shown, count),
    on: { change: (event) => change(value, event.target.checked) },
  });
  return h(
    "label",
    { class: "option" },
    input,
    h("span", { class: "option-name" }, shown),
    h("span", { class: "option-count", "aria-hidden": "true" }, String(count)),
  );
}

function range({ attribute, range: bounds }, filter, { t, language, onChange }) {
  const set = typeof filter[attribute] === "object" && !Array.isArray(filter[attribute]) ? filter[attribute] : {};
  if (!bounds || (bounds.min === bounds.max && set.gte === undefined && set.lte === undefined)) return null;
  const change = (side, text) => {
    const value = Number(text);
    const { [side]: _, ...others } = set;
    const next = text.trim() === "" || !Number.isFinite(value) ? others : { ...others, [side]: value };
    onChange(Object.keys(next).length > 0 ? { ...filter, [attribute]: next } : without(filter, attribute));
  };
  const field = (side, words, hint) =>
    h(
      "label",
      { class: "range-field" },
      h("span", {}, words),
      h("input", {
        type: "number",
        inputmode: "decimal",
        step: "any",
        min: 0,
        value: set[side] ?? "",
        placeholder: number(hint, language),
        "data-focus": `${attribute}:${side}`,
        on: { change: (event) => change(side, event.target.value) },
      }),
    );
  return h(
    "fieldset",
    { class: "facet" },
    h("legend", {}, label(attribute)),
    h("div", { class: "range" }, field("gte", t.filters.from, bounds.min), field("lte", t.filters.to, bounds.max)),
  );
}

/** Put a new panel in place, with the focus on what had it. @param {Element} holder @param {HTMLElement|null} panel */
export function replacePanel(holder, panel) {
  const focused = holder.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  fill(holder, panel);
  if (focused !== undefined)
    [...holder.querySelectorAll("[data-focus]")].find((element) => element.dataset.focus === focused)?.focus();
}
