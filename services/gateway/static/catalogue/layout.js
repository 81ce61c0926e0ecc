/** The frame of the catalogue page: header, title, status and body. */

import { fill, h } from "../shared/dom.js";
import { logo } from "../shared/logo.js";
import { themeButton } from "../shared/theme.js";

/** @import { Strings } from "../types.js" */

/**
 * @param {{t: Strings, root: string, path: string, forgetKey: () => void}} context `path`: what this catalogue's addresses begin with
 */
export function frame({ t, root, path, forgetKey }) {
  const body = h("div", { class: "catalogue-body", id: "body" });
  const status = h("span", { class: "live", hidden: true });
  const leave = h(
    "button",
    { class: "link", type: "button", hidden: true, on: { click: forgetKey } },
    t.catalogue.keyForget,
  );
  const brand = h("span", { "aria-hidden": "true" }, t.brand);
  const home = h("a", { href: `${path}/`, class: "brand", "aria-label": t.nav.home }, logo(), brand);
  const nav = h(
    "nav",
    { "aria-label": t.brand },
    h("a", { href: `${path}/catalogue`, "aria-current": "page" }, t.nav.catalogue),
    h("a", { href: `${root}/docs` }, t.nav.api),
    themeButton(t),
  );
  const title = h("div", {}, h("h1", {}, t.catalogue.title), h("p", { class: "muted" }, t.catalogue.lead));
  const intro = h("div", { class: "intro" }, title, h("div", { class: "row" }, status, leave));
  document.body.replaceChildren(
    h("header", { class: "top" }, home, nav),
    h("main", { class: "catalogue" }, intro, body),
  );
  /** @param {boolean} isLive @param {string} text @param {boolean} [hasKey] whether there is a key to forget */
  const showStatus = (isLive, text, hasKey = false) => {
    status.hidden = text === "";
    status.classList.toggle("paused", !isLive);
    if (status.textContent !== text) fill(status, text);
    leave.hidden = !hasKey;
  };
  return { body, showStatus };
}
