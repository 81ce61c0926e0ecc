/** The right-hand side: category chips, results, and what to say instead of them. */

import { fill, h } from "../shared/dom.js";
import { MOST, PAGE_SIZE } from "./address.js";
import { chips } from "./chips.js";
import { card, skeleton } from "./grid.js";
import { failureNotice, noClothingNotice, nothingNotice, notice } from "./notices.js";

export class ResultsView {
  /** @param {any} context words, gateway, language, currency, and what to call: onLike, onView, onRetry, onAnother, announce */
  constructor(context) {
    this.context = context;
    this.heading = h("h1", { class: "results-title", tabindex: "-1" });
    this.count = h("p", { class: "muted results-count" });
    this.chips = h("div", { class: "chips-holder" });
    this.notice = h("div", { class: "notice-holder" });
    this.list = h("ul", { class: "grid", role: "list" });
    this.more = h("div", { class: "more" });
    this.element = h(
      "section",
      { class: "found", "aria-label": context.t.results.region },
      h("div", { class: "results-head" }, this.heading, this.count),
      this.chips,
      this.notice,
      this.list,
      this.more,
    );
  }

  focus() {
    this.heading.focus({ preventScroll: true });
  }

  /** @param {string} text what is going on */
  wait(text) {
    if (this.element.getAttribute("aria-busy") === "true") return;
    this.element.setAttribute("aria-busy", "true");
    this.heading.textContent = text;
    this.count.textContent = "";
    fill(this.notice);
    fill(this.more);
    fill(this.list, skeleton(12));
    this.context.announce(text);
  }

  #done(title) {
    this.element.setAttribute("aria-busy", "false");
    document.title = `${title} · ${this.context.t.brand}`;
    this.heading.textContent = title;
    fill(this.more);
  }

  /** @param {any} answer of the API @param {import("./address.js").View} view */
  show(answer, view) {
    const { t } = this.context;
    const { name } = answer.category;
    this.#done(t.results.heading(name));
    this.#showChips(answer, view);
    const count = answer.results.length;
    this.count.textContent = `${t.results.count(count, name)} · ${t.results.took(Math.max(1, Math.round(answer.timings_ms?.total ?? 0)))}`;
    if (answer.outcome === "no_clothing" && !view.category) return this.#noClothing(answer, view);
    if (count === 0) return this.#nothing(name, view);
    fill(this.notice, answer.outcome === "no_close_match" && notice(t.notices.notClose, "search"));
    this.#cards(answer, view);
    return this.context.announce(t.results.announced(count, name));
  }

  #showChips(answer, view) {
    const { t, onView } = this.context;
    const ranked = Object.entries(answer.probabilities ?? {})
      .map(([name, probability]) => ({ name, probability }))
      .sort((a, b) => b.probability - a.probability);
    const onChoose = (name) => onView({ category: name === ranked[0].name ? null : name, filter: {}, k: PAGE_SIZE });
    fill(
      this.chips,
      ranked.length > 0 &&
        chips(ranked, { chosen: answer.category.name, overridden: Boolean(view.category), t, onChoose }),
    );
  }

  #cards(answer, view) {
    const { t, onView } = this.context;
    fill(
      this.list,
      answer.results.map((result, position) => card(result, position, this.context)),
    );
    const next = Math.min(MOST, view.k + PAGE_SIZE);
    const isFull = answer.results.length >= view.k && view.k < MOST;
    fill(
      this.more,
      isFull &&
        h("button", { class: "button", type: "button", on: { click: () => onView({ k: next }) } }, t.results.more),
    );
  }

  #noClothing(answer, view) {
    const { t, announce } = this.context;
    this.count.textContent = "";
    this.heading.textContent = t.results.region;
    const anyway = () => {
      fill(this.notice);
      this.#done(t.results.heading(answer.category.name));
      this.#cards(answer, view);
      this.focus();
    };
    fill(this.list);
    fill(
      this.notice,
      noClothingNotice({ t, category: answer.category.name, onAnyway: answer.results.length > 0 ? anyway : null }),
    );
    announce(`${t.notices.noClothing.title}. ${t.notices.noClothing.text}`);
  }

  #nothing(name, view) {
    const { t, onView, announce } = this.context;
    const filtered = Object.keys(view.filter).length > 0;
    fill(this.list);
    fill(this.notice, nothingNotice({ t, category: name, filtered, onClear: () => onView({ filter: {} }) }));
    announce((filtered ? t.notices.filtered : t.notices.nothing).title);
  }

  /** @param {any} failure @param {{retry?: boolean}} [options] */
  fail(failure, { retry = true } = {}) {
    const { t, onRetry, onAnother } = this.context;
    this.#done(t.results.region);
    this.count.textContent = "";
    fill(this.chips);
    fill(this.list);
    fill(this.notice, failureNotice(failure, { t, onRetry: retry ? onRetry : null, onAnother }));
  }
}
