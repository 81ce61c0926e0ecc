/** Counts, sync and model. */

import { h } from "../shared/dom.js";

const LATE_S = 5;

/** @param {any} facts of `/v1/catalogue` @param {{t: any, language: string}} how */
export function figures({ products, model, sync, uptime_seconds: uptime }, { t, language }) {
  const count = (value) => new Intl.NumberFormat(language).format(value);
  const lag = sync.lag_seconds;
  const tone = (good) => (good ? "good" : "bad");
  const items = [
    [t.catalogue.products, count(products), ""],
    [t.catalogue.model, model, ""],
    [
      t.catalogue.state,
      t.catalogue.states[sync.state] ?? sync.state,
      tone(["following", "polling"].includes(sync.state)),
    ],
    [
      t.catalogue.lag,
      lag === null ? t.catalogue.lagNone : t.catalogue.seconds(lag.toFixed(1)),
      lag === null ? "" : tone(lag < LATE_S),
    ],
    [t.catalogue.applied, count(sync.applied), ""],
    [t.catalogue.skipped, count(sync.skipped), sync.skipped > 0 ? "bad" : ""],
    ...(sync.skipped_images > 0 ? [[t.catalogue.skippedImages, count(sync.skipped_images), "bad"]] : []),
    [t.catalogue.otherModels, count(sync.other_models), sync.other_models > 0 ? "bad" : ""],
    [t.catalogue.uptime, duration(uptime, language), ""],
  ];
  return h(
    "dl",
    { class: "figures" },
    items.map(([name, value, look]) => h("div", { class: `figure ${look}` }, h("dt", {}, name), h("dd", {}, value))),
  );
}

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
    unit,
    unitDisplay: "short",
    maximumFractionDigits: 0,
  }).format(value);
}

/** @param {any} facts @param {{t: any}} how */
export function errorPanel({ sync }, { t }) {
  return sync.last_error
    ? h("div", { class: "panel" }, h("h2", {}, t.catalogue.lastError), h("p", {}, sync.last_error))
    : null;
}

/** @param {any} facts @param {{t: any, language: string}} how */
export function categoryPanel({ categories, products }, { t, language }) {
  const most = Math.max(1, ...categories.map((category) => category.products));
  const row = ({ name, products: count }) =>
    h(
      "tr",
      {},
      h("td", {}, name),
      h("td", { class: "number" }, new Intl.NumberFormat(language).format(count)),
      h(
        "td",
        { class: "number" },
        products > 0
          ? new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 }).format(count / products)
          : "",
      ),
      h(
        "td",
        { class: "share" },
        h("span", { class: "bar", "aria-hidden": "true", vars: { "--share": `${(100 * count) / most}%` } }),
      ),
    );
  const head = h(
    "thead",
    {},
    h(
      "tr",
      {},
      h("th", { scope: "col" }, t.catalogue.category),
      h("th", { scope: "col", class: "number" }, t.catalogue.count),
      h("th", { scope: "col", class: "number" }, t.catalogue.share),
      h("td", { class: "share" }),
    ),
  );
  return h(
    "div",
    { class: "panel" },
    h("h2", { id: "categories-title" }, t.catalogue.categories),
    h("table", { "aria-labelledby": "categories-title" }, head, h("tbody", {}, categories.map(row))),
  );
}
