/** What the visitor searches with: the photo with its frame, the picture at an address, or the product. */

import { h, safeUrl } from "../shared/dom.js";
import { productImage } from "../shared/image.js";
import { toCanvas, WHOLE } from "../shared/photo.js";
import { boxVariables, CropBox } from "./crop.js";

/** @import { Box, Context, Garment, Photo, Product, Strings } from "../types.js" */

/** @type {["whole"|"upper"|"lower"|"middle", Box][]} */
const PRESETS = [
  ["whole", WHOLE],
  ["upper", { x: 0, y: 0, width: 1, height: 0.55 }],
  ["lower", { x: 0, y: 0.45, width: 1, height: 0.55 }],
  ["middle", { x: 0.2, y: 0.15, width: 0.6, height: 0.7 }],
];
const TOLERANCE = 0.005;

/** @param {Box} a @param {Box} b */
const isSame = (a, b) =>
  Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y), Math.abs(a.width - b.width), Math.abs(a.height - b.height)) <
  TOLERANCE;

/** The photo with its crop frame, presets and proposed garments. */
export class PhotoPanel {
  #t;
  #onCrop;
  #crop;
  #stage;
  #garments;
  #hint;
  /** @type {[Box, HTMLButtonElement][]} */
  #presets;

  /** @param {Photo} photo @param {Strings} t @param {(box: Box) => void} onCrop */
  constructor(photo, t, onCrop) {
    this.#t = t;
    this.#onCrop = onCrop;
    this.#crop = new CropBox(t, (box) => this.#changed(box));
    const canvas = toCanvas(photo);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", t.query.photo);
    this.#garments = h("div", { class: "garments", hidden: true, role: "group", "aria-label": t.crop.garments });
    this.#stage = h("div", { class: "stage" }, canvas, this.#garments, this.#crop.element);
    this.#hint = h("p", { class: "muted hint", role: "status" }, t.crop.hint);
    this.#presets = PRESETS.map(([name, box]) => [box, this.#preset(t.crop[name], box)]);
    this.element = h(
      "div",
      { class: "photo-panel" },
      h("div", { class: "stage-holder" }, this.#stage),
      photo.note && h("p", { class: "muted note" }, t.query[photo.note]),
      this.#hint,
      h(
        "div",
        { class: "chips presets", role: "group", "aria-label": t.crop.presets },
        this.#presets.map(([, button]) => button),
      ),
    );
    this.#mark();
  }

  /** Move the frame without a search. @param {Box} box */
  set(box) {
    this.#crop.set(box);
    this.#mark();
  }

  /**
   * Move the frame to the part that was searched with, without a search.
   * @param {Garment|null} garment that the search has found by itself @param {Box} box the part that was sent
   */
  showCrop(garment, box) {
    this.set(garment?.box ?? box);
    this.#hint.textContent = garment ? this.#t.crop.found(garment.category.name) : this.#t.crop.hint;
  }

  /** Show garments to choose from. @param {Garment[]} garments */
  propose(garments) {
    const valid = garments.filter(({ box }) => Object.values(box ?? { x: Number.NaN }).every(Number.isFinite));
    this.#garments.replaceChildren(...valid.map((garment) => this.#garment(garment)));
    this.#garments.hidden = valid.length === 0;
  }

  /** Move the frame and search. @param {Box} box */
  #choose(box) {
    this.#crop.set(box);
    this.#changed(box);
  }

  /** @param {string} text @param {Box} box */
  #preset(text, box) {
    return h("button", { class: "chip small", type: "button", on: { click: () => this.#choose(box) } }, text);
  }

  /** @param {Garment} garment */
  #garment({ box, category }) {
    const label = this.#t.crop.garment(category.name, Math.round(category.probability * 100));
    return h(
      "button",
      {
        class: "garment",
        type: "button",
        vars: boxVariables(box),
        "aria-label": label,
        on: { click: () => this.#choose(box) },
      },
      h("span", { "aria-hidden": "true" }, category.name),
    );
  }

  /** @param {Box} box */
  #changed(box) {
    this.#mark();
    this.#hint.textContent = this.#t.crop.hint;
    this.#onCrop(box);
  }

  #mark() {
    const { box } = this.#crop;
    this.#stage.classList.toggle("whole", isSame(box, WHOLE));
    for (const [preset, button] of this.#presets) button.setAttribute("aria-pressed", String(isSame(box, preset)));
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
