/** The row below the results: the best product of each other category that goes with the garments of the search. */

import { piecesOf, whenNear } from "../shared/completion.js";
import { fill, h } from "../shared/dom.js";
import { capital, categoryName } from "../shared/strings.js";
import { card } from "./grid.js";

/** @import { Look } from "../types.js" */
/** @import { Piece } from "../shared/completion.js" */
/** @import { Reporter } from "../shared/events.js" */
/**
 * @typedef {import("./grid.js").CardContext & {
 *   loadLook: (() => Promise<Look|null>)|null,
 *   reporter: Reporter|null,
 * }} CompletionContext
 */

export class Completion {
  #context;
  /** The number of the current results: a look of earlier ones is not shown. */
  #number = 0;
  #stop = () => {};
  element = h("div", { class: "completion-holder" });

  /** @param {CompletionContext} context `loadLook`: null if the page shows no looks */
  constructor(context) {
    this.#context = context;
  }

  clear() {
    this.#number += 1;
    this.#stop();
    fill(this.element);
  }

  /** Load the look and show it as soon as the shopper comes near it. @param {string} category of the results */
  offer(category) {
    this.clear();
    const { loadLook } = this.#context;
    if (loadLook) this.#stop = whenNear(this.element, () => this.#show(loadLook, category));
  }

  /** @param {() => Promise<Look|null>} loadLook @param {string} category */
  async #show(loadLook, category) {
    const number = this.#number;
    // The results stand without it: a look that fails is not shown.
    const look = await loadLook().catch(() => null);
    const pieces = look ? piecesOf(look, category) : [];
    if (number !== this.#number || pieces.length === 0) return;
    const heading = h("h2", { id: "completion-title" }, this.#context.t.results.complete);
    const cards = pieces.map((piece, position) => this.#card(piece, position));
    const ids = pieces.map(({ product }) => product.id);
    this.#context.reporter?.watchMore(cards, look?.request_id ?? null, ids);
    const list = h("ul", { class: "completion-list", role: "list" }, cards);
    fill(this.element, h("section", { class: "completion", "aria-labelledby": "completion-title" }, heading, list));
  }

  /** @param {Piece} piece @param {number} position */
  #card({ category, product }, position) {
    const { t } = this.#context;
    const tile = { result: product, variants: [], offers: [] };
    const item = card(tile, position, { badge: null, why: [] }, this.#context);
    item.prepend(h("p", { class: "muted card-kind" }, capital(categoryName(t, category), t.language)));
    return item;
  }
}
