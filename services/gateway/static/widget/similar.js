/** `<lookalike-similar product="…">`: similar products, under a product's page. */

import { fill, h } from "../shared/dom.js";
import { WidgetElement } from "./element.js";
import { Panel } from "./panel.js";

/** @import { Strings } from "../types.js" */

export class LookalikeSimilar extends WidgetElement {
  /** @override */
  static observedAttributes = [...WidgetElement.observedAttributes, "product"];

  /** @type {Panel|null} */
  #panel = null;
  /** The product whose neighbours are shown. @type {string|null} */
  #product = null;

  /** @override @param {Strings} t */
  draw(t) {
    if (this.#panel) this.#panel.translate(t);
    else this.#panel = new Panel(this, t, null);
    const heading = h("h2", { part: "heading" }, this.getAttribute("heading") || t.widget.similar);
    fill(
      this.root,
      h(
        "section",
        { ...this.frame, class: "root similar", "aria-label": t.widget.similar },
        heading,
        this.#panel.element,
      ),
    );
    const product = this.getAttribute("product");
    // A product without neighbours, or of another shop, leaves no gap in its page.
    this.hidden = !product;
    if (product && product !== this.#product) this.#panel.searchLike(product);
    this.#product = product;
  }
}
