/** The results as tiles, and skeleton tiles while a search is in progress. */

import { h, safeUrl } from "../shared/dom.js";
import { price } from "../shared/format.js";
import { icon } from "../shared/icons.js";
import { productImage } from "../shared/image.js";
import { phrase } from "../shared/strings.js";
import { colourOf, cssColour } from "../shared/tiles.js";

/** @import { Context, Result, Tile } from "../types.js" */
/**
 * @typedef {Context & {onLike: (result: Result) => void}} CardContext
 * @typedef {{badge: string|null, why: string[]}} Remarks `why`: the traits that the result shares with the query
 */

/** The API's labels that the best result has a badge for. @type {Record<string, "same"|"close">} */
const BADGES = { "nearly the same": "same", "very alike": "close" };
const MAX_DOTS = 6;

/** Return the badge of the best result, or null. @param {Result} result @param {Context} context */
export function badgeOf({ similarity }, { t }) {
  const badge = BADGES[similarity?.label ?? ""];
  return badge ? t.results[badge] : null;
}

/** @param {Tile} tile @param {number} position from 0 @param {Remarks} remarks @param {CardContext} context */
export function card({ result, variants, offers }, position, { badge, why }, context) {
  const { t } = context;
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
    variants.length > 0 && dots([result, ...variants], context),
    offers.length > 0 && offerList([result, ...offers], context),
    like,
  );
}

/** The colours of a style; each leads to its product. @param {Result[]} products @param {Context} context */
function dots(products, { t }) {
  const items = products.slice(0, MAX_DOTS).map((product) => {
    const name = colourOf(product) ?? product.title ?? product.id;
    const colour = cssColour(name);
    const look = { class: colour ? "dot" : "dot-name", vars: { "--dot": colour ?? "transparent" } };
    const content = colour ? h("span", { class: "visually-hidden" }, name) : name;
    const href = safeUrl(product.url);
    return h("li", {}, href ? h("a", { ...look, href, title: name }, content) : h("span", look, content));
  });
  return h("ul", { class: "dots", "aria-label": t.results.colours }, items);
}

/** The products that have the same picture, with their prices. @param {Result[]} products @param {CardContext} context */
function offerList(products, context) {
  const { t } = context;
  const cheapest = products.reduce((best, product) => (amount(product) < amount(best) ? product : best));
  const lowest = price(cheapest.attributes, context);
  const values = { count: products.length, price: lowest ?? "" };
  const items = products.map((product) => {
    const href = safeUrl(product.url);
    const text = [product.title || product.id, price(product.attributes, context), product.catalogue];
    const line = text.filter(Boolean).join(" · ");
    return h("li", {}, href ? h("a", { href }, line) : line);
  });
  const summary = phrase(t, lowest ? t.results.offersFrom : t.results.offers, values);
  return h("details", { class: "offers" }, h("summary", {}, summary), h("ul", {}, items));
}

/** @param {Result} product */
const amount = ({ attributes }) =>
  attributes.price === undefined ? Number.POSITIVE_INFINITY : Number(attributes.price);

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
