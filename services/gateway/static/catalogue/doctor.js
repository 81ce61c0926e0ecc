/** What lookalike doctor last found wrong with the catalogue. */

import { h } from "../shared/dom.js";

/** @param {any|null} report @param {{t: any, language: string}} how */
export function doctorPanel(report, { t, language }) {
  const words = t.catalogue;
  const heading = h("h2", {}, words.doctor);
  if (!report) return h("div", { class: "panel" }, heading, h("p", { class: "muted" }, words.doctorNone));
  const at = h("p", { class: "muted" }, words.doctorAt(new Date(report.finished_at).toLocaleString(language)));
  const found = Object.entries(report.findings).filter(([, { count }]) => count > 0);
  if (found.length === 0) return h("div", { class: "panel" }, heading, at, h("p", {}, words.doctorHealthy));
  const number = new Intl.NumberFormat(language);
  return h(
    "div",
    { class: "panel" },
    heading,
    at,
    found.map(([kind, finding]) => one(words.findings[kind] ?? kind, finding, number)),
  );
}

function one(name, { count, examples }, number) {
  const title = h("summary", {}, `${name}: ${number.format(count)}`);
  return h(
    "details",
    { class: "finding" },
    title,
    h(
      "ul",
      {},
      examples.map((example) => h("li", {}, example)),
    ),
  );
}
