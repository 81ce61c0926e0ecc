/** What `lookalike doctor` last reported about the catalogue. */

import { h } from "../shared/dom.js";
import { texts } from "./texts.js";

/** @import { Context, Examination, Finding } from "../types.js" */

/** @param {Examination|null} report @param {Pick<Context, "language">} context */
export function doctorPanel(report, { language }) {
  const title = h("h2", {}, texts.doctor);
  if (!report) return h("div", { class: "panel" }, title, h("p", { class: "muted" }, texts.doctorNone));
  const finishedAt = new Date(report.finished_at).toLocaleString(language);
  const time = h("p", { class: "muted" }, texts.doctorAt(finishedAt));
  const findings = Object.entries(report.findings).filter(([, { count }]) => count > 0);
  if (findings.length === 0) return h("div", { class: "panel" }, title, time, h("p", {}, texts.doctorHealthy));
  const format = new Intl.NumberFormat(language);
  /** @type {Record<string, string>} */
  const names = texts.findings;
  const details = findings.map(([kind, finding]) => findingDetails(names[kind] ?? kind, finding, format));
  return h("div", { class: "panel" }, title, time, details);
}

/** @param {string} name @param {Finding} finding @param {Intl.NumberFormat} format */
function findingDetails(name, { count, examples }, format) {
  const title = h("summary", {}, `${name}: ${format.format(count)}`);
  const list = h(
    "ul",
    {},
    examples.map((example) => h("li", {}, example)),
  );
  return h("details", { class: "finding" }, title, list);
}
