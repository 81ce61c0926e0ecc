/** Counts, sync and model. */

import { h } from "../shared/dom.js";
import { texts } from "./texts.js";

/** @import { CatalogueStatus, Context } from "../types.js" */

const LATE_S = 5;
const HEALTHY_STATES = ["following", "polling"];

/** @param {CatalogueStatus} status @param {Pick<Context, "language">} context */
export function figures({ products, model, sync, uptime_seconds: uptime }, { language }) {
  /** @param {number} value */
  const count = (value) => new Intl.NumberFormat(language).format(value);
  /** @param {boolean} good */
  const tone = (good) => (good ? "good" : "bad");
  const lag = sync.lag_seconds;
  /** @type {Record<string, string>} */
  const states = texts.states;
  const items = [
    [texts.products, count(products), ""],
    [texts.model, model, ""],
    [texts.state, states[sync.state] ?? sync.state, tone(HEALTHY_STATES.includes(sync.state))],
    lag === null ? [texts.lag, texts.lagNone, ""] : [texts.lag, texts.seconds(lag.toFixed(1)), tone(lag < LATE_S)],
    [texts.applied, count(sync.applied), ""],
    ...(sync.skipped > 0 ? [[texts.skipped, count(sync.skipped), "bad"]] : []),
    ...(sync.skipped_images > 0 ? [[texts.skippedImages, count(sync.skipped_images), "bad"]] : []),
    ...(sync.other_models > 0 ? [[texts.otherModels, count(sync.other_models), "bad"]] : []),
    [texts.uptime, duration(uptime, language), ""],
  ];
  return h(
    "dl",
    { class: "figures" },
    items.map(([name, value, look]) => h("div", { class: `figure ${look}` }, h("dt", {}, name), h("dd", {}, value))),
  );
}

/** @param {number} seconds @param {string} language */
function duration(seconds, language) {
  const [value, unit] =
    seconds < 120
      ? [seconds, "second"]
      : seconds < 7200
        ? [seconds / 60, "minute"]
        : seconds < 172_800
          ? [seconds / 3600, "hour"]
          : [seconds / 86_400, "day"];
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit: String(unit),
    unitDisplay: "short",
    maximumFractionDigits: 0,
  }).format(Number(value));
}

/** @param {CatalogueStatus} status */
export function errorPanel({ sync }) {
  if (!sync.last_error) return null;
  return h("div", { class: "panel" }, h("h2", {}, texts.lastError), h("p", {}, sync.last_error));
}

/** @param {CatalogueStatus} status @param {Pick<Context, "language">} context */
export function categoryPanel({ categories, products }, { language }) {
  const largest = Math.max(1, ...categories.map((category) => category.products));
  const number = new Intl.NumberFormat(language);
  const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
  /** @param {CatalogueStatus["categories"][number]} category */
  const row = ({ name, products: count }) =>
    h(
      "tr",
      {},
      h("td", {}, name),
      h("td", { class: "number" }, number.format(count)),
      h("td", { class: "number" }, products > 0 ? percent.format(count / products) : ""),
      h("td", { class: "share" }, h("span", { class: "bar", "aria-hidden": "true", vars: bar(count / largest) })),
    );
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, texts.category),
    h("th", { scope: "col", class: "number" }, texts.count),
    h("th", { scope: "col", class: "number" }, texts.share),
    h("td", { class: "share" }),
  );
  const title = h("h2", { id: "categories-title" }, texts.categories);
  const filled = categories.filter(({ products: count }) => count > 0);
  const empty = categories.filter(({ products: count }) => count === 0).map(({ name }) => name);
  const body = h("tbody", {}, filled.map(row));
  const others =
    empty.length > 0 &&
    h(
      "details",
      { class: "finding" },
      h("summary", {}, texts.categoriesEmpty(empty.length)),
      h("p", {}, empty.join(", ")),
    );
  const table = h("table", { "aria-labelledby": "categories-title" }, h("thead", {}, head), body);
  return h("div", { class: "panel" }, title, filled.length > 0 && table, others);
}

/** @param {number} share 0 to 1 */
const bar = (share) => ({ "--share": `${100 * share}%` });
