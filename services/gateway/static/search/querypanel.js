/** What the visitor searches with: the photo with its frame, the picture at an address, or the product. */

import { boxVariables } from "../shared/box.js";
import { CropBox } from "../shared/crop.js";
import { h, safeUrl } from "../shared/dom.js";
import { productImage } from "../shared/image.js";
import { toCanvas, WHOLE } from "../shared/photo.js";

/** @import { Box, Context, Garment, Photo, Product, Strings } from "../types.js" */

/** @type {["upper"|"lower"|"middle", Box][]} */
const PRESETS = [
  ["upper", { x: 0, y: 0, width: 1, height: 0.55 }],
  ["lower", { x: 0, y: 0.45, width: 1, height: 0.55 }],
  ["middle", { x: 0.2, y: 0.15, width: 0.6, height: 0.7 }],
];
const TOLERANCE = 0.005;

/** @param {Box} a @param {Box} b */
const isSame = (a, b) =>
  Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y), Math.abs(a.width - b.width), Math.abs(a.height - b.height)) <
  TOLERANCE;

/** The photo with its frame and the outlines of its garments; presets where no garment is found. */
export class PhotoPanel {
  #onCrop;
  #crop;
  #stage;
  #outlines;
  #presets;
  /** @type {[Box, HTMLButtonElement][]} */
  #buttons;

  /** @param {Photo} photo @param {Strings} t @param {(box: Box, category?: string|null) => void} onCrop */
  constructor(photo, t, onCrop) {
    this.#onCrop = onCrop;
    this.#crop = new CropBox(t, (box) => this.#changed(box));
    const canvas = toCanvas(photo);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", t.query.photo);
    // The chips next to the results are the same choice for the keyboard and for screen readers.
    this.#outlines = h("div", { class: "garments", "aria-hidden": "true" });
    this.#stage = h("div", { class: "stage" }, canvas, this.#outlines, this.#crop.element);
    this.#buttons = PRESETS.map(([name, box]) => [box, this.#preset(t.crop[name], box)]);
    this.#presets = h(
      "div",
      { class: "chips presets", role: "group", "aria-label": t.crop.presets, hidden: true },
      this.#buttons.map(([, button]) => button),
    );
    this.element = h(
      "div",
      { class: "photo-panel" },
      h("div", { class: "stage-holder" }, this.#stage),
      photo.note && h("p", { class: "muted note" }, t.query[photo.note]),
      h("p", { class: "muted hint" }, t.crop.hint),
      this.#presets,
    );
    this.#mark();
  }

  /** The frame: another object each time that it is moved. */
  get box() {
    return this.#crop.box;
  }

  /** Move the frame without a search. @param {Box} box */
  set(box) {
    this.#crop.set(box);
    this.#mark();
  }

  /** Outline the garments of the photo. @param {Garment[]} garments none: the presets are shown */
  propose(garments) {
    this.#outlines.replaceChildren(...garments.map((garment) => this.#outline(garment)));
    this.#presets.hidden = garments.length > 0;
  }

  /** @param {string} text @param {Box} box */
  #preset(text, box) {
    return h("button", { class: "chip small", type: "button", on: { click: () => this.#choose(box) } }, text);
  }

  /** Move the frame and search. @param {Box} box @param {string|null} [category] */
  #choose(box, category = null) {
    this.#crop.set(box);
    this.#changed(box, category);
  }

  /** @param {Garment} garment */
  #outline({ box, category }) {
    const click = () => this.#choose(box, category.name);
    return h("button", { class: "garment", type: "button", tabindex: "-1", vars: boxVariables(box), on: { click } });
  }

  /** @param {Box} box @param {string|null} [category] of the garment in the box */
  #changed(box, category = null) {
    this.#mark();
    this.#onCrop(box, category);
  }

  #mark() {
    const { box } = this.#crop;
    this.#stage.classList.toggle("whole", isSame(box, WHOLE));
    for (const [preset, button] of this.#buttons) button.setAttribute("aria-pressed", String(isSame(box, preset)));
  }
}

/** @param {string} url @param {Strings} t */
export function urlPanel(url, t) {
  const image = h("img", {
    src: safeUrl(url),
    alt: t.query.url,
    class: "query-picture",
    referrerpolicy: "no-referrer",
  });
  const missing = h("p", { class: "muted query-missing" }, t.query.missing);
  image.addEventListener("error", () => image.replaceWith(missing), { once: true });
  return h("div", { class: "url-panel" }, image, h("p", { class: "muted address" }, url));
}

/** @param {Product} product @param {Context} context */
export function productPanel(product, context) {
  const href = safeUrl(product.url);
  const title = product.title || product.id;
  const name = h("p", { class: "product-title" }, href ? h("a", { href }, title) : title);
  return h("div", { class: "product-panel" }, productImage(product, 0, context, 360), name);
}
