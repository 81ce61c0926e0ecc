/** Filters by attribute. Each value says how many products it would leave. */

import { fill, h } from "./dom.js";
import { attributeKind, attributeName, number } from "./format.js";
import { phrase } from "./strings.js";

/** @import { AttributeValue, Facet, FacetValue, Filter, Range, Strings } from "../types.js" */
/** @typedef {{t: Strings, language: string, onChange: (filter: Filter) => void}} Options */

/** How many values of an attribute stand there before the visitor opens all. */
const COLLAPSED = 6;
/** The attributes that shoppers filter by most, in this order; the others follow as the catalogue has them. */
const FIRST = ["gender", "size", "price", "colour"];

/** @param {Facet} facet */
const rank = ({ attribute }) => {
  const place = FIRST.indexOf(attributeKind(attribute) ?? "");
  return place < 0 ? FIRST.length : place;
};

/**
 * @param {Facet[]} facets @param {Filter} filter the filters that are set @param {Options} options
 * @returns {HTMLElement|null} null if there is nothing to filter by
 */
export function filterPanel(facets, filter, options) {
  const groups = [...facets]
    .sort((a, b) => rank(a) - rank(b))
    .map((facet) => (facet.range ? rangeFacet(facet, filter, options) : valuesFacet(facet, filter, options)))
    .filter((group) => group !== null);
  if (groups.length === 0) return null;
  const { t, onChange } = options;
  const count = Object.keys(filter).length;
  const clear = h(
    "button",
    { class: "link", type: "button", "data-focus": "clear", on: { click: () => onChange({}) } },
    t.filters.clear,
  );
  const head = h(
    "div",
    { class: "filters-head" },
    h("span", { class: "muted" }, phrase(t, t.filters.active, { count })),
    clear,
  );
  return h("div", { class: "filters-body" }, count > 0 && head, groups);
}

/** @param {Filter[string]|undefined} condition @returns {AttributeValue[]} none if it is a range */
export function chosenValues(condition) {
  if (condition === undefined || condition === null) return [];
  const values = Array.isArray(condition) ? condition : [condition];
  return values.filter((value) => typeof value !== "object");
}

/** @param {Filter[string]|undefined} condition @returns {Range} empty if it is no range */
const chosenRange = (condition) =>
  condition && typeof condition === "object" && !Array.isArray(condition) ? condition : {};

/**
 * Return the filter with one value added or removed. An attribute without a value is removed.
 * @param {Filter} filter @param {string} attribute @param {AttributeValue} value @param {boolean} isOn
 * @returns {Filter}
 */
export function withValue(filter, attribute, value, isOn) {
  const chosen = chosenValues(filter[attribute]);
  const next = isOn ? [...chosen, value] : chosen.filter((other) => other !== value);
  return next.length > 0 ? { ...filter, [attribute]: next } : without(filter, attribute);
}

/**
 * Return the filter with one bound of a range set. A text that is no number removes the bound.
 * @param {Filter} filter @param {string} attribute @param {"gte"|"lte"} bound @param {string} text @returns {Filter}
 */
export function withBound(filter, attribute, bound, text) {
  const { [bound]: _, ...others } = chosenRange(filter[attribute]);
  const value = Number(text);
  const next = text.trim() === "" || !Number.isFinite(value) ? others : { ...others, [bound]: value };
  return Object.keys(next).length > 0 ? { ...filter, [attribute]: next } : without(filter, attribute);
}

/** @param {Filter} filter @param {string} attribute @returns {Filter} */
function without(filter, attribute) {
  const { [attribute]: _, ...rest } = filter;
  return rest;
}

/** @param {Facet} facet @param {Filter} filter @param {Options} options */
function valuesFacet({ attribute, values: counted = [] }, filter, options) {
  const { t } = options;
  const chosen = chosenValues(filter[attribute]);
  const missing = chosen.filter((value) => !counted.some((option) => option.value === value));
  const all = [...missing.map((value) => ({ value, count: 0 })), ...counted];
  if (all.length === 0) return null;
  /** @param {FacetValue} option */
  const row = (option) => checkbox(attribute, option, filter, options);
  const hidden = all.slice(COLLAPSED);
  const isOpen = hidden.some(({ value }) => chosen.includes(value));
  const list = h("div", { class: "options" }, (isOpen ? all : all.slice(0, COLLAPSED)).map(row));
  const expand = () => {
    list.append(...hidden.map(row));
    more.remove();
    list.children[COLLAPSED]?.querySelector("input")?.focus();
  };
  const more = h(
    "button",
    { class: "link", type: "button", on: { click: expand } },
    phrase(t, t.filters.more, { count: hidden.length }),
  );
  const hasMore = !isOpen && hidden.length > 0;
  return h("fieldset", { class: "facet" }, h("legend", {}, attributeName(attribute, t)), list, hasMore && more);
}

/** @param {string} attribute @param {FacetValue} option @param {Filter} filter @param {Options} options */
function checkbox(attribute, { value, count }, filter, { t, onChange }) {
  const text = typeof value === "boolean" ? (value ? t.filters.yes : t.filters.no) : String(value);
  const input = h("input", {
    type: "checkbox",
    checked: chosenValues(filter[attribute]).includes(value),
    "data-focus": `${attribute}=${value}`,
    "aria-label": phrase(t, t.filters.option, { value: text, count }),
    on: { change: () => onChange(withValue(filter, attribute, value, input.checked)) },
  });
  return h(
    "label",
    { class: "option" },
    input,
    h("span", { class: "option-name" }, text),
    h("span", { class: "option-count", "aria-hidden": "true" }, number(count, t.language)),
  );
}

/** @param {Facet} facet @param {Filter} filter @param {Options} options */
function rangeFacet({ attribute, range }, filter, { t, language, onChange }) {
  const chosen = chosenRange(filter[attribute]);
  if (!range || (range.min === range.max && chosen.gte === undefined && chosen.lte === undefined)) return null;
  /** @param {"gte"|"lte"} bound @param {string} text @param {number} placeholder */
  const field = (bound, text, placeholder) => {
    const input = h("input", {
      type: "number",
      inputmode: "decimal",
      step: "any",
      min: 0,
      value: chosen[bound] ?? "",
      placeholder: number(placeholder, language),
      "data-focus": `${attribute}:${bound}`,
      on: { change: () => onChange(withBound(filter, attribute, bound, input.value)) },
    });
    return h("label", { class: "range-field" }, h("span", {}, text), input);
  };
  const fields = [field("gte", t.filters.from, range.min), field("lte", t.filters.to, range.max)];
  return h(
    "fieldset",
    { class: "facet" },
    h("legend", {}, attributeName(attribute, t)),
    h("div", { class: "range" }, fields),
  );
}

/**
 * Replace the panel; the control that had the focus has it again.
 * @param {Element} holder @param {HTMLElement|null} panel
 */
export function replacePanel(holder, panel) {
  const { activeElement } = document;
  const focused = activeElement instanceof HTMLElement && holder.contains(activeElement) && activeElement.dataset.focus;
  fill(holder, panel);
  /** @type {NodeListOf<HTMLElement>} */
  const controls = holder.querySelectorAll("[data-focus]");
  if (focused) [...controls].find((element) => element.dataset.focus === focused)?.focus();
}
