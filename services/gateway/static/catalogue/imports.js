/** The summary of the last import. */

import { h } from "../shared/dom.js";
import { heading, number } from "../shared/format.js";
import { texts } from "./texts.js";

/** @import { Context, ImportSummary, RejectedRow } from "../types.js" */

const MAX_ROWS = 200;

/** @param {ImportSummary|null} summary @param {Pick<Context, "language">} context */
export function importPanel(summary, { language }) {
  if (!summary) return null;
  const { source, finished_at: finishedAt, status, rejected_rows: rows = [], ...counts } = summary;
  /** @type {Record<string, string>} */
  const statuses = texts.importStatuses;
  const facts = Object.entries(counts).filter(([, count]) => typeof count === "number" && count > 0);
  const line = texts.importLine(
    statuses[status] ?? status,
    source ?? "",
    finishedAt ? new Date(finishedAt).toLocaleString(language) : "",
    facts.map(([name, count]) => `${number(Number(count), language)} ${heading(name).toLowerCase()}`).join(", "),
  );
  const rejected = rows.length > 0 && rejectedTable(rows);
  return h("div", { class: "panel" }, h("h2", {}, texts.import), h("p", { class: "import-line" }, line), rejected);
}

/** @param {RejectedRow[]} rows */
function rejectedTable(rows) {
  const titles = [texts.row, texts.id, texts.reason];
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
  return h("div", { class: "rejected", tabindex: "0", role: "region", "aria-label": texts.rejected }, table);
}
