/** A table that scrolls sideways where the page is narrow. */

import { h } from "../shared/dom.js";

/**
 * @param {string} id @param {string} title @param {{name: string, isNumber?: boolean}[]} columns @param {string[][]} rows
 */
export function table(id, title, columns, rows) {
  const look = (/** @type {number} */ index) => (columns[index]?.isNumber ? { class: "number" } : {});
  const head = columns.map(({ name }, index) => h("th", { scope: "col", ...look(index) }, name));
  const body = rows.map((cells) =>
    h(
      "tr",
      {},
      cells.map((cell, index) => h("td", look(index), cell)),
    ),
  );
  return h(
    "div",
    { class: "wide", tabindex: "0", role: "region", "aria-labelledby": id },
    h("h3", { id }, title),
    h("table", { "aria-labelledby": id }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, body)),
  );
}
