/** The results as cards, and skeleton cards while a search is in progress. */

import { h, safeUrl } from "../shared/dom.js";
import { price, similarity } from "../shared/format.js";
import { icon } from "../shared/icons.js";
import { productImage } from "../shared/image.js";

/** @import { Context, Result } from "../types.js" */

/**
 * @param {Result} result @param {number} position from 0
 * @param {Context & {onLike: (result: Result) => void}} context
 */
export function card(result, position, context) {
  const { t } = context;
  const title = result.title || result.id;
  const href = safeUrl(result.url);
  const body = [productImage(result, position, context), h("span", { class: "card-title" }, title)];
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

/** @param {Result} result @param {Context} context */
function facts(result, { t, language, currency }) {
  const amount = price(result.attributes, { language, currency });
  const { percent, text } = similarity(result, t);
  const bar = h("span", { class: "similarity-bar", vars: { "--alike": `${percent}%` }, "aria-hidden": "true" });
  const catalogue = result.catalogue && h("span", { class: "muted" }, result.catalogue);
  return h(
    "div",
    { class: "card-facts" },
    amount && h("span", { class: "price" }, amount),
    catalogue,
    h("span", { class: "similarity" }, bar, text),
  );
}

/** @param {number} count */
export function skeletonCards(count) {
  const line = "skeleton-line";
  return Array.from({ length: count }, () =>
    h(
      "li",
      { class: "card skeleton", "aria-hidden": "true" },
      h("span", { class: "frame" }),
      h("span", { class: line }),
      h("span", { class: `${line} short` }),
    ),
  );
}
