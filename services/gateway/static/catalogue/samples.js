/** A few products with what is found beside each: the quickest way to see whether a catalogue is in order. */

import { fill, h, safeUrl } from "../shared/dom.js";
import { picture } from "../shared/picture.js";

const PRODUCTS = 6;
const NEIGHBOURS = 8;

export class SamplePanel {
  /** @param {{t: any, language: string, gateway: string, currency: string|null, api: import("../shared/api.js").Api}} context */
  constructor(context) {
    const { t } = context;
    this.context = context;
    this.rows = h("div", { class: "rows" });
    const again = h(
      "button",
      { class: "button", type: "button", on: { click: () => this.load() } },
      t.catalogue.sampleNew,
    );
    const head = h(
      "div",
      { class: "sample-head" },
      h("div", {}, h("h2", {}, t.catalogue.sample), h("p", { class: "muted" }, t.catalogue.sampleNote)),
      again,
    );
    this.element = h("section", { class: "panel" }, head, this.rows);
  }

  async load() {
    const { t, api } = this.context;
    this.element.setAttribute("aria-busy", "true");
    try {
      const { products } = await api.call(`/v1/products?sample=${PRODUCTS}`);
      const rows = await Promise.all(products.map((product) => this.#row(product)));
      fill(this.rows, products.length > 0 ? rows : h("p", { class: "muted" }, t.catalogue.sampleEmpty));
    } catch (failure) {
      fill(this.rows, h("p", { class: "muted", role: "alert" }, failure.detail || t.failures.other.text));
    }
    this.element.setAttribute("aria-busy", "false");
  }

  async #row(product) {
    const { t, api } = this.context;
    const { results } = await api.similar(product.id, { k: NEIGHBOURS }).catch(() => ({ results: [] }));
    const list =
      results.length > 0
        ? h(
            "ul",
            { class: "neighbours" },
            results.map((result) => h("li", {}, this.#product(result))),
          )
        : h("p", { class: "muted" }, t.catalogue.neighboursNone);
    return h("div", { class: "row-of-products" }, this.#product(product), list);
  }

  #product(product) {
    const title = product.title || product.id;
    const href = safeUrl(product.url);
    const words = h("span", { class: "name" }, href ? h("a", { href }, title) : title);
    const score =
      product.score === undefined
        ? h("span", { class: "score" }, product.category)
        : h("span", { class: "score" }, product.score.toFixed(3));
    return h("div", { class: "product" }, picture(product, 99, this.context, 120), h("span", {}, words, score));
  }
}
