/** The frame of the catalogue page: header, title, status and body. */

import { fill, h } from "../shared/dom.js";
import { logo } from "../shared/logo.js";
import { themeButton } from "../shared/theme.js";
import { texts } from "./texts.js";

/**
 * @param {{root: string, path: string, forgetKey: () => void}} context `path`: what this catalogue's addresses begin with
 */
export function frame({ root, path, forgetKey }) {
  const body = h("div", { class: "catalogue-body", id: "body" });
  const status = h("span", { class: "live", hidden: true });
  const leave = h("button", { class: "link", type: "button", hidden: true, on: { click: forgetKey } }, texts.keyForget);
  const brand = h("span", { "aria-hidden": "true" }, texts.nav.label);
  const home = h("a", { href: `${path}/`, class: "brand", "aria-label": texts.nav.search }, logo(), brand);
  const nav = h(
    "nav",
    { "aria-label": texts.nav.label },
    h("a", { href: `${path}/catalogue`, "aria-current": "page" }, texts.nav.catalogue),
    h("a", { href: `${root}/docs` }, texts.nav.api),
    themeButton(texts.nav.theme),
  );
  const title = h("div", {}, h("h1", {}, texts.title), h("p", { class: "muted" }, texts.lead));
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
