/**
 * The frame around both views: header, main part, this visit's searches, footer, and announcements to screen readers.
 */

import { cataloguePath } from "../shared/api.js";
import { h } from "../shared/dom.js";
import { logo } from "../shared/logo.js";
import { themeButton } from "../shared/theme.js";

/** @import { Strings } from "../types.js" */

/**
 * @param {{t: Strings, root: string, path: string, onHome: () => void}} context
 *   `root`: what every address begins with, `path`: what this catalogue's addresses begin with
 */
export function frame({ t, root, path, onHome }) {
  const status = h("div", { class: "visually-hidden", role: "status" });
  const main = h("main", { id: "main", tabindex: "-1" });
  const visit = h("section", { class: "visit", hidden: true, "aria-labelledby": "visit-title" });
  document.body.replaceChildren(
    h("a", { class: "skip", href: "#main", on: { click: handle(() => main.focus()) } }, t.skip),
    h("header", { class: "top" }, brand(t, path, onHome), navigation(t, root, path)),
    main,
    visit,
    h("footer", { class: "foot muted" }, t.footer.made),
    status,
  );
  return { main, visit, announce: announcer(status) };
}

/** Return a listener that does this instead of what the browser does. @param {() => void} action */
const handle = (action) => (/** @type {Event} */ event) => {
  event.preventDefault();
  action();
};

/** @param {Strings} t @param {string} path @param {() => void} onHome */
function brand(t, path, onHome) {
  return h(
    "a",
    { href: `${path}/`, class: "brand", "aria-label": t.nav.home, on: { click: handle(onHome) } },
    logo(),
    h("span", { "aria-hidden": "true" }, t.brand),
  );
}

/** @param {Strings} t @param {string} root @param {string} path */
function navigation(t, root, path) {
  const catalogue = path === root + cataloguePath("all") ? root : path;
  return h(
    "nav",
    { "aria-label": t.brand },
    h("a", { href: `${catalogue}/catalogue` }, t.nav.catalogue),
    h("a", { href: `${root}/docs` }, t.nav.api),
    themeButton(t),
  );
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
