/** The results as tiles, and skeleton tiles while a search is in progress. */

import { h, safeUrl } from "../shared/dom.js";
import { price } from "../shared/format.js";
import { icon } from "../shared/icons.js";
import { productImage } from "../shared/image.js";
import { phrase } from "../shared/strings.js";
import { variantsOf } from "../shared/variants.js";

/** @import { Context, Product, Result, Tile } from "../types.js" */
/**
 * @typedef {Context & {onLike: (product: Product) => void}} CardContext
 * @typedef {{badge: string|null, why: string[]}} Remarks `why`: the traits that the result shares with the query
 */

/** The API's labels that the best result has a badge for. @type {Record<string, "same"|"close">} */
const BADGES = { "nearly the same": "same", "very alike": "close" };

/** Return the badge of the best result, or null. @param {Result} result @param {Context} context */
export function badgeOf({ similarity }, { t }) {
  const badge = BADGES[similarity?.label ?? ""];
  return badge ? t.results[badge] : null;
}

/** @param {Tile} tile @param {number} position from 0 @param {Remarks} remarks @param {CardContext} context */
export function card(tile, position, { badge, why }, context) {
  const { t } = context;
  const { result } = tile;
  const title = result.title || result.id;
  const href = safeUrl(result.url);
  const picture = productImage(result, position, context);
  if (badge) picture.append(h("span", { class: "badge" }, badge));
  const body = [picture, h("span", { class: "card-title" }, title)];
  const link = href ? h("a", { class: "card-link", href }, body) : h("div", { class: "card-link" }, body);
  const like = h(
    "button",
    {
      class: "card-like",
      type: "button",
      "aria-label": phrase(t, t.results.likeOf, { title }),
      on: { click: () => context.onLike(result) },
    },
    icon("search", 16),
    t.results.like,
  );
  return h(
    "li",
    { class: "card", "data-id": result.id },
    link,
    h("p", { class: "price" }, price(result.attributes, context)),
    result.catalogue && h("p", { class: "muted card-note" }, result.catalogue),
    why.length > 0 && h("p", { class: "muted card-note" }, phrase(t, t.results.why, { traits: why.join(" · ") })),
    ...variantsOf(tile, { ...context, linkOf: (each) => safeUrl(each.url) }),
    like,
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
