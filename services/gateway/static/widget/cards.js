/** The widget's results. */

import { h, safeUrl } from "../shared/dom.js";
import { price, similarity } from "../shared/format.js";
import { picture } from "../shared/picture.js";

/**
 * Where a result leads: the shop's template if it gives one, else the product's own address.
 * @param {{id: string, url: string|null}} result @param {string|null} template with `{id}` in it
 */
export const linkOf = (result, template) =>
  safeUrl(template ? template.replaceAll("{id}", encodeURIComponent(result.id)) : result.url);

/**
 * @param {any} result @param {number} position from 0
 * @param {{t: any, gateway: string, language: string, currency: string|null, template: string|null, onClick: (result: any, position: number, event: Event) => void}} context
 */
export function card(result, position, context) {
  const { t, language, currency, template, onClick } = context;
  const cost = price(result.attributes, { language, currency });
  const facts = h(
    "span",
    { class: "facts" },
    cost && h("span", { class: "price" }, cost),
    h("span", { class: "muted" }, similarity(result, t).text),
  );
  const body = [picture(result, position, context), h("span", { class: "title" }, result.title || result.id), facts];
  const href = linkOf(result, template);
  const link = href
    ? h("a", { href, part: "link", on: { click: (event) => onClick(result, position, event) } }, body)
    : h("div", { class: "card-link" }, body);
  return h("li", { class: "card", part: "card", "data-id": result.id }, link);
}

/** @param {number} count */
export const ghosts = (count) =>
  Array.from({ length: count }, () =>
    h("li", { class: "card ghost", "aria-hidden": "true" }, h("span", { class: "frame" })),
  );
