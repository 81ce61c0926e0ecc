/**
 * The frame around both views: header, main part, this visit's searches, footer, and announcements to screen readers.
 */

import { h, safeUrl } from "../shared/dom.js";
import { shopMark } from "../shared/shop.js";
import { phrase } from "../shared/strings.js";
import { themeButton } from "../shared/theme.js";

/** @import { Shop, Strings } from "../types.js" */

/** @param {{t: Strings, path: string, shop: Shop, onHome: () => void}} context `path`: of this catalogue's addresses */
export function frame({ t, path, shop, onHome }) {
  const status = h("div", { class: "visually-hidden", role: "status" });
  const main = h("main", { id: "main", tabindex: "-1" });
  const visit = h("section", { class: "visit", hidden: true, "aria-labelledby": "visit-title" });
  const home = { href: `${path}/`, class: "brand", "aria-label": phrase(t, t.home, { name: shop.name }) };
  document.body.replaceChildren(
    h("a", { class: "skip", href: "#main", on: { click: handle(() => main.focus()) } }, t.skip),
    h(
      "header",
      { class: "top" },
      h("a", { ...home, on: { click: handle(onHome) } }, shopMark(shop)),
      navigation(shop, t),
    ),
    main,
    visit,
    h("footer", { class: "foot muted" }, t.footer),
    status,
  );
  return { main, visit, announce: announcer(status) };
}

/** Return a listener that does this instead of what the browser does. @param {() => void} action */
const handle = (action) => (/** @type {Event} */ event) => {
  event.preventDefault();
  action();
};

/** The shop's own links, and the choice between dark and light. @param {Shop} shop @param {Strings} t */
function navigation({ name, links = [] }, t) {
  const items = links.map(({ text, url }) => h("a", { href: safeUrl(url) }, text));
  return h("nav", { "aria-label": name }, items, themeButton(t.theme));
}

/** Screen readers do not repeat a text that is set twice: the line is emptied first. @param {HTMLElement} status */
function announcer(status) {
  return (/** @type {string} */ text) => {
    status.textContent = "";
    requestAnimationFrame(() => {
      status.textContent = text;
    });
  };
}
