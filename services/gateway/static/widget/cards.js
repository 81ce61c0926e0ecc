/** The widget's results. */

import { h, safeUrl } from "../shared/dom.js";
import { price } from "../shared/format.js";
import { icon } from "../shared/icons.js";
import { productImage } from "../shared/image.js";
import { phrase } from "../shared/strings.js";
import { variantsOf } from "../shared/variants.js";

/** @import { Context, Product, Tile } from "../types.js" */
/**
 * @typedef {Context & {
 *   template: string|null,
 *   onClick: (product: Product, event: MouseEvent) => void,
 *   onLike: ((product: Product) => void)|null,
 * }} CardContext `onLike`: null where the cards have no button for it
 */

/**
 * Return where a result leads: to the shop's template with the product's id in it, or to the product's own address.
 * @param {{id: string, url: string|null}} result @param {string|null} template with `{id}` in it
 */
export const linkOf = (result, template) =>
  safeUrl(template ? template.replaceAll("{id}", encodeURIComponent(result.id)) : result.url);

/** @param {Tile} tile @param {number} position from 0 @param {CardContext} context */
export function card(tile, position, context) {
  const { result } = tile;
  const { t, template, onClick, onLike } = context;
  const name = result.title || result.id;
  const amount = price(result.attributes, context);
  const body = [
    productImage(result, position, context),
    h("span", { class: "title" }, name),
    amount && h("span", { class: "price" }, amount),
  ];
  const href = linkOf(result, template);
  const click = (/** @type {MouseEvent} */ event) => onClick(result, event);
  const link = href ? h("a", { href, part: "link", on: { click } }, body) : h("div", { class: "card-link" }, body);
  const label = phrase(t, t.results.likeOf, { title: name });
  const like = onLike && {
    class: "like",
    type: "button",
    "aria-label": label,
    title: t.results.like,
    on: { click: () => onLike(result) },
  };
  return h(
    "li",
    { class: "card", part: "card", "data-id": result.id },
    link,
    ...variantsOf(tile, { ...context, linkOf: (each) => linkOf(each, template) }),
    like && h("button", like, icon("search", 16)),
  );
}

/** @param {number} count */
export const skeletonCards = (count) =>
  Array.from({ length: count }, () =>
    h("li", { class: "card skeleton", "aria-hidden": "true" }, h("span", { class: "frame" })),
  );
