/** The searches of this visit, as small pictures. */

import { fill, h, safeUrl } from "../shared/dom.js";
import { icon } from "../shared/icons.js";

/**
 * @param {Element} holder @param {import("./visit.js").Entry[]} entries
 * @param {{t: any, onOpen: (entry: import("./visit.js").Entry) => void, onClear: () => void}} options
 */
export function showVisit(holder, entries, { t, onOpen, onClear }) {
  holder.hidden = entries.length === 0;
  if (holder.hidden) return fill(holder);
  const thumb = (entry) => {
    const source = entry.thumb?.startsWith("data:image/") ? entry.thumb : safeUrl(entry.thumb);
    if (!source) return icon("search");
    const image = h("img", { src: source, alt: "", width: 72, height: 72 });
    image.addEventListener("error", () => image.replaceWith(icon("gone")), { once: true });
    return image;
  };
  const item = (entry) =>
    h(
      "li",
      {},
      h(
        "button",
        {
          class: "visit-item",
          type: "button",
          "aria-label": t.visit.open(entry.label),
          title: entry.label,
          on: { click: () => onOpen(entry) },
        },
        thumb(entry),
      ),
    );
  const head = h(
    "div",
    { class: "visit-head" },
    h("h2", { id: "visit-title" }, t.visit.heading),
    h("span", { class: "muted" }, t.visit.note),
    h("button", { class: "link", type: "button", on: { click: onClear } }, t.visit.clear),
  );
  return fill(holder, head, h("ul", { class: "visit-list" }, entries.map(item)));
}
