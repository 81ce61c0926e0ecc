/** How the last import went, where the database says. */

import { h } from "../shared/dom.js";
import { label } from "../shared/format.js";

const SHOWN = 200;

/** @param {any|null} summary @param {{t: any, language: string}} how */
export function importPanel(summary, { t, language }) {
  if (!summary) return null;
  const { source, finished_at: at, status, rejected_rows: rows = [], ...counts } = summary;
  const numbers = Object.entries(counts).filter(([, value]) => typeof value === "number");
  const number = (value) => new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(value);
  const facts = [
    [t.catalogue.importStatus, t.catalogue.importStatuses[status] ?? status],
    ...(source ? [[t.catalogue.importSource, source]] : []),
    ...(at ? [[t.catalogue.importAt, new Date(at).toLocaleString(language)]] : []),
    ...numbers.map(([name, value]) => [label(name), number(value)]),
  ];
  const list = h(
    "dl",
    { class: "figures" },
    facts.map(([name, value]) => h("div", { class: "figure" }, h("dt", {}, name), h("dd", {}, value))),
  );
  return h(
    "div",
    { class: "panel" },
    h("h2", {}, t.catalogue.import),
    list,
    rows.length > 0 ? rejected(rows, t) : h("p", { class: "muted" }, t.catalogue.rejectedNone),
  );
}

function rejected(rows, t) {
  const head = h(
    "thead",
    {},
    h(
      "tr",
      {},
      [t.catalogue.row, t.catalogue.id, t.catalogue.reason].map((text) => h("th", { scope: "col" }, text)),
    ),
  );
  const body = h(
    "tbody",
    {},
    rows.slice(0, SHOWN).map(({ line, id, image, reason }) =>
      h(
        "tr",
        {},
        [line, id, image ? `${image}: ${reason}` : reason].map((text) => h("td", {}, String(text ?? ""))),
      ),
    ),
  );
  return h(
    "div",
    { class: "rejected", tabindex: "0", role: "region", "aria-label": t.catalogue.rejected },
    h("table", {}, head, body),
  );
}
