/** The left-hand side: what is looked for, share, and the filters. */

import { fill, h } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { filterPanel, replacePanel } from "./filters.js";
import { PhotoPanel, productPanel, urlPanel } from "./query.js";

export class SidePanel {
  /** @param {any} context words, gateway, language, and what to call: onCrop, onShare, onAnother, onFilter */
  constructor(context) {
    const { t } = context;
    this.context = context;
    this.subject = null;
    this.photo = null;
    this.holder = h("div", { class: "query-holder" });
    this.said = h("p", { class: "muted share-said", role: "status" });
    const another = h(
      "button",
      { class: "button", type: "button", on: { click: context.onAnother } },
      icon("again"),
      t.query.another,
    );
    this.share = h(
      "button",
      { class: "button", type: "button", on: { click: () => this.#share() } },
      icon("share"),
      t.query.share,
    );
    this.panel = h("div", { class: "filters-holder" });
    this.filters = h(
      "details",
      { class: "filters", hidden: true, open: matchMedia("(min-width: 60rem)").matches },
      h("summary", {}, icon("filter"), h("h2", {}, t.filters.heading)),
      this.panel,
    );
    this.query = h(
      "div",
      { class: "query" },
      h("h2", { class: "visually-hidden" }, t.query.heading),
      this.holder,
      h("div", { class: "row actions" }, another, this.share),
      this.said,
    );
    this.element = h("aside", { class: "side", "aria-label": t.query.heading }, this.query, this.filters);
  }

  clear() {
    this.subject = null;
    this.photo = null;
    this.said.textContent = "";
    this.share.hidden = true;
    this.filters.hidden = true;
    fill(this.holder);
  }

  /** @param {any} subject */
  show(subject) {
    this.share.hidden = false;
    if (this.subject === subject && subject.photo) return this.photo.set(subject.box);
    this.said.textContent = "";
    this.subject = subject;
    this.photo = subject.photo ? new PhotoPanel(subject.photo, this.context.t, this.context.onCrop) : null;
    fill(this.holder, this.photo?.element ?? this.#other(subject));
    return undefined;
  }

  #other({ query, product }) {
    if (query.kind === "url") return urlPanel(query.url, this.context.t);
    return product ? productPanel(product, this.context) : h("p", { class: "product-title" }, query.id);
  }

  propose(garments) {
    this.photo?.propose(garments);
  }

  /** @param {any[]} facets @param {Record<string, any>} filter */
  showFilters(facets, filter) {
    const panel = filterPanel(facets, filter, { ...this.context, onChange: this.context.onFilter });
    this.filters.hidden = panel === null;
    replacePanel(this.panel, panel);
  }

  async #share() {
    const { t } = this.context;
    const { url, photo } = await this.context.onShare();
    const done = photo ? t.query.sharedPhoto : t.query.shared;
    try {
      await navigator.clipboard.writeText(url);
      this.said.textContent = done;
    } catch {
      const field = h("input", { type: "text", readonly: true, value: url, "aria-label": t.query.shareManual });
      fill(this.said, t.query.shareManual, field);
      field.select();
    }
  }
}
