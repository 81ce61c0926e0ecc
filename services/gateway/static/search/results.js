/** The results: garments, categories, tiles, and the notices in their place. */

import { fill, h } from "../shared/dom.js";
import { failureMessage, phrase, similarHeading } from "../shared/strings.js";
import { tilesOf } from "../shared/tiles.js";
import { queryTraits, sharedTraits } from "../shared/traits.js";
import { MAX_RESULTS, PAGE_SIZE } from "./address.js";
import { chips } from "./chips.js";
import { Completion } from "./completion.js";
import { badgeOf, card, skeletonCards } from "./grid.js";
import { failureNotice, nothingNotice, notice, refusalNotice, refusalOf } from "./notices.js";
import { keepRowsFull } from "./rows.js";

/** @import { AnySearchResponse, Attributes, Context, Look, Message, PageState, Product } from "../types.js" */
/**
 * @typedef {Context & {
 *   onLike: (product: Product) => void,
 *   onChange: (change: Partial<PageState>) => void,
 *   onRetry: () => void,
 *   onNewSearch: () => void,
 *   loadLook: (() => Promise<Look|null>)|null,
 *   announce: (text: string) => void,
 *   shop: import("../types.js").Shop,
 *   reporter: import("../shared/events.js").Reporter|null,
 * }} ResultsContext `loadLook`: null if the page shows no looks
 */

const SKELETON_CARDS = 12;

export class ResultsView {
  #context;
  #heading = h("h1", { class: "results-title", tabindex: "-1" });
  #count = h("p", { class: "muted results-count" });
  #head = h("div", { class: "results-head" }, this.#heading, this.#count);
  #garments = h("div", { class: "chips-holder" });
  #chips = h("div", { class: "chips-holder" });
  #notice = h("div", { class: "notice-holder" });
  #list = h("ul", { class: "grid", role: "list" });
  #more = h("div", { class: "more" });
  #completion;
  #fillRows = keepRowsFull(this.#list, () => this.#more.firstChild !== null);

  /** @param {ResultsContext} context */
  constructor(context) {
    this.#context = context;
    this.#completion = new Completion(context);
    this.element = h(
      "section",
      { class: "results", "aria-label": context.t.results.region },
      this.#head,
      this.#garments,
      this.#chips,
      this.#notice,
      this.#list,
      this.#more,
      this.#completion.element,
    );
  }

  focus() {
    this.#heading.focus({ preventScroll: true });
  }

  /** Show the garments to choose from. @param {HTMLElement|null} group */
  showGarments(group) {
    fill(this.#garments, group);
    if (group) showChosen(group);
  }

  /** Show that a search is in progress. @param {string} text */
  wait(text) {
    if (this.element.getAttribute("aria-busy") === "true") return;
    this.element.setAttribute("aria-busy", "true");
    this.#head.classList.remove("visually-hidden");
    this.#heading.textContent = text;
    this.#count.textContent = "";
    fill(this.#notice);
    fill(this.#more);
    this.#completion.clear();
    fill(this.#list, skeletonCards(SKELETON_CARDS));
    this.#fillRows();
    this.#context.announce(text);
  }

  /** @param {string} title @param {{isNotice?: boolean}} [options] `isNotice`: a notice with this title stands here */
  #finish(title, { isNotice = false } = {}) {
    this.element.setAttribute("aria-busy", "false");
    document.title = `${title} · ${this.#context.shop.name}`;
    this.#heading.textContent = isNotice ? this.#context.t.results.region : title;
    this.#head.classList.toggle("visually-hidden", isNotice);
    this.#count.textContent = "";
    fill(this.#more);
    this.#completion.clear();
  }

  /**
   * @param {AnySearchResponse} response @param {PageState} state
   * @param {Attributes|null} attributes of the product that is searched with; null for a photo
   */
  show(response, state, attributes) {
    const { t, announce } = this.#context;
    const { name } = response.category;
    const refusal = refusalOf(response.outcome, this.#context);
    if (refusal && !state.category) return this.#showRefusal(refusal, response, state);
    if (response.results.length === 0) return this.#showNothing(response, state);
    this.#finish(similarHeading(t, name));
    this.#showChips(response);
    fill(this.#notice, response.outcome === "no_close_match" && notice(t.notices.notClose, "search"));
    this.#showCards(response, state, attributes);
    this.#completion.offer(name);
    const values = { count: response.results.length, category: name };
    return announce(phrase(t, t.results.announced, { ...values, category: similarHeading(t, name) }));
  }

  /** @param {AnySearchResponse} response */
  #showChips({ probabilities = {}, category }) {
    const { t, onChange } = this.#context;
    const ranked = Object.keys(probabilities).sort((a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0));
    /** @param {string} name */
    const onChoose = (name) => onChange({ category: name === ranked[0] ? null : name, filter: {}, k: PAGE_SIZE });
    fill(this.#chips, ranked.length > 0 && chips(ranked, { chosen: category.name, t, onChoose }));
  }

  /** @param {AnySearchResponse} response @param {PageState} state @param {Attributes|null} attributes */
  #showCards(response, { k }, attributes) {
    const { results, total } = response;
    const { t, onChange } = this.#context;
    const traits = queryTraits(attributes, results);
    const tiles = tilesOf(results);
    const cards = tiles.map((tile, position) => {
      const badge = position === 0 ? badgeOf(tile.result, this.#context) : null;
      return card(tile, position, { badge, why: sharedTraits(tile.result, traits) }, this.#context);
    });
    fill(this.#list, cards);
    const ids = tiles.map(({ result }) => result.id);
    this.#context.reporter?.watch(cards, response.request_id, ids);
    const count = results.length;
    const text = total && total > count ? t.results.nearest : t.results.count;
    this.#count.textContent = phrase(t, text, { count, total: total ?? count });
    const next = Math.min(MAX_RESULTS, k + PAGE_SIZE);
    const more = h(
      "button",
      { class: "button", type: "button", on: { click: () => onChange({ k: next }) } },
      t.results.more,
    );
    fill(this.#more, response.next_page && k < MAX_RESULTS && more);
    this.#fillRows();
  }

  /** @param {Message} refusal @param {AnySearchResponse} response @param {PageState} state */
  #showRefusal(refusal, response, state) {
    const { t, announce, onNewSearch } = this.#context;
    const category = response.category.name;
    const showAnyway = () => {
      fill(this.#notice);
      this.#finish(similarHeading(t, category));
      this.#showChips(response);
      this.#showCards(response, state, null);
      this.focus();
    };
    this.#finish(refusal.title, { isNotice: true });
    fill(this.#chips);
    fill(this.#list);
    const onAnyway = response.results.length > 0 ? showAnyway : null;
    fill(this.#notice, refusalNotice(refusal, { t, onAnyway, onNewSearch }));
    announce(`${refusal.title}. ${refusal.text}`);
  }

  /** @param {AnySearchResponse} response @param {PageState} state */
  #showNothing(response, { filter, category }) {
    const { t, onChange, announce, onNewSearch } = this.#context;
    const isFiltered = Object.keys(filter).length > 0;
    const message = isFiltered ? t.notices.filtered : t.notices.nothing;
    this.#finish(message.title, { isNotice: true });
    fill(this.#list);
    fill(this.#chips);
    if (category) this.#showChips(response);
    const onClear = isFiltered ? () => onChange({ filter: {} }) : null;
    fill(this.#notice, nothingNotice(message, { t, onClear, onNewSearch }));
    announce(message.title);
  }

  /** @param {import("./notices.js").Failed} failure @param {{canRetry?: boolean}} [options] */
  fail(failure, { canRetry = true } = {}) {
    const { t, onRetry, onNewSearch } = this.#context;
    this.#finish(failureMessage(t, failure.code, failure.status).title, { isNotice: true });
    fill(this.#chips);
    fill(this.#garments);
    fill(this.#list);
    fill(this.#notice, failureNotice(failure, { t, onRetry: canRetry ? onRetry : null, onNewSearch }));
  }
}

/** Scroll a row of chips to the chosen one. The page stays where the shopper has scrolled to. @param {HTMLElement} group */
function showChosen(group) {
  const chosen = group.querySelector("[aria-pressed=true]")?.getBoundingClientRect();
  const row = group.getBoundingClientRect();
  if (chosen) group.scrollLeft += Math.min(0, chosen.left - row.left) || Math.max(0, chosen.right - row.right);
}
