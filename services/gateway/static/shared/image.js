/** A product's image, at the size it is shown in. */

import { fill, h, imageSources, safeUrl } from "./dom.js";
import { icon } from "./icons.js";

/** @import { Context } from "../types.js" */

/** The first images load at once, the others when they come near the visible part of the page. */
const EAGER = 6;

/**
 * Return a product's image in its frame. Where there is no image, or it does not load, a text stands in its place.
 * @param {{image_url: string|null}} product @param {number} position from 0
 * @param {Pick<Context, "t"|"gateway">} context @param {number} [width] in pixels
 */
export function productImage(product, position, { t, gateway }, width = 240) {
  const url = safeUrl(product.image_url, gateway);
  const frame = h("span", { class: "frame" });
  if (!url) return fill(frame, placeholder(t.results.noImage, "hanger"));
  const image = h("img", {
    ...imageSources(url, gateway, width),
    alt: "",
    width: 240,
    height: 320,
    decoding: "async",
    loading: position < EAGER ? "eager" : "lazy",
  });
  image.addEventListener("error", () => fill(frame, placeholder(t.results.imageMissing, "missing")), { once: true });
  return fill(frame, image);
}

/** @param {string} text @param {import("./icons.js").IconName} name */
const placeholder = (text, name) => h("span", { class: "missing" }, icon(name, 28), h("span", {}, text));
