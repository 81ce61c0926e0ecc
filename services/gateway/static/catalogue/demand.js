/** What shoppers did not find, and the outcomes of searches by day, where the gateway keeps events. */

import { Failure } from "../shared/api.js";
import { fill, h } from "../shared/dom.js";
import { table } from "./table.js";
import { texts } from "./texts.js";

/** @import { CatalogueContext, Demand, DemandCluster } from "../types.js" */

const MAX_DAYS = 14;

export class DemandPanel {
  #context;
  #body = h("div", { class: "rows" });

  /** @param {CatalogueContext} context */
  constructor(context) {
    this.#context = context;
    const button = h(
      "button",
      { class: "button", type: "button", on: { click: () => this.#download() } },
      texts.demandCsv,
    );
    const title = h("div", {}, h("h2", {}, texts.demand), h("p", { class: "muted" }, texts.demandNote));
    this.element = h("section", { class: "panel" }, h("div", { class: "sample-head" }, title, button), this.#body);
  }

  async load() {
    this.element.setAttribute("aria-busy", "true");
    try {
      const report = await this.#context.api.demand();
      fill(this.#body, this.#summary(report), clusterTable(report, this.#context), dayTable(report, this.#context));
    } catch (error) {
      this.#showFailure(error);
    }
    this.element.setAttribute("aria-busy", "false");
  }

  /** @param {Demand} report */
  #summary({ searches, unmet, knows_clicks: knowsClicks, is_cut: isCut }) {
    const format = new Intl.NumberFormat(this.#context.language);
    if (searches === 0) return h("p", { class: "muted" }, texts.demandEmpty);
    const lines = [texts.demandCount(format.format(unmet), format.format(searches))];
    if (!knowsClicks) lines.push(texts.demandNoClicks);
    if (isCut) lines.push(texts.demandCut);
    return h("p", {}, lines.join(" "));
  }

  async #download() {
    try {
      const url = URL.createObjectURL(await this.#context.api.demandTable());
      h("a", { href: url, download: "demand.csv" }).click();
      URL.revokeObjectURL(url);
    } catch (error) {
      this.#showFailure(error);
    }
  }

  /** @param {unknown} error */
  #showFailure(error) {
    const detail = error instanceof Failure ? error.detail : "";
    fill(this.#body, h("p", { class: "muted", role: "alert" }, detail || this.#context.t.failures.other.text));
  }
}

/** @param {Demand} report @param {CatalogueContext} context */
function clusterTable({ clusters }, { language }) {
  if (clusters.length === 0) return null;
  const format = new Intl.NumberFormat(language);
  const similarity = new Intl.NumberFormat(language, { maximumFractionDigits: 2, minimumFractionDigits: 2 });
  /** @param {DemandCluster} cluster */
  const row = (cluster) => [
    [cluster.type ?? cluster.category, cluster.colour].filter(Boolean).join(" · "),
    cluster.category,
    format.format(cluster.searches),
    format.format(cluster.no_close_match),
    format.format(cluster.without_click),
    cluster.gap === null ? "–" : similarity.format(cluster.gap),
    cluster.nearest.map((product) => product.title ?? product.id).join(", "),
  ];
  return table("demand-clusters", texts.demandClusters, texts.demandColumns, clusters.map(row));
}

/** The searches of the last days in all categories, by outcome. @param {Demand} report @param {CatalogueContext} context */
function dayTable({ days }, { language }) {
  if (days.length === 0) return null;
  const format = new Intl.NumberFormat(language);
  const date = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" });
  /** @type {Map<string, number[]>} */
  const counts = new Map();
  for (const day of days) {
    const numbers = [
      ...[day.searches, day.ok, day.no_close_match, day.other_clothing, day.no_clothing, day.without_click],
    ];
    const total = counts.get(day.day);
    counts.set(day.day, total ? total.map((count, index) => count + (numbers[index] ?? 0)) : numbers);
  }
  const rows = [...counts].slice(0, MAX_DAYS);
  const cells = rows.map(([day, numbers]) => [
    date.format(new Date(day)),
    ...numbers.map((count) => format.format(count)),
  ]);
  return table("demand-days", texts.demandDays, texts.demandDayColumns, cells);
}
