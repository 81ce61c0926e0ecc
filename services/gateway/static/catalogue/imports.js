/** The summary of the last import. */

import { h } from "../shared/dom.js";
import { heading, number } from "../shared/format.js";

/** @import { Context, ImportSummary, RejectedRow, Strings } from "../types.js" */

const MAX_ROWS = 200;

/** @param {ImportSummary|null} summary @param {Pick<Context, "t"|"language">} context */
export function importPanel(summary, { t, language }) {
  if (!summary) return null;
  const { source, finished_at: finishedAt, status, rejected_rows: rows = [], ...counts } = summary;
  /** @type {Record<string, string>} */
  const statuses = t.catalogue.importStatuses;
  const facts = [[t.catalogue.importStatus, statuses[status] ?? status]];
  if (source) facts.push([t.catalogue.importSource, source]);
  if (finishedAt) facts.push([t.catalogue.importAt, new Date(finishedAt).toLocaleString(language)]);
  for (const [name, count] of Object.entries(counts)) {
    if (typeof count === "number") facts.push([heading(name), number(count, language)]);
  }
  const list = h(
    "dl",
    { class: "figures" },
    facts.map(([name, value]) => h("div", { class: "figure" }, h("dt", {}, name), h("dd", {}, value))),
  );
  const rejected = rows.length > 0 ? rejectedTable(rows, t) : h("p", { class: "muted" }, t.catalogue.rejectedNone);
  return h("div", { class: "panel" }, h("h2", {}, t.catalogue.import), list, rejected);
}

/** @param {RejectedRow[]} rows @param {Strings} t */
function rejectedTable(rows, t) {
  const titles = [t.catalogue.row, t.catalogue.id, t.catalogue.reason];
  const head = h(
    "tr",
    {},
    titles.map((title) => h("th", { scope: "col" }, title)),
  );
  const body = rows.slice(0, MAX_ROWS).map(({ line, id, image, reason }) => {
    const cells = [line, id, image ? `${image}: ${reason}` : reason];
    return h(
      "tr",
      {},
      cells.map((cell) => h("td", {}, cell)),
    );
  });
  const table = h("table", {}, h("thead", {}, head), h("tbody", {}, body));
  return h("div", { class: "rejected", tabindex: "0", role: "region", "aria-label": t.catalogue.rejected }, table);
}
