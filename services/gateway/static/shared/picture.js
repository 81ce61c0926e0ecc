/** A product's picture, at the size it is shown in. */

import { fill, h, pictureSources, safeUrl } from "./dom.js";
import { icon } from "./icons.js";

const EAGER = 6;

/**
 * A product's picture in its frame; in its place, words, where it has none or it does not load.
 * @param {{image_url: string|null}} product @param {number} position from 0: the first few load at once, the others when near
 * @param {{t: any, gateway: string}} context
 */
export function picture(product, position, { t, gateway }, width = 240) {
  const url = safeUrl(product.image_url, gateway);
  const frame = h("span", { class: "frame" });
  if (!url) return fill(frame, missing(t.results.noImage, "hanger"));
  const image = h("img", {
    ...pictureSources(url, gateway, width),
    alt: "",
    width: 240,
    height: 320,
    decoding: "async",
    loading: position < EAGER ? "eager" : "lazy",
  });
  image.addEventListener("error", () => fill(frame, missing(t.results.imageGone, "gone")), { once: true });
  return fill(frame, image);
}

const missing = (text, name) => h("span", { class: "missing" }, icon(name, 28), h("span", {}, text));
