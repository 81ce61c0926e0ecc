/** The widget's results: a photo's garments, its frame, filters, cards, and the notices in their place. */

import { fill, h } from "../shared/dom.js";
import { choices, garmentChips } from "../shared/garments.js";
import { icon } from "../shared/icons.js";
import { openPhoto, toThumbnail, toUpload, WHOLE } from "../shared/photo.js";
import { categoryName, failureMessage, phrase, similarHeading } from "../shared/strings.js";
import { tilesOf } from "../shared/tiles.js";
import { card, skeletonCards } from "./cards.js";
import { asFailure } from "./element.js";

/** @import { Failure } from "../shared/api.js" */
/** @import { AnySearchResponse, Box, Filter, Garment, Look, Message, Photo, Product, Strings } from "../types.js" */
/** @import { WidgetElement } from "./element.js" */
/**
 * The photo or the product of a search.
 * @typedef {{photo: Photo, box: Box, isFramed: boolean, prior: string|null, garments: Garment[]|null}} PhotoQuery
 * @typedef {{id: string}} ProductQuery
 */

const SKELETON_CARDS = 4;
const THUMBNAIL_SIDE = 112;
/** Failures that the same search may not meet again. */
const PASSING = ["offline", "unreachable", "timeout", "upstream-timeout", "too-many-requests", "internal", "garbled"];
const PASSING_STATUS = 500;

export class Panel {
  #host;
  #t;
  /** @type {AbortController|null} */
  #abort = null;
  /** The number of the current search: the response to an earlier one is ignored. */
  #number = 0;
  /** @type {PhotoQuery|ProductQuery|null} */
  #query = null;
  /** @type {AnySearchResponse|null} */
  #response = null;
  /** @type {Failure|null} */
  #failure = null;
  #isRevealed = false;
  /** The filters that the shopper has set; null until the filters are opened. @type {Filter|null} */
  #filter = null;
  #isAdjusting = false;
  /** What completes the look of the current search, once it is needed. @type {Promise<Look>|null} */
  #look = null;
  #garments = h("div", { class: "garments" });
  #status = h("div", { class: "visually-hidden", role: "status" });
  #body = h("div", { class: "results", part: "results", hidden: true });
  #onClear;
  #level;
  element = h("div", {}, this.#body, this.#status);

  /**
   * @param {WidgetElement} host @param {Strings} t @param {(() => void)|null} onClear null: nothing to clear
   * @param {"h2"|"h3"} [level] of the headings: h3 under a heading of the element
   */
  constructor(host, t, onClear, level = "h3") {
    this.#level = level;
    this.#host = host;
    this.#t = t;
    this.#onClear = onClear;
  }

  /** Whether there is something to show. */
  get isEmpty() {
    return this.#query === null && this.#failure === null;
  }

  /** Show everything again in another language. @param {Strings} t */
  translate(t) {
    this.#t = t;
    if (this.isEmpty) return;
    if (this.#failure) this.#showFailure(this.#failure);
    else if (this.#response) this.#show(this.#response);
    else this.#showBusy();
  }

  abort() {
    this.#abort?.abort();
  }

  clear() {
    this.#begin();
    this.#query = null;
    fill(this.#body);
    this.#body.hidden = true;
    this.#status.textContent = "";
  }

  /** Search with a photo. @param {Blob} file @param {{box?: Box, prior?: string|null}} [part] of the photo */
  async searchPhoto(file, { box = WHOLE, prior = null } = {}) {
    const number = this.#begin();
    this.#showBusy();
    this.#scrollTo();
    try {
      const photo = await openPhoto(file);
      if (number !== this.#number) return;
      this.#filter = null;
      this.#query = { photo, box: { ...box }, isFramed: box !== WHOLE, prior, garments: box === WHOLE ? null : [] };
    } catch (error) {
      if (number === this.#number) await this.fail(error);
      return;
    }
    await this.#run();
  }

  /** @param {Product} product */
  #followLike(product) {
    const search = this.searchLike(product.id);
    this.#scrollTo();
    return search;
  }

  /** Scroll to the results if a shopper who has just asked for them would not see them. */
  #scrollTo() {
    const { top } = this.#body.getBoundingClientRect();
    if (top >= 0 && top <= innerHeight / 2) return;
    const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
    this.#body.scrollIntoView({ behavior, block: "start" });
  }

  /** Search with a product of the catalogue. @param {string} id */
  async searchLike(id) {
    this.#filter = null;
    this.#query = { id };
    await this.#run();
  }

  /** Cancel the search in progress. @returns {number} the number of the search that begins */
  #begin() {
    this.#abort?.abort();
    this.#failure = null;
    this.#response = null;
    this.#isRevealed = false;
    this.#look = null;
    this.#number += 1;
    return this.#number;
  }

  #showBusy() {
    this.#body.hidden = false;
    this.#body.setAttribute("aria-busy", "true");
    fill(this.#body, h("ul", { class: "grid" }, skeletonCards(SKELETON_CARDS)));
    this.#status.textContent = this.#t.results.searching;
  }

  async #run() {
    const number = this.#begin();
    const query = this.#query;
    const abort = new AbortController();
    this.#abort = abort;
    if (!query) return;
    if (this.#filter === null) this.#showBusy();
    try {
      const response = await this.#send(query, abort.signal);
      if (number !== this.#number) return;
      this.#response = response;
      this.#show(response);
      this.#announce(response);
      if ("photo" in query) await this.#findGarments(query, response);
    } catch (error) {
      if (!abort.signal.aborted) await this.fail(error);
    }
  }

  /** @param {PhotoQuery|ProductQuery} query @param {AbortSignal} signal @returns {Promise<AnySearchResponse>} */
  async #send(query, signal) {
    const { api, options } = this.#host;
    const chosen = this.#filter === null ? {} : { facets: true, filter: merge(options.filter, this.#filter) };
    const all = { ...options, ...chosen };
    if ("id" in query) return api.similar(query.id, all, signal);
    const part = query.isFramed ? { crop: /** @type {const} */ ("none"), prior: query.prior } : {};
    return api.searchPhoto(await toUpload(query.photo, query.box), { ...all, ...part }, signal);
  }

  /** Find the garments of the photo, once. @param {PhotoQuery} query @param {AnySearchResponse} response */
  async #findGarments(query, response) {
    if (query.garments !== null) return;
    query.garments = [];
    const { garments } = await this.#host.api.detect(await toUpload(query.photo)).catch(() => ({ garments: [] }));
    query.garments = choices(garments);
    if (this.#query === query && this.#response === response) fill(this.#garments, this.#garmentChips(response));
  }

  /** @param {AnySearchResponse} response */
  #show(response) {
    const t = this.#t;
    const { outcome, results, category } = response;
    const isRefused = (outcome === "no_clothing" || outcome === "other_clothing") && !this.#host.options.category;
    const isHidden = isRefused && !this.#isRevealed;
    const message = this.#isRevealed ? null : this.#message(response);
    const heading = similarHeading(t, category.name);
    this.#body.hidden = false;
    this.#body.setAttribute("aria-busy", "false");
    const cards = isHidden ? [] : this.#cards(response);
    fill(
      this.#body,
      this.#head(response),
      this.#isAdjusting && this.#cropHolder(),
      fill(this.#garments, this.#garmentChips(response)),
      message && this.#notice(message, isHidden && results.length > 0 ? this.#anyway(response) : null),
      !isHidden && this.#onClear && h(this.#level, { tabindex: "-1" }, heading),
      this.#filter !== null && !isHidden && this.#filterHolder(response, this.#filter),
      cards.length > 0 && h("ul", { class: "grid", part: "grid", role: "list" }, cards),
      cards.length > 0 && !this.#isRevealed && this.#host.hasAttribute("complete") && this.#completion(response),
    );
    const ids = cards.map((each) => each.dataset.id ?? "");
    this.#host.reporter?.watch(cards, response.request_id, ids);
    const values = { count: results.length, category: heading };
    this.#status.textContent = message ? message.title : phrase(t, t.results.announced, values);
  }

  /** The thumbnail and the buttons. @param {AnySearchResponse} response */
  #head({ crop, results }) {
    const t = this.#t;
    const query = this.#query;
    if (!query || (!("photo" in query) && !this.#onClear)) return null;
    /** @param {import("../shared/icons.js").IconName} name @param {string} text @param {boolean|null} pressed @param {() => void} click */
    const button = (name, text, pressed, click) =>
      h(
        "button",
        { class: "tool", type: "button", "aria-pressed": pressed === null ? null : String(pressed), on: { click } },
        icon(name, 18),
        text,
      );
    const adjust = () => {
      this.#isAdjusting = !this.#isAdjusting;
      if (this.#response) this.#show(this.#response);
    };
    const openFilters = () => {
      this.#filter = this.#filter === null ? {} : null;
      this.#run();
    };
    const hasFilters = this.#host.getAttribute("filters") !== "none" && (results.length > 0 || this.#filter !== null);
    return h(
      "div",
      { class: "query" },
      "photo" in query && this.#thumbnail(query, crop?.box ?? query.box),
      "photo" in query && button("photo", t.query.adjust, this.#isAdjusting, adjust),
      hasFilters && button("filter", t.filters.heading, this.#filter !== null, openFilters),
      this.#onClear && button("restart", t.widget.clear, null, this.#onClear),
    );
  }

  /** @param {PhotoQuery} query @param {Box} box */
  #thumbnail({ photo }, box) {
    return h("img", {
      src: toThumbnail(photo, THUMBNAIL_SIDE, { box }),
      alt: this.#t.query.photo,
      width: 56,
      height: 56,
    });
  }

  /** @param {AnySearchResponse} response */
  #garmentChips({ crop }) {
    const query = this.#query;
    if (!query || !("photo" in query) || !query.garments?.length) return null;
    const onChoose = (/** @type {Box} */ box, /** @type {string|null} */ prior) => this.#frame(query, box, prior);
    return garmentChips(query.garments, crop?.box ?? query.box, { photo: query.photo, t: this.#t, onChoose });
  }

  /** Search with a part of the photo. @param {PhotoQuery} query @param {Box} box @param {string|null} prior */
  #frame(query, box, prior) {
    Object.assign(query, { box, prior, isFramed: true });
    this.#run();
  }

  /** The photo with a frame around the searched part. Its module is loaded when it is first needed. */
  #cropHolder() {
    const query = this.#query;
    if (!query || !("photo" in query)) return null;
    const holder = h("div", { class: "stage-holder" });
    const box = this.#response?.crop?.box ?? query.box;
    import("./stage.js").then(({ stage }) => {
      fill(
        holder,
        stage(query.photo, box, this.#t, (chosen) => this.#frame(query, chosen, null)),
      );
    });
    return holder;
  }

  /** @param {AnySearchResponse} response @param {Filter} filter */
  #filterHolder(response, filter) {
    const holder = h("div", { class: "filters" });
    const onChange = (/** @type {Filter} */ next) => {
      this.#filter = next;
      this.#run();
    };
    const focused = this.#host.root.activeElement;
    const name = focused instanceof HTMLElement ? focused.dataset.focus : undefined;
    import("../shared/filters.js").then(({ filterPanel }) => {
      fill(holder, filterPanel(response.facets, filter, { t: this.#t, language: this.#t.language, onChange }));
      /** @type {NodeListOf<HTMLElement>} */
      const controls = holder.querySelectorAll("[data-focus]");
      if (name) [...controls].find((control) => control.dataset.focus === name)?.focus();
    });
    return holder;
  }

  /** The products that complete the look. Their module is loaded when it is first needed. @param {AnySearchResponse} response */
  #completion({ category }) {
    const holder = h("div", { class: "completion" });
    const load = () => {
      this.#look ??= this.#loadLook();
      return this.#look;
    };
    import("./completion.js").then(({ completion }) => {
      const context = this.#cardContext.bind(this);
      const { reporter } = this.#host;
      completion(holder, load, { category: category.name, level: this.#level, context, reporter });
    });
    return holder;
  }

  /** @returns {Promise<Look>} */
  async #loadLook() {
    const query = this.#query;
    const { api } = this.#host;
    if (!query) throw new TypeError("there is no search");
    return "id" in query ? api.look(query.id) : api.lookOfPhoto(await toUpload(query.photo, query.box));
  }

  /** Let the page know of a search. @param {AnySearchResponse} response */
  #announce({ outcome, request_id: requestId, category, results }) {
    this.#host.emit("lookalike-search", {
      outcome,
      category: category.name,
      count: results.length,
      results,
      requestId,
    });
  }

  /** @param {AnySearchResponse} response */
  #cards({ request_id: requestId, results }) {
    const context = this.#cardContext(requestId, results);
    return tilesOf(results).map((tile, position) => card(tile, position, context));
  }

  /**
   * @param {string|null} requestId @param {Product[]} products in their order
   * @returns {import("./cards.js").CardContext}
   */
  #cardContext(requestId, products) {
    const host = this.#host;
    return {
      t: this.#t,
      gateway: host.api.base,
      language: this.#t.language,
      currency: host.getAttribute("currency"),
      template: host.getAttribute("link-template"),
      onClick: (product, event) =>
        this.#clicked(product, event, { requestId, position: products.indexOf(product) + 1 }),
      onLike: this.#onClear && ((product) => this.#followLike(product)),
    };
  }

  /** @param {Message} message @param {HTMLElement|null} button */
  #notice({ title, text }, button) {
    const row = button && h("div", { class: "row" }, button);
    return h("div", { class: "notice" }, h(this.#level, {}, title), h("p", {}, text), row);
  }

  /** Return the message above the results, or in their place. @param {AnySearchResponse} response @returns {Message|null} */
  #message({ outcome, results }) {
    const { notices, categories } = this.#t;
    const isFiltered = this.#filter !== null && Object.keys(this.#filter).length > 0;
    if (outcome === "no_clothing") return notices.noClothing;
    if (outcome === "other_clothing") {
      const names = Object.keys(categories).map((name) => categoryName(this.#t, name));
      const list = new Intl.ListFormat(this.#t.language, { type: "disjunction" }).format(names);
      const { title, text } = notices.otherClothing;
      return { title, text: phrase(this.#t, text, { categories: list }) };
    }
    if (results.length === 0) return isFiltered ? notices.filtered : notices.nothing;
    return outcome === "no_close_match" ? notices.notClose : null;
  }

  /** @param {AnySearchResponse} response */
  #anyway(response) {
    const click = () => {
      this.#isRevealed = true;
      this.#show(response);
      this.#body.querySelector(this.#level)?.focus();
    };
    return h("button", { class: "button", type: "button", on: { click } }, this.#t.notices.anyway);
  }

  /** @param {Product} product @param {MouseEvent} event @param {{requestId: string|null, position: number}} place */
  #clicked(product, event, { requestId, position }) {
    const { id, title } = product;
    const url = event.currentTarget instanceof HTMLAnchorElement ? event.currentTarget.href : null;
    const detail = { id, url, title, score: "score" in product ? product.score : null, position, requestId };
    if (!this.#host.emit("lookalike-click", detail, true)) event.preventDefault();
  }

  /** @param {unknown} error */
  async fail(error) {
    const number = this.#number;
    const failure = await asFailure(error, this.#host.api);
    if (number !== this.#number) return;
    this.#failure = failure;
    this.#showFailure(failure);
    this.#host.emit("lookalike-error", { code: failure.code, requestId: failure.requestId });
  }

  /** @param {Failure} failure */
  #showFailure(failure) {
    const t = this.#t;
    const { code, status } = failure;
    const { title, text } = failureMessage(t, code, status);
    const canRetry = this.#query !== null && (PASSING.includes(code) || status >= PASSING_STATUS);
    const retry = { class: "button", type: "button", on: { click: () => this.#run() } };
    this.#body.hidden = false;
    this.#body.setAttribute("aria-busy", "false");
    const row = canRetry && h("div", { class: "row" }, h("button", retry, t.notices.retry));
    fill(this.#body, h("div", { class: "notice", role: "alert" }, h(this.#level, {}, title), h("p", {}, text), row));
    this.#status.textContent = "";
  }
}

/** Return the shop's filter with the shopper's conditions. @param {string|null} own as JSON @param {Filter} chosen */
function merge(own, chosen) {
  try {
    return { ...JSON.parse(own ?? "{}"), ...chosen };
  } catch {
    return own;
  }
}
