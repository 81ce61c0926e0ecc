/** The results: cards, and grey ones while they are awaited. */

import { h, safeUrl } from "../shared/dom.js";
import { price, similarity } from "../shared/format.js";
import { icon } from "../shared/icons.js";
import { picture } from "../shared/picture.js";

/**
 * @param {any} result one of the API's results
 * @param {number} position from 0
 * @param {{t: any, gateway: string, language: string, currency: string|null, onLike: (result: any) => void}} context
 */
export function card(result, position, context) {
  const { t } = context;
  const title = result.title || result.id;
  const href = safeUrl(result.url);
  const body = [picture(result, position, context), h("span", { class: "card-title" }, title)];
  const link = href ? h("a", { class: "card-link", href }, body) : h("div", { class: "card-link" }, body);
  const like = h(
    "button",
    {
      class: "card-like",
      type: "button",
      "aria-label": t.results.likeOf(title),
      on: { click: () => context.onLike(result) },
    },
    icon("search", 16),
    t.results.like,
  );
  return h("li", { class: "card", "data-id": result.id }, link, facts(result, context), like);
}

function facts(result, { t, language, currency }) {
  const cost = price(result.attributes, { language, currency });
  const { percent, text } = similarity(result, t);
  const bar = h("span", { class: "similarity-bar", vars: { "--alike": `${percent}%` }, "aria-hidden": "true" });
  const shop = result.catalogue && h("span", { class: "muted" }, result.catalogue);
  return h(
    "div",
    { class: "card-facts" },
    cost && h("span", { class: "price" }, cost),
    shop,
    h("span", { class: "similarity" }, bar, text),
  );
}

/** @param {number} count */
export function skeleton(count) {
  return Array.from({ length: count }, () =>
    h(
      "li",
      { class: "card ghost", "aria-hidden": "true" },
      h("span", { class: "frame" }),
      h("span", { class: "ghost-line" }),
      h("span", { class: "ghost-line short" }),
    ),
  );
}
