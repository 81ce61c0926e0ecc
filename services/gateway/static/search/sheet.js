/** The filters as a sheet at the bottom of a phone's screen. */

import { fill, h } from "../shared/dom.js";
import { phrase } from "../shared/strings.js";

/** @import { Strings } from "../types.js" */

export class FilterSheet {
  #t;
  #holder;
  #home;
  #show;
  #body = h("div", { class: "sheet-body" });
  #dialog;

  /** @param {Strings} t @param {HTMLElement} holder of the filters @param {HTMLElement} home where it is otherwise */
  constructor(t, holder, home) {
    this.#t = t;
    this.#holder = holder;
    this.#home = home;
    this.#show = h("button", { class: "button primary", type: "button", on: { click: () => this.#dialog.close() } });
    this.#dialog = h(
      "dialog",
      { class: "sheet", "aria-labelledby": "sheet-title" },
      h("h2", { id: "sheet-title" }, t.filters.heading),
      this.#body,
      h("div", { class: "sheet-foot" }, this.#show),
    );
    this.#dialog.addEventListener("close", () => this.#home.append(this.#holder));
    // A tap outside the sheet closes it.
    this.#dialog.addEventListener("click", (event) => event.target === this.#dialog && this.#dialog.close());
    this.showTotal(null);
  }

  open() {
    if (!this.#dialog.isConnected) document.body.append(this.#dialog);
    fill(this.#body, this.#holder);
    this.#dialog.showModal();
  }

  /** @param {number|null} total number of products that the filters leave; null if it is not known */
  showTotal(total) {
    const { filters, results } = this.#t;
    this.#show.textContent = total === null ? results.region : phrase(this.#t, filters.show, { count: total });
  }
}
