/** What a tile says of the products that it stands for: the colours of a style, and the offers of one picture. */

import { h } from "./dom.js";
import { price } from "./format.js";
import { phrase } from "./strings.js";
import { coloursOf, cssColour } from "./tiles.js";

/** @import { Context, Product, Tile } from "../types.js" */
/**
 * @typedef {Pick<Context, "t"|"language"|"currency"> & {
 *   linkOf: (product: Product) => string|null,
 *   onClick?: (product: Product, event: MouseEvent) => void,
 * }} VariantContext
 */

const MAX_DOTS = 6;

/** Return the colours and the offers of a tile that has some. @param {Tile} tile @param {VariantContext} context */
export const variantsOf = ({ result, variants, offers }, context) => [
  variants.length > 0 && dots([result, ...variants], context),
  offers.length > 0 && offerList([result, ...offers], context),
];

/** The colours of a style, if it has several; each leads to its product. @param {Product[]} products @param {VariantContext} context */
function dots(products, context) {
  const colours = coloursOf(products);
  if (colours.length < 2) return null;
  const items = colours.slice(0, MAX_DOTS).map(([name, product]) => {
    const colour = cssColour(name);
    const look = { class: colour ? "dot" : "dot-name", vars: { "--dot": colour ?? "transparent" }, title: name };
    return h("li", {}, linked(product, look, colour ? h("span", { class: "visually-hidden" }, name) : name, context));
  });
  const others = colours.length - items.length;
  const more =
    others > 0 && h("li", { class: "dot-name" }, `+${new Intl.NumberFormat(context.language).format(others)}`);
  return h("ul", { class: "dots", role: "list", "aria-label": context.t.results.colours }, items, more);
}

/** The products that have the same picture, with their prices. @param {Product[]} products @param {VariantContext} context */
function offerList(products, context) {
  const { t } = context;
  const lowest = lowestPrice(products, context);
  const items = products.map((product) => {
    const text = [product.title || product.id, price(product.attributes, context), product.catalogue];
    return h("li", {}, linked(product, {}, text.filter(Boolean).join(" · "), context));
  });
  const values = { count: products.length, price: lowest ?? "" };
  const summary = phrase(t, lowest ? t.results.offersFrom : t.results.offers, values);
  return h("details", { class: "offers" }, h("summary", {}, summary), h("ul", { role: "list" }, items));
}

/**
 * Return a link to a product, or plain text without an address.
 * @param {Product} product @param {object} look @param {Node|string} content @param {VariantContext} context
 */
function linked(product, look, content, { linkOf, onClick }) {
  const href = linkOf(product);
  if (!href) return h("span", look, content);
  const click = (/** @type {MouseEvent} */ event) => onClick?.(product, event);
  return h("a", { ...look, href, "data-id": product.id, on: { click } }, content);
}

/** Return the lowest price; null without prices, or if they are in several currencies. @param {Product[]} products @param {VariantContext} context */
function lowestPrice(products, context) {
  const priced = products.filter((product) => price(product.attributes, context) !== null);
  if (new Set(priced.map(({ attributes }) => attributes.currency ?? context.currency)).size !== 1) return null;
  const amounts = priced.map(({ attributes }) => Number(attributes.price));
  const cheapest = priced[amounts.indexOf(Math.min(...amounts))];
  return cheapest ? price(cheapest.attributes, context) : null;
}
