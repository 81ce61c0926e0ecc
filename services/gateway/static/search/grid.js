/** The results: cards, and grey ones while they are awaited. */

import { fill, h, pictureSources, safeUrl } from "../shared/dom.js";
import { percentAlike, price } from "../shared/format.js";
import { icon } from "../shared/icons.js";

const EAGER = 6;

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
  const like = h("button", { class: "card-like", type: "button", "aria-label": t.results.likeOf(title), on: { click: () => context.onLike(result) } }, icon("search", 16), t.results.like);
  return h("li", { class: "card", "data-id": result.id }, link, facts(result, context), like);
}

function facts(result, { t, language, currency }) {
  const cost = price(result.attributes, { language, currency });
  const percent = percentAlike(result.score);
  const bar = h("span", { class: "likeness-bar", vars: { "--alike": `${percent}%` }, "aria-hidden": "true" });
  return h("div", { class: "card-facts" }, cost && h("span", { class: "price" }, cost), h("span", { class: "likeness" }, bar, t.results.alike(percent)));
}

/** A product's picture in its frame; in its place, words, where it has none or it does not load. */
export function picture(result, position, { t, gateway }, width = 240) {
  const url = safeUrl(result.image_url, gateway);
  const frame = h("span", { class: "frame" });
  if (!url) return fill(frame, missing(t.results.noImage, "hanger"));
  const image = h("img", { ...pictureSources(url, gateway, width), alt: "", width: 240, height: 320, decoding: "async", loading: position < EAGER ? "eager" : "lazy" });
  image.addEventListener("error", () => fill(frame, missing(t.results.imageGone, "gone")), { once: true });
  return fill(frame, image);
}

const missing = (text, name) => h("span", { class: "missing" }, icon(name, 28), h("span", {}, text));

/** @param {number} count */
export function skeleton(count) {
  return Array.from({ length: count }, () => h("li", { class: "card ghost", "aria-hidden": "true" }, h("span", { class: "frame" }), h("span", { class: "ghost-line" }), h("span", { class: "ghost-line short" })));
}
