/** The searches of this visit, as small pictures. */

import { fill, h, safeUrl } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { phrase } from "../shared/strings.js";

/** @import { Entry, Strings } from "../types.js" */

/**
 * @param {HTMLElement} holder @param {Entry[]} entries
 * @param {{t: Strings, onOpen: (entry: Entry) => void, onClear: () => void}} options
 */
export function showVisit(holder, entries, { t, onOpen, onClear }) {
  holder.hidden = entries.length === 0;
  if (holder.hidden) return fill(holder);
  const items = entries.map((entry) => {
    const props = {
      class: "visit-item",
      type: "button",
      "aria-label": phrase(t, t.visit.open, { label: entry.label }),
      title: entry.label,
    };
    return h("li", {}, h("button", { ...props, on: { click: () => onOpen(entry) } }, thumbnail(entry)));
  });
  const head = h(
    "div",
    { class: "visit-head" },
    h("h2", { id: "visit-title" }, t.visit.heading),
    h("span", { class: "muted" }, t.visit.note),
    h("button", { class: "link", type: "button", on: { click: onClear } }, t.visit.clear),
  );
  return fill(holder, head, h("ul", { class: "visit-list" }, items));
}

/** @param {Entry} entry */
function thumbnail({ thumbnail: url }) {
  const source = url?.startsWith("data:image/") ? url : safeUrl(url);
  if (!source) return icon("search");
  const image = h("img", { src: source, alt: "", width: 72, height: 72 });
  image.addEventListener("error", () => image.replaceWith(icon("missing")), { once: true });
  return image;
}
