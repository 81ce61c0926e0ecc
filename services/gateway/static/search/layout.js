/** The frame around both views: header, main part, the visit, footer, and the line that screen readers hear. */

import { pathOf } from "../shared/api.js";
import { h } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { mark } from "../shared/mark.js";
import { themeButton } from "../shared/theme.js";
import { notice } from "./notices.js";

/** @param {{t: any, path: string}} context `path`: what addresses of this catalogue begin with */
export function frame({ t, path }) {
  const status = h("div", { class: "visually-hidden", role: "status" });
  const main = h("main", { id: "main", tabindex: "-1" });
  const visit = h("section", { class: "visit", hidden: true, "aria-labelledby": "visit-title" });
  const home = h(
    "a",
    { href: `${path}/`, class: "brand", "aria-label": t.nav.home },
    mark(),
    h("span", { "aria-hidden": "true" }, t.brand),
  );
  const nav = h(
    "nav",
    { "aria-label": t.brand },
    h("a", { href: `${path === pathOf("all") ? "" : path}/catalogue` }, t.nav.catalogue),
    h("a", { href: "/docs" }, t.nav.api),
    themeButton(t),
  );
  document.body.replaceChildren(
    h("a", { class: "skip", href: "#main", on: { click: (event) => skipTo(event, main) } }, t.skip),
    h("header", { class: "top" }, home, nav),
    main,
    visit,
    h("footer", { class: "foot muted" }, t.footer.made),
    status,
  );
  return {
    main,
    visit,
    home,
    announce: announcer(status),
    banner: (words) => h("div", { class: "banner" }, notice(words, "alert")),
    cameraButton: (click) =>
      h("button", { class: "button", type: "button", on: { click } }, icon("camera"), t.start.camera),
  };
}

function skipTo(event, main) {
  event.preventDefault();
  main.focus();
}

/** Say the same words twice and a screen reader keeps silent: empty the line first. */
function announcer(status) {
  return (text) => {
    status.textContent = "";
    requestAnimationFrame(() => (status.textContent = text));
  };
}
