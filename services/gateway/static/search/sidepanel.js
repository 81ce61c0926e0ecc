/** The left-hand side: what the visitor searches with, sharing, and the filters. */

import { fill, h } from "../shared/dom.js";
import { filterPanel, replacePanel } from "../shared/filters.js";
import { icon } from "../shared/icons.js";
import { PhotoPanel, productPanel, urlPanel } from "./querypanel.js";
import { FilterSheet } from "./sheet.js";

/** @import { Box, Context, Facet, Filter, Garment, Subject } from "../types.js" */
/**
 * @typedef {Context & {
 *   onCrop: (box: Box, category?: string|null) => void,
 *   onShare: () => {url: string, hasPhoto: boolean},
 *   onNewSearch: () => void,
 *   onFilter: (filter: Filter) => void,
 * }} SideContext
 */

export class SidePanel {
  #context;
  /** @type {Subject|null} */
  #subject = null;
  /** @type {PhotoPanel|null} */
  #photo = null;
  #holder = h("div", { class: "query-holder" });
  #shareStatus = h("p", { class: "muted share-status", role: "status" });
  #filterHolder = h("div", { class: "filters-holder" });
  #share;
  #filters;
  #sheet;

  /** @param {SideContext} context */
  constructor(context) {
    const { t } = context;
    this.#context = context;
    const newSearch = h(
      "button",
      { class: "button", type: "button", on: { click: context.onNewSearch } },
      icon("restart"),
      t.query.newSearch,
    );
    this.#share = h(
      "button",
      { class: "button", type: "button", on: { click: () => this.#copyLink() } },
      icon("share"),
      t.query.share,
    );
    this.#filters = h(
      "details",
      { class: "filters", hidden: true, open: matchMedia("(min-width: 60rem)").matches },
      h("summary", {}, icon("filter"), h("h2", {}, t.filters.heading)),
      this.#filterHolder,
    );
    this.#sheet = new FilterSheet(t, this.#filterHolder, this.#filters);
    const query = h(
      "div",
      { class: "query" },
      h("h2", { class: "visually-hidden" }, t.query.heading),
      this.#holder,
      h("div", { class: "row actions" }, newSearch, this.#share),
      this.#shareStatus,
    );
    this.element = h("aside", { class: "side", "aria-label": t.query.heading }, query, this.#filters);
  }

  clear() {
    this.#subject = null;
    this.#photo = null;
    this.#shareStatus.textContent = "";
    this.#share.hidden = true;
    this.#filters.hidden = true;
    fill(this.#holder);
  }

  /** @param {Subject} subject */
  show(subject) {
    this.#share.hidden = false;
    if (this.#subject === subject && subject.photo) {
      this.#photo?.set(subject.box);
      return;
    }
    this.#shareStatus.textContent = "";
    this.#subject = subject;
    this.#photo = subject.photo ? new PhotoPanel(subject.photo, this.#context.t, this.#context.onCrop) : null;
    fill(this.#holder, this.#photo?.element ?? this.#panel(subject));
  }

  /** @param {Subject} subject without a photo */
  #panel({ query, label, product }) {
    if (query.kind === "url") return urlPanel(query.url, this.#context.t);
    return product ? productPanel(product, this.#context) : h("p", { class: "product-title" }, label);
  }

  /** The frame, another object each time that it is moved; null without a photo. */
  get frame() {
    return this.#photo?.box ?? null;
  }

  /** Show which part of the photo is searched with. @param {Box} box */
  showCrop(box) {
    this.#photo?.set(box);
  }

  /** @param {Garment[]} garments */
  propose(garments) {
    this.#photo?.propose(garments);
  }

  /** @param {Facet[]} facets @param {Filter} filter @param {number|null} total number of products that they leave */
  showFilters(facets, filter, total) {
    const panel = filterPanel(facets, filter, { ...this.#context, onChange: this.#context.onFilter });
    this.#filters.hidden = panel === null;
    replacePanel(this.#filterHolder, panel);
    this.#sheet.showTotal(total);
    return panel !== null;
  }

  /** Open the filters over the page, as a phone shows them. */
  openFilters() {
    this.#sheet.open();
  }

  async #copyLink() {
    const { t } = this.#context;
    const { url, hasPhoto } = this.#context.onShare();
    try {
      await navigator.clipboard.writeText(url);
      this.#shareStatus.textContent = hasPhoto ? t.query.sharedPhoto : t.query.shared;
    } catch {
      const field = h("input", { type: "text", readonly: true, value: url, "aria-label": t.query.shareManual });
      fill(this.#shareStatus, t.query.shareManual, field);
      field.select();
    }
  }
}
