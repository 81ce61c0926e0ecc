/** The merchandising rules, and what they do to the similar products of one product. */

import { Failure } from "../shared/api.js";
import { fill, h } from "../shared/dom.js";
import { table } from "./table.js";
import { texts } from "./texts.js";

/** @import { CatalogueContext, Preview, Product, Result, Rule, Rules } from "../types.js" */

const RESULTS = 12;
const DATE_LENGTH = "YYYY-MM-DD".length;
const DAY_MS = 86_400_000;
/** @type {Record<string, string>} */
const SIGNS = { gt: ">", gte: "≥", lt: "<", lte: "≤" };

export class RulesPanel {
  #context;
  #picture;
  #rules = h("div", { class: "rows" });
  #preview = h("div", { class: "inspection", role: "status" });
  #input = h("input", { type: "text", id: "preview-id", autocomplete: "off", spellcheck: "false", required: true });

  /**
   * @param {CatalogueContext} context
   * @param {(product: Product|Result, note: string) => HTMLElement} picture draws a product
   */
  constructor(context, picture) {
    this.#context = context;
    this.#picture = picture;
    const title = [h("h2", {}, texts.rules), h("p", { class: "muted" }, texts.rulesNote)];
    this.element = h(
      "section",
      { class: "panel" },
      h("div", { class: "sample-head" }, h("div", {}, title)),
      this.#rules,
    );
  }

  async load() {
    this.element.setAttribute("aria-busy", "true");
    try {
      const rules = await this.#context.api.rules();
      fill(this.#rules, this.#parts(rules));
    } catch (error) {
      fill(this.#rules, this.#failure(error));
    }
    this.element.setAttribute("aria-busy", "false");
  }

  /** @param {Rules} rules */
  #parts({ rules = [], apart = [], out_of_stock: outOfStock }) {
    if (rules.length + apart.length === 0 && outOfStock === "show")
      return [h("p", { class: "muted" }, texts.rulesEmpty)];
    const now = Date.now();
    return [
      h("p", {}, texts.rulesStock[outOfStock ?? "hide"]),
      rules.length > 0 &&
        table(
          "rules-table",
          texts.rulesList,
          texts.rulesColumns,
          rules.map((rule) => rowOf(rule, now)),
        ),
      apart.length > 0 &&
        table(
          "apart-table",
          texts.rulesApart,
          texts.rulesApartColumns,
          apart.map(({ id, garments: [one, other] }) => [id, sideText(one), sideText(other)]),
        ),
      this.#form(),
      this.#preview,
    ];
  }

  #form() {
    /** @param {SubmitEvent} event */
    const submit = (event) => {
      event.preventDefault();
      const id = this.#input.value.trim();
      if (id) this.#show(id);
    };
    return h(
      "form",
      { class: "row", on: { submit } },
      h("label", { for: "preview-id" }, texts.previewId),
      this.#input,
      h("button", { class: "button", type: "submit" }, texts.previewGo),
    );
  }

  /** @param {string} id of the product */
  async #show(id) {
    this.#preview.setAttribute("aria-busy", "true");
    try {
      fill(this.#preview, this.#orders(await this.#context.api.preview(id, RESULTS)));
    } catch (error) {
      fill(this.#preview, this.#failure(error));
    }
    this.#preview.setAttribute("aria-busy", "false");
  }

  /** @param {Preview} preview */
  #orders({ plain, ruled, warnings }) {
    const list = (/** @type {string} */ title, /** @type {Result[]} */ results, /** @type {string[]} */ notes) => [
      h("h3", {}, title),
      h(
        "ul",
        { class: "neighbours" },
        results.map((result, place) => h("li", {}, this.#picture(result, notes[place] ?? ""))),
      ),
    ];
    return [
      ...warnings.map((text) => h("p", { class: "muted" }, text)),
      ...list(texts.previewPlain, plain, plainNotes(plain, ruled)),
      ...list(texts.previewRuled, ruled, ruledNotes(plain, ruled)),
    ];
  }

  /** @param {unknown} error */
  #failure(error) {
    const detail = error instanceof Failure ? error.detail : "";
    return h("p", { class: "muted", role: "alert" }, detail || this.#context.t.failures.other.text);
  }
}

/** @param {Rule} rule @param {number} now in milliseconds */
const rowOf = (rule, now) => [
  [rule.id, rule.note].filter(Boolean).join(": "),
  actionText(rule),
  filterText(rule.filter ?? {}) || texts.rulesAll,
  rule.categories?.join(", ") || texts.rulesAll,
  [rule.starts && texts.rulesFrom(rule.starts), rule.ends && texts.rulesUntil(rule.ends)].filter(Boolean).join(" ") ||
    texts.rulesAlways,
  texts.rulesStates[stateOf(rule, now)],
];

/** @param {Rule} rule */
function actionText({ action, by, pins = [] }) {
  const pinned = pins.map(({ id, position }) => texts.rulesPin(id, position)).join(", ");
  if (action === "pin") return `${texts.rulesActions.pin} ${pinned}`;
  return by ? `${texts.rulesActions[action]} ${by}` : texts.rulesActions[action];
}

/**
 * Return whether a rule holds at a time. A moment without an offset is in UTC; a date as the end means its whole day.
 * @param {Pick<Rule, "enabled"|"starts"|"ends">} rule @param {number} now in milliseconds
 * @returns {"off"|"later"|"ended"|"on"}
 */
export function stateOf({ enabled, starts, ends }, now) {
  if (enabled === false) return "off";
  if (starts && now < moment(starts)) return "later";
  const end = ends ? moment(ends) + (ends.length === DATE_LENGTH ? DAY_MS : 1) : Number.POSITIVE_INFINITY;
  return now >= end ? "ended" : "on";
}

/** @param {string} text a date, or a time in ISO 8601 */
const moment = (text) =>
  Date.parse(text.length === DATE_LENGTH || /(?:Z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`);

/** Return a filter as a person reads it. @param {object} filter as the API takes it @returns {string} */
export function filterText(filter) {
  return Object.entries(filter)
    .map(([name, value]) => conditionText(name, value))
    .join(" and ");
}

/** @param {string} name @param {any} value @returns {string} */
function conditionText(name, value) {
  if (name === "$not") return `not (${filterText(value)})`;
  if (name === "$or" || name === "$and")
    return value.map((/** @type {object} */ part) => `(${filterText(part)})`).join(name === "$or" ? " or " : " and ");
  if (Array.isArray(value)) return `${name} = ${value.join(" or ")}`;
  if (value === null || typeof value !== "object") return `${name} = ${value}`;
  return Object.entries(value)
    .map(([bound, limit]) => `${name} ${SIGNS[bound] ?? bound} ${limit}`)
    .join(" and ");
}

/** @param {{category?: string|null, filter?: object}} side */
const sideText = ({ category, filter = {} }) => [category, filterText(filter)].filter(Boolean).join(", ");

/** Return a note for each result of the plain order: where the rules put it. @param {Result[]} plain @param {Result[]} ruled */
export const plainNotes = (plain, ruled) =>
  plain.map(({ id }, place) => {
    const other = ruled.findIndex((result) => result.id === id);
    if (other === place) return `${place + 1}`;
    return other < 0 ? texts.previewGone(place + 1) : texts.previewTo(place + 1, other + 1);
  });

/** Return a note for each result by the rules: where it was, and why it moved. @param {Result[]} plain @param {Result[]} ruled */
export const ruledNotes = (plain, ruled) =>
  ruled.map(({ id, moved = [] }, place) => {
    const other = plain.findIndex((result) => result.id === id);
    const why = (moved ?? []).map(({ reason, rule, by }) => [reason, rule, by && signed(by)].filter(Boolean).join(" "));
    const came = other === place ? `${place + 1}` : texts.previewFrom(place + 1, other < 0 ? null : other + 1);
    return [came, ...why].join(" · ");
  });

/** @param {number} value */
const signed = (value) => `${value > 0 ? "+" : "−"}${Math.abs(value).toFixed(3)}`;
