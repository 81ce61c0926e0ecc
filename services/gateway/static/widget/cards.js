/** The widget's results. */

import { h, safeUrl } from "../shared/dom.js";
import { price, similarity } from "../shared/format.js";
import { productImage } from "../shared/image.js";

/** @import { Context, Result } from "../types.js" */
/**
 * @typedef {Context & {
 *   template: string|null,
 *   onClick: (result: Result, position: number, event: MouseEvent) => void,
 * }} CardContext
 */

/**
 * Return where a result leads: to the shop's template with the product's id in it, or to the product's own address.
 * @param {{id: string, url: string|null}} result @param {string|null} template with `{id}` in it
 */
export const linkOf = (result, template) =>
  safeUrl(template ? template.replaceAll("{id}", encodeURIComponent(result.id)) : result.url);

/** @param {Result} result @param {number} position from 0 @param {CardContext} context */
export function card(result, position, context) {
  const { t, language, currency, template, onClick } = context;
  const amount = price(result.attributes, { language, currency });
  const facts = h(
    "span",
    { class: "facts" },
    amount && h("span", { class: "price" }, amount),
    h("span", { class: "muted" }, similarity(result, t).text),
  );
  const title = h("span", { class: "title" }, result.title || result.id);
  const body = [productImage(result, position, context), title, facts];
  const href = linkOf(result, template);
  const click = (/** @type {MouseEvent} */ event) => onClick(result, position, event);
  const link = href ? h("a", { href, part: "link", on: { click } }, body) : h("div", { class: "card-link" }, body);
  return h("li", { class: "card", part: "card", "data-id": result.id }, link);
}

/** @param {number} count */
export const skeletonCards = (count) =>
  Array.from({ length: count }, () =>
    h("li", { class: "card skeleton", "aria-hidden": "true" }, h("span", { class: "frame" })),
  );
