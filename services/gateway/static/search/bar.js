/** The bar at the top of a phone's screen: the photo or product, the filters, and a new search. */

import { fill, h } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { phrase } from "../shared/strings.js";

/** @import { Strings } from "../types.js" */
/**
 * @typedef {{t: Strings, onAdjust: (isOpen: boolean) => void, onFilters: () => void, onNewSearch: () => void}} Handlers
 */

export class Bar {
  #handlers;
  #photo;
  #filters;
  #isOpen = false;

  /** @param {Handlers} handlers */
  constructor(handlers) {
    const { t, onFilters, onNewSearch } = handlers;
    this.#handlers = handlers;
    this.#photo = h("button", { class: "bar-photo", type: "button", on: { click: () => this.#toggle(!this.#isOpen) } });
    this.#filters = h("button", {
      class: "button bar-filters",
      type: "button",
      hidden: true,
      on: { click: onFilters },
    });
    const restart = { class: "icon-button", type: "button", "aria-label": t.query.newSearch };
    const newSearch = h("button", { ...restart, on: { click: onNewSearch } }, icon("restart"));
    this.element = h("div", { class: "bar" }, this.#photo, this.#filters, newSearch);
    this.clear();
  }

  clear() {
    this.element.hidden = true;
    this.#toggle(false);
  }

  /** @param {string|null} thumbnail address of a small picture of the photo or product */
  show(thumbnail) {
    this.element.hidden = false;
    const picture = thumbnail && h("img", { src: thumbnail, alt: "", width: 44, height: 44 });
    fill(this.#photo, picture || icon("photo"), h("span", {}, this.#handlers.t.query.adjust));
  }

  /** @param {boolean} isOffered whether there is something to filter by @param {number} count of filters that are set */
  showFilters(isOffered, count) {
    const { t } = this.#handlers;
    this.#filters.hidden = !isOffered;
    const set = count > 0 && h("span", { class: "bar-count" }, phrase(t, "{count}", { count }));
    fill(this.#filters, icon("filter", 18), t.filters.heading, set);
  }

  /** @param {boolean} isOpen */
  #toggle(isOpen) {
    this.#isOpen = isOpen;
    this.#photo.setAttribute("aria-expanded", String(isOpen));
    this.#handlers.onAdjust(isOpen);
  }
}
