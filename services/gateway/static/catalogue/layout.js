/** The frame of the catalogue page. */

import { fill, h } from "../shared/dom.js";
import { mark } from "../shared/mark.js";
import { themeButton } from "../shared/theme.js";

/** @param {{t: any, path: string, forget: () => void}} context `path`: what addresses of this catalogue begin with */
export function frame({ t, path, forget }) {
  const body = h("div", { class: "catalogue-body", id: "body" });
  const status = h("span", { class: "live", hidden: true });
  const leave = h(
    "button",
    { class: "link", type: "button", hidden: true, on: { click: forget } },
    t.catalogue.keyForget,
  );
  const nav = h(
    "nav",
    { "aria-label": t.brand },
    h("a", { href: `${path}/catalogue`, "aria-current": "page" }, t.nav.catalogue),
    h("a", { href: "/docs" }, t.nav.api),
    themeButton(t),
  );
  const intro = h(
    "div",
    { class: "intro" },
    h("div", {}, h("h1", {}, t.catalogue.title), h("p", { class: "muted" }, t.catalogue.lead)),
    h("div", { class: "row" }, status, leave),
  );
  document.body.replaceChildren(
    h(
      "header",
      { class: "top" },
      h(
        "a",
        { href: `${path}/`, class: "brand", "aria-label": t.nav.home },
        mark(),
        h("span", { "aria-hidden": "true" }, t.brand),
      ),
      nav,
    ),
    h("main", { class: "catalogue" }, intro, body),
  );
  const live = (good, text, hasKey = false) => {
    status.hidden = text === "";
    status.classList.toggle("paused", !good);
    if (status.textContent !== text) fill(status, text);
    leave.hidden = !hasKey;
  };
  return { body, live };
}
