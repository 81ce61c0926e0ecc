/** `<lookalike-look src="…">`: an editorial picture whose garments are hot spots that lead to similar products. */

import { boxVariables } from "../shared/box.js";
import { fill, h, safeUrl } from "../shared/dom.js";
import { choices } from "../shared/garments.js";
import { openPhoto, toUpload } from "../shared/photo.js";
import { capital, categoryName, phrase } from "../shared/strings.js";
import { WidgetElement } from "./element.js";
import { Panel } from "./panel.js";

/** @import { Garment, Strings } from "../types.js" */

const MAX_SPOTS = 6;

export class LookalikeLook extends WidgetElement {
  /** @override */
  static observedAttributes = [...WidgetElement.observedAttributes, "src"];

  /** @type {Panel|null} */
  #panel = null;
  /** @type {{src: string, file: Blob, garments: Garment[]}|null} */
  #look = null;
  #spots = h("ul", { class: "spots", role: "list" });

  /** @override @param {Strings} t */
  draw(t) {
    if (this.#panel) this.#panel.translate(t);
    else this.#panel = new Panel(this, t, () => this.#panel?.clear(), "h2");
    const src = safeUrl(this.getAttribute("src"));
    if (!src) return fill(this.root);
    const label = this.getAttribute("heading") || t.widget.look;
    const image = h("img", { src, alt: this.getAttribute("alt") ?? "", part: "image" });
    const picture = h("div", { class: "look" }, image, this.#spots);
    fill(this.root, h("section", { ...this.frame, "aria-label": label }, picture, this.#panel.element));
    if (this.#look?.src === src) return this.#drawSpots(t, this.#look.garments);
    this.#find(src);
    return this.root;
  }

  /** Find the garments of the picture. Without any, the picture stands as it is. @param {string} src */
  async #find(src) {
    try {
      const response = await fetch(src, { credentials: "omit" });
      const file = await response.blob();
      const { garments } = await this.api.detect(await toUpload(await openPhoto(file)));
      const found = choices(garments).slice(0, MAX_SPOTS);
      if (safeUrl(this.getAttribute("src")) !== src) return;
      this.#look = { src, file, garments: found };
      if (this.t) this.#drawSpots(this.t, found);
    } catch (error) {
      console.error(
        `lookalike: the garments of ${src} cannot be found (${error}). A picture of another origin has to allow this page ` +
          "by CORS, and so has the gateway.",
      );
    }
  }

  /** @param {Strings} t @param {Garment[]} garments */
  #drawSpots(t, garments) {
    const items = garments.map((garment) => {
      const category = categoryName(t, garment.category.name);
      const label = phrase(t, t.widget.find, { category });
      const props = {
        class: "spot",
        part: "spot",
        type: "button",
        "aria-label": capital(label, t.language),
        title: label,
      };
      const click = () => this.#search(garment);
      return h("li", { vars: boxVariables(garment.box) }, h("button", { ...props, on: { click } }));
    });
    return fill(this.#spots, items);
  }

  /** @param {Garment} garment */
  #search({ box, category }) {
    if (this.#look) this.#panel?.searchPhoto(this.#look.file, { box, prior: category.name });
  }
}
