/** What is being looked for: the photo with its frame, the picture at an address, or the product. */

import { h, safeUrl } from "../shared/dom.js";
import { toCanvas, WHOLE } from "../shared/photo.js";
import { picture } from "../shared/picture.js";
import { CropBox } from "./crop.js";

const PRESETS = {
  whole: WHOLE,
  upper: { x: 0, y: 0, width: 1, height: 0.55 },
  lower: { x: 0, y: 0.45, width: 1, height: 0.55 },
  middle: { x: 0.2, y: 0.15, width: 0.6, height: 0.7 },
};
const same = (a, b) => ["x", "y", "width", "height"].every((side) => Math.abs(a[side] - b[side]) < 0.005);

/** The photo with its crop frame, presets and proposed garments. */
export class PhotoPanel {
  /** @param {import("../shared/photo.js").Photo} photo @param {any} t @param {(box: import("../shared/photo.js").Box) => void} onCrop */
  constructor(photo, t, onCrop) {
    this.t = t;
    this.onCrop = onCrop;
    this.crop = new CropBox(t, (box) => this.#changed(box));
    const canvas = toCanvas(photo);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", t.query.photo);
    this.garments = h("div", { class: "garments", hidden: true, role: "group", "aria-label": t.crop.garments });
    this.stage = h("div", { class: "stage" }, canvas, this.garments, this.crop.element);
    this.presets = Object.entries(PRESETS).map(([name, box]) =>
      h("button", { class: "chip small", type: "button", on: { click: () => this.choose(box) } }, t.crop[name]),
    );
    const notes = photo.note && h("p", { class: "muted note" }, t.query[photo.note]);
    this.element = h(
      "div",
      { class: "photo-panel" },
      h("div", { class: "stage-holder" }, this.stage),
      notes,
      h("p", { class: "muted hint" }, t.crop.hint),
      h("div", { class: "chips presets", role: "group", "aria-label": t.crop.presets }, this.presets),
    );
    this.#mark();
  }

  /** Move the frame without searching. @param {import("../shared/photo.js").Box} box */
  set(box) {
    this.crop.set(box);
    this.#mark();
  }

  /** Move the frame and search. @param {import("../shared/photo.js").Box} box */
  choose(box) {
    this.crop.set(box);
    this.#changed(box);
  }

  /** @param {{box: import("../shared/photo.js").Box, category?: {name: string, probability?: number}}[]} found */
  propose(found) {
    const boxes = found.filter(({ box }) => box && [box.x, box.y, box.width, box.height].every(Number.isFinite));
    this.garments.replaceChildren(...boxes.map((garment) => this.#garment(garment)));
    this.garments.hidden = boxes.length === 0;
  }

  #garment({ box, category }) {
    const name = category?.name ?? "";
    const sure = Number.isFinite(category?.probability) ? Math.round(category.probability * 100) : null;
    const percent = (value) => `${(value * 100).toFixed(2)}%`;
    const vars = {
      "--x": percent(box.x),
      "--y": percent(box.y),
      "--w": percent(box.width),
      "--h": percent(box.height),
    };
    return h(
      "button",
      {
        class: "garment",
        type: "button",
        vars,
        "aria-label": this.t.crop.garment(name, sure),
        on: { click: () => this.choose(box) },
      },
      h("span", { "aria-hidden": "true" }, name),
    );
  }

  #changed(box) {
    this.#mark();
    this.onCrop(box);
  }

  #mark() {
    const box = this.crop.box;
    this.stage.classList.toggle("whole", same(box, WHOLE));
    for (const [position, preset] of Object.values(PRESETS).entries()) {
      this.presets[position].setAttribute("aria-pressed", String(same(box, preset)));
    }
  }
}

/** @param {string} url @param {any} t */
export function urlPanel(url, t) {
  const image = h("img", {
    src: safeUrl(url),
    alt: t.query.url,
    class: "query-picture",
    referrerpolicy: "no-referrer",
  });
  image.addEventListener("error", () => image.replaceWith(h("p", { class: "muted query-gone" }, t.query.gone)), {
    once: true,
  });
  return h("div", { class: "url-panel" }, image, h("p", { class: "muted address" }, url));
}

/** @param {any} product @param {{t: any, gateway: string}} context */
export function productPanel(product, context) {
  const href = safeUrl(product.url);
  const title = product.title || product.id;
  return h(
    "div",
    { class: "product-panel" },
    picture(product, 0, context, 360),
    h("p", { class: "product-title" }, href ? h("a", { href }, title) : title),
  );
}
