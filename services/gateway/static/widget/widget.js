/**
 * `<lookalike-search>`: search by photo in a shop's own page.
 * docs/widget.md lists its attributes, events and variables.
 */

import { Api, cataloguePath, Failure } from "../shared/api.js";
import { fill, h } from "../shared/dom.js";
import { fileInput } from "../shared/fileinput.js";
import { icon } from "../shared/icons.js";
import { openPhoto, PhotoError, toThumbnail, toUpload } from "../shared/photo.js";
import { failureMessage, stringsFor } from "../shared/strings.js";
import { card, skeletonCards } from "./cards.js";
import { sheet } from "./styles.js";

/** @import { AnySearchResponse, Message, Result } from "../types.js" */
/** @typedef {(signal: AbortSignal) => Promise<AnySearchResponse>} Send */

export const VERSION = 1;
/** The gateway that the widget comes from, with its path if it has one. */
const OWN_GATEWAY = import.meta.url.replace(/\/assets\/.*$/s, "");
const DEFAULT_RESULTS = 8;
const MAX_RESULTS = 100;
const SKELETON_CARDS = 4;
const THUMBNAIL_SIDE = 112;
/** Failures without a response that a retry may mend. */
const CONNECTION_FAILURES = ["offline", "unreachable", "timeout"];

export class LookalikeSearch extends HTMLElement {
  static observedAttributes = ["lang", "heading"];

  #root = this.attachShadow({ mode: "open" });
  /** @type {AbortController|null} */
  #abort = null;
  /** Draws again what the widget shows below its button. */
  #showAgain = () => {};
  /** Repeats the last search. @type {(() => void)|null} */
  #retry = null;
  /** The number of the current search: the response to an earlier one is ignored. */
  #searchNumber = 0;
  #choose = h("button");
  #results = h("div");
  #status = h("div");

  connectedCallback() {
    this.#root.adoptedStyleSheets = [sheet()];
    this.#redraw();
  }

  /** A page that moves the widget removes it first: its search ends only if it stays removed. */
  disconnectedCallback() {
    queueMicrotask(() => {
      if (!this.isConnected) this.#abort?.abort();
    });
  }

  attributeChangedCallback() {
    if (this.isConnected && this.#root.firstChild) this.#redraw();
  }

  /** Draw everything in the present language, and what the widget showed before. */
  #redraw() {
    this.#draw();
    this.#showAgain();
  }

  get #t() {
    return stringsFor(this.#language);
  }

  get #language() {
    /** @type {HTMLElement|null} */
    const parent = this.closest("[lang]");
    return this.getAttribute("lang") || parent?.lang || "en";
  }

  get #direction() {
    /** @type {HTMLElement|null} */
    const parent = this.closest("[dir]");
    return parent?.dir || "ltr";
  }

  get #api() {
    const gateway = this.getAttribute("gateway") || OWN_GATEWAY;
    const address = gateway.replace(/\/+$/, "") + cataloguePath(this.getAttribute("catalogue"));
    return new Api(address, { key: this.getAttribute("key") });
  }

  /** Search with a photo. @param {Blob} file */
  async search(file) {
    const number = this.#begin();
    try {
      const photo = await openPhoto(file);
      const upload = await toUpload(photo);
      if (number !== this.#searchNumber) return;
      /** @type {Send} */
      const send = (signal) => this.#api.searchPhoto(upload, this.#options(), signal);
      await this.#run(send, toThumbnail(photo, THUMBNAIL_SIDE));
    } catch (error) {
      if (number === this.#searchNumber) this.#fail(error);
    }
  }

  /** Search with a product of the catalogue. @param {string} id */
  async searchLike(id) {
    this.#begin();
    await this.#run((signal) => this.#api.similar(id, this.#options(), signal), null);
  }

  /** Remove the results. */
  clear() {
    this.#abort?.abort();
    this.#searchNumber += 1;
    this.#showAgain = () => {};
    fill(this.#results);
    this.#results.hidden = true;
    this.#choose.focus();
  }

  #options() {
    const count = Number.parseInt(this.getAttribute("k") ?? "", 10) || DEFAULT_RESULTS;
    return {
      k: Math.min(MAX_RESULTS, Math.max(1, count)),
      category: this.getAttribute("category"),
      filter: this.getAttribute("filter"),
      min_score: this.getAttribute("min-score"),
    };
  }

  #draw() {
    const t = this.#t;
    const input = fileInput((file) => this.search(file));
    this.#choose = h(
      "button",
      { class: "button primary", part: "button", type: "button", on: { click: () => input.click() } },
      icon("camera"),
      t.widget.choose,
    );
    this.#results = h("div", { class: "results", part: "results", hidden: true });
    this.#status = h("div", { class: "visually-hidden", role: "status" });
    const intro = h(
      "div",
      { class: "intro" },
      h("h2", { part: "heading" }, this.getAttribute("heading") || t.widget.title),
      h("p", { class: "lead" }, t.widget.lead),
    );
    const root = h(
      "section",
      { class: "root", part: "root", "aria-label": t.widget.title, lang: this.#language, dir: this.#direction },
      h("div", { class: "head" }, intro, h("div", { class: "row" }, this.#choose, input)),
      this.#results,
      this.#status,
    );
    this.#listen(root);
    fill(this.#root, root);
  }

  /** @param {HTMLElement} root */
  #listen(root) {
    /** @param {DragEvent} event @param {boolean} isOver */
    const mark = (event, isOver) => {
      event.preventDefault();
      root.classList.toggle("over", isOver);
    };
    root.addEventListener("dragover", (event) => mark(event, true));
    root.addEventListener("dragleave", (event) => mark(event, false));
    root.addEventListener("drop", (event) => {
      mark(event, false);
      event.stopPropagation();
      this.#take(event.dataTransfer);
    });
    root.addEventListener("paste", (event) => this.#take(event.clipboardData));
  }

  /** @param {DataTransfer|null} data */
  #take(data) {
    const [file] = data?.files ?? [];
    if (file) this.search(file);
    else this.#fail(new Failure("noImageDropped"));
  }

  /** Cancel the search in progress and show that another begins. @returns {number} the search's number */
  #begin() {
    this.#abort?.abort();
    this.#searchNumber += 1;
    this.#showAgain = () => this.#showBusy();
    this.#showBusy();
    return this.#searchNumber;
  }

  #showBusy() {
    this.#results.hidden = false;
    this.#results.setAttribute("aria-busy", "true");
    fill(this.#results, h("ul", { class: "grid" }, skeletonCards(SKELETON_CARDS)));
    this.#status.textContent = this.#t.results.searching;
  }

  /** @param {Send} send @param {string|null} thumbnail a data: URL */
  async #run(send, thumbnail) {
    const abort = new AbortController();
    this.#abort = abort;
    this.#retry = () => {
      this.#begin();
      this.#run(send, thumbnail);
    };
    try {
      const response = await send(abort.signal);
      this.#show(response, thumbnail);
      this.#announce(response);
    } catch (error) {
      if (!abort.signal.aborted) this.#fail(error);
    }
  }

  /**
   * @param {AnySearchResponse} response @param {string|null} thumbnail
   * @param {boolean} [anyway] show the nearest products although the photo shows no clothing
   */
  #show(response, thumbnail, anyway = false) {
    const t = this.#t;
    const { name } = response.category;
    const count = response.results.length;
    this.#showAgain = () => this.#show(response, thumbnail, anyway);
    const isHidden = (response.outcome === "no_clothing" || response.outcome === "other_clothing") && !anyway;
    const message = anyway ? null : this.#message(response);
    const results = isHidden ? [] : response.results;
    this.#results.hidden = false;
    this.#results.setAttribute("aria-busy", "false");
    fill(
      this.#results,
      this.#head(isHidden ? null : t.results.count(count, name), thumbnail),
      message && this.#notice(message, isHidden && count > 0 ? this.#anywayButton(response, thumbnail) : null),
      results.length > 0 && h("ul", { class: "grid", part: "grid", role: "list" }, this.#cards(response)),
    );
    this.#status.textContent = message ? message.title : t.results.announced(count, name);
  }

  /** Let the page know of a search. @param {AnySearchResponse} response */
  #announce({ outcome, request_id: requestId, category, results }) {
    this.#emit("lookalike-search", { outcome, category: category.name, count: results.length, results, requestId });
  }

  /** @param {string|null} count @param {string|null} thumbnail */
  #head(count, thumbnail) {
    const t = this.#t;
    return h(
      "div",
      { class: "query" },
      thumbnail && h("img", { src: thumbnail, alt: t.query.photo, width: 56, height: 56 }),
      h("div", {}, h("h3", { tabindex: "-1" }, t.widget.results), count && h("p", { class: "muted" }, count)),
      h(
        "button",
        { class: "button", type: "button", on: { click: () => this.clear() } },
        icon("close", 16),
        t.widget.close,
      ),
    );
  }

  /** @param {AnySearchResponse} response */
  #cards(response) {
    const context = {
      t: this.#t,
      gateway: this.#api.base,
      language: this.#language,
      currency: this.getAttribute("currency"),
      template: this.getAttribute("link-template"),
      /** @type {import("./cards.js").CardContext["onClick"]} */
      onClick: (result, position, event) => this.#clicked(response, result, position, event),
    };
    return response.results.map((result, position) => card(result, position, context));
  }

  /** @param {Message} message @param {HTMLElement|null} button */
  #notice({ title, text }, button) {
    const row = button && h("div", { class: "row" }, button);
    return h("div", { class: "notice" }, h("h3", {}, title), h("p", {}, text), row);
  }

  /**
   * Return the message above the results, or in their place.
   * @param {AnySearchResponse} response
   * @returns {Message|null}
   */
  #message({ outcome, category, results }) {
    const { notices, widget } = this.#t;
    if (outcome === "no_clothing") return { title: notices.noClothing.title, text: widget.noClothing };
    if (outcome === "other_clothing") return { title: notices.otherClothing.title, text: widget.otherClothing };
    if (results.length === 0) return { title: notices.nothing.title, text: notices.nothing.text(category.name) };
    return outcome === "no_close_match" ? notices.notClose : null;
  }

  /** @param {AnySearchResponse} response @param {string|null} thumbnail */
  #anywayButton(response, thumbnail) {
    const click = () => {
      this.#show(response, thumbnail, true);
      this.#results.querySelector("h3")?.focus();
    };
    const text = this.#t.notices.noClothing.anyway(response.category.name);
    return h("button", { class: "button", type: "button", on: { click } }, text);
  }

  /** @param {AnySearchResponse} response @param {Result} result @param {number} position @param {MouseEvent} event */
  #clicked({ request_id: requestId }, result, position, event) {
    const { id, title, score } = result;
    const url = event.currentTarget instanceof HTMLAnchorElement ? event.currentTarget.href : null;
    const isFollowed = this.#emit(
      "lookalike-click",
      { id, url, title, score, position: position + 1, requestId },
      true,
    );
    if (!isFollowed) event.preventDefault();
  }

  /** @param {unknown} error */
  #fail(error) {
    const failure = asFailure(error);
    this.#showAgain = () => this.#showFailure(failure);
    this.#showFailure(failure);
    this.#emit("lookalike-error", { code: failure.code, requestId: failure.requestId });
  }

  /** @param {Failure} failure */
  #showFailure(failure) {
    const t = this.#t;
    const { title, text } = failureMessage(t, failure.code);
    const retry = this.#retry;
    const button = retry && h("button", { class: "button", type: "button", on: { click: retry } }, t.notices.retry);
    const id =
      failure.requestId && h("p", { class: "muted" }, `${t.notices.requestId} `, h("code", {}, failure.requestId));
    this.#results.hidden = false;
    this.#results.setAttribute("aria-busy", "false");
    fill(
      this.#results,
      h(
        "div",
        { class: "notice", role: "alert" },
        h("h3", {}, title),
        h("p", {}, text),
        canRetry(failure, t) && button && h("div", { class: "row" }, button),
        id,
      ),
    );
    this.#status.textContent = "";
  }

  /**
   * @param {string} type @param {object} detail @param {boolean} [cancelable]
   * @returns {boolean} false if the shop cancelled the event
   */
  #emit(type, detail, cancelable = false) {
    return this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true, cancelable }));
  }
}

/** @param {unknown} error */
function asFailure(error) {
  if (error instanceof Failure) return error;
  return new Failure(error instanceof PhotoError ? error.code : "other");
}

/** Whether the same search may succeed. @param {Failure} failure @param {import("../types.js").Strings} t */
const canRetry = ({ code, status }, t) => code in t.failures && (status > 0 || CONNECTION_FAILURES.includes(code));

if (!customElements.get("lookalike-search")) customElements.define("lookalike-search", LookalikeSearch);
