/** The right-hand side: category chips, results, and the notices in their place. */

import { fill, h } from "../shared/dom.js";
import { MAX_RESULTS, PAGE_SIZE } from "./address.js";
import { chips } from "./chips.js";
import { card, skeletonCards } from "./grid.js";
import { failureNotice, nothingNotice, notice, refusalNotice, refusalOf } from "./notices.js";

/** @import { AnySearchResponse, Context, Message, PageState, Result } from "../types.js" */
/**
 * @typedef {Context & {
 *   onLike: (result: Result) => void,
 *   onChange: (change: Partial<PageState>) => void,
 *   onRetry: () => void,
 *   onNewSearch: () => void,
 *   announce: (text: string) => void,
 * }} ResultsContext
 */

const SKELETON_CARDS = 12;

export class ResultsView {
  #context;
  #heading = h("h1", { class: "results-title", tabindex: "-1" });
  #count = h("p", { class: "muted results-count" });
  #chips = h("div", { class: "chips-holder" });
  #notice = h("div", { class: "notice-holder" });
  #list = h("ul", { class: "grid", role: "list" });
  #more = h("div", { class: "more" });

  /** @param {ResultsContext} context */
  constructor(context) {
    this.#context = context;
    this.element = h(
      "section",
      { class: "results", "aria-label": context.t.results.region },
      h("div", { class: "results-head" }, this.#heading, this.#count),
      this.#chips,
      this.#notice,
      this.#list,
      this.#more,
    );
  }

  focus() {
    this.#heading.focus({ preventScroll: true });
  }

  /** Show that a search is in progress. @param {string} text */
  wait(text) {
    if (this.element.getAttribute("aria-busy") === "true") return;
    this.element.setAttribute("aria-busy", "true");
    this.#heading.textContent = text;
    this.#count.textContent = "";
    fill(this.#notice);
    fill(this.#more);
    fill(this.#list, skeletonCards(SKELETON_CARDS));
    this.#context.announce(text);
  }

  /** @param {string} title */
  #finish(title) {
    this.element.setAttribute("aria-busy", "false");
    document.title = `${title} · ${this.#context.t.brand}`;
    this.#heading.textContent = title;
    fill(this.#more);
  }

  /** @param {AnySearchResponse} response @param {PageState} state */
  show(response, state) {
    const { t, announce } = this.#context;
    const { name } = response.category;
    const count = response.results.length;
    this.#finish(t.results.heading(name));
    this.#showChips(response, state);
    const milliseconds = Math.max(1, Math.round(response.timings_ms.total ?? 0));
    this.#count.textContent = `${t.results.count(count, name)} · ${t.results.took(milliseconds)}`;
    const refusal = refusalOf(response.outcome, t);
    if (refusal && !state.category) return this.#showRefusal(refusal, response, state);
    if (count === 0) return this.#showNothing(name, state);
    fill(this.#notice, response.outcome === "no_close_match" && notice(t.notices.notClose, "search"));
    this.#showCards(response, state);
    return announce(t.results.announced(count, name));
  }

  /** @param {AnySearchResponse} response @param {PageState} state */
  #showChips({ probabilities = {}, category }, state) {
    const { t, onChange } = this.#context;
    const ranked = Object.entries(probabilities)
      .map(([name, probability]) => ({ name, probability }))
      .sort((a, b) => b.probability - a.probability);
    const predicted = ranked[0]?.name;
    /** @param {string} name */
    const onChoose = (name) => onChange({ category: name === predicted ? null : name, filter: {}, k: PAGE_SIZE });
    const options = { chosen: category.name, isOverridden: Boolean(state.category), t, onChoose };
    fill(this.#chips, ranked.length > 0 && chips(ranked, options));
  }

  /** @param {AnySearchResponse} response @param {PageState} state */
  #showCards({ results }, { k }) {
    const { t, onChange } = this.#context;
    fill(
      this.#list,
      results.map((result, position) => card(result, position, this.#context)),
    );
    const next = Math.min(MAX_RESULTS, k + PAGE_SIZE);
    const more = h(
      "button",
      { class: "button", type: "button", on: { click: () => onChange({ k: next }) } },
      t.results.more,
    );
    fill(this.#more, results.length >= k && k < MAX_RESULTS && more);
  }

  /** @param {Message} refusal @param {AnySearchResponse} response @param {PageState} state */
  #showRefusal(refusal, response, state) {
    const { t, announce } = this.#context;
    const category = response.category.name;
    this.#count.textContent = "";
    this.#heading.textContent = t.results.region;
    const showAnyway = () => {
      fill(this.#notice);
      this.#finish(t.results.heading(category));
      this.#showCards(response, state);
      this.focus();
    };
    fill(this.#list);
    const onAnyway = response.results.length > 0 ? showAnyway : null;
    fill(this.#notice, refusalNotice(refusal, { t, category, onAnyway }));
    announce(`${refusal.title}. ${refusal.text}`);
  }

  /** @param {string} category @param {PageState} state */
  #showNothing(category, { filter }) {
    const { t, onChange, announce } = this.#context;
    const isFiltered = Object.keys(filter).length > 0;
    fill(this.#list);
    fill(this.#notice, nothingNotice({ t, category, isFiltered, onClear: () => onChange({ filter: {} }) }));
    announce((isFiltered ? t.notices.filtered : t.notices.nothing).title);
  }

  /** @param {import("./notices.js").Failed} failure @param {{canRetry?: boolean}} [options] */
  fail(failure, { canRetry = true } = {}) {
    const { t, onRetry, onNewSearch } = this.#context;
    this.#finish(t.results.region);
    this.#count.textContent = "";
    fill(this.#chips);
    fill(this.#list);
    fill(this.#notice, failureNotice(failure, { t, onRetry: canRetry ? onRetry : null, onNewSearch }));
  }
}
