/** A few products, each with its nearest neighbours: the quickest way to see whether a catalogue is in order. */

import { Failure } from "../shared/api.js";
import { fill, h, safeUrl } from "../shared/dom.js";
import { productImage } from "../shared/image.js";
import { texts } from "./texts.js";

/** @import { CatalogueContext, Product, Result } from "../types.js" */

const PRODUCTS = 6;
const NEIGHBOURS = 8;
const IMAGE_WIDTH = 120;
/** A position at which images load only when they come near the visible part of the page. */
const LAZY = 99;

export class SamplePanel {
  #context;
  #rows = h("div", { class: "rows" });

  /** @param {CatalogueContext} context */
  constructor(context) {
    this.#context = context;
    const button = h("button", { class: "button", type: "button", on: { click: () => this.load() } }, texts.sampleNew);
    const title = h("div", {}, h("h2", {}, texts.sample), h("p", { class: "muted" }, texts.sampleNote));
    this.element = h("section", { class: "panel" }, h("div", { class: "sample-head" }, title, button), this.#rows);
  }

  async load() {
    const { t, api } = this.#context;
    this.element.setAttribute("aria-busy", "true");
    try {
      const products = await api.sample(PRODUCTS);
      const rows = await Promise.all(products.map((product) => this.#row(product)));
      fill(this.#rows, products.length > 0 ? rows : h("p", { class: "muted" }, texts.sampleEmpty));
    } catch (error) {
      const detail = error instanceof Failure ? error.detail : "";
      fill(this.#rows, h("p", { class: "muted", role: "alert" }, detail || t.failures.other.text));
    }
    this.element.setAttribute("aria-busy", "false");
  }

  /** @param {Product} product */
  async #row(product) {
    const { api } = this.#context;
    const results = await api.similar(product.id, { k: NEIGHBOURS }).then(
      (response) => response.results,
      () => [],
    );
    const items = results.map((result) => h("li", {}, this.product(result, result.score.toFixed(3))));
    const neighbours =
      items.length > 0 ? h("ul", { class: "neighbours" }, items) : h("p", { class: "muted" }, texts.neighboursNone);
    return h("div", { class: "row-of-products" }, this.product(product, product.category), neighbours);
  }

  /** Return a product with its picture. @param {Product|Result} product @param {string} note stands below the title */
  product(product, note) {
    const title = product.title || product.id;
    const href = safeUrl(product.url);
    const name = h("span", { class: "name" }, href ? h("a", { href }, title) : title);
    const image = productImage(product, LAZY, this.#context, IMAGE_WIDTH);
    return h("div", { class: "product" }, image, h("span", {}, name, h("span", { class: "score" }, note)));
  }
}
