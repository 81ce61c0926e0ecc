/** `<lookalike-search>`: search by photo in a shop's own page. docs/widget.md says what can be set and listened to. */

import { Api, Failure, pathOf } from "../shared/api.js";
import { fill, h } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { openPhoto, PhotoError, toThumb, toUpload } from "../shared/photo.js";
import { failureWords, words } from "../shared/strings.js";
import { card, ghosts } from "./cards.js";
import { sheet } from "./styles.js";

export const VERSION = 1;
const ACCEPTED = "image/*,.heic,.heif,.avif";
const HERE = new URL(import.meta.url).origin;
const MOST = 100;

export class LookalikeSearch extends HTMLElement {
  static observedAttributes = ["lang", "heading"];

  #root = this.attachShadow({ mode: "open" });
  #abort = null;
  #again = null;
  #turn = 0;

  connectedCallback() {
    this.#root.adoptedStyleSheets = [sheet()];
    this.#draw();
  }

  disconnectedCallback() {
    this.#abort?.abort();
  }

  attributeChangedCallback() {
    if (this.isConnected && this.#root.firstChild) this.#draw();
  }

  get #t() {
    return words(this.#language);
  }

  get #language() {
    return this.getAttribute("lang") || this.closest("[lang]")?.lang || "en";
  }

  get #api() {
    const gateway = this.getAttribute("gateway") || HERE;
    return new Api(gateway.replace(/\/+$/, "") + pathOf(this.getAttribute("catalogue")));
  }

  /** Search with a photo. @param {Blob} file */
  async search(file) {
    const turn = this.#begin();
    try {
      const photo = await openPhoto(file);
      const upload = await toUpload(photo);
      if (turn === this.#turn)
        await this.#ask((signal) => this.#api.searchPhoto(upload, this.#options(), signal), toThumb(photo, 112));
    } catch (error) {
      if (turn === this.#turn) this.#fail(error instanceof PhotoError ? new Failure(error.code) : error);
    }
  }

  /** Search with a product of the catalogue. @param {string} id */
  async searchLike(id) {
    this.#begin();
    await this.#ask((signal) => this.#api.similar(id, this.#options(), signal), null);
  }

  /** Take the results away. */
  clear() {
    this.#abort?.abort();
    this.#turn += 1;
    fill(this.found);
    this.found.hidden = true;
    this.choose.focus();
  }

  #options() {
    const k = Math.min(MOST, Math.max(1, Number.parseInt(this.getAttribute("k") ?? "", 10) || 8));
    return {
      k,
      category: this.getAttribute("category"),
      filter: this.getAttribute("filter"),
      min_score: this.getAttribute("min-score"),
    };
  }

  #draw() {
    const t = this.#t;
    const input = h("input", {
      type: "file",
      accept: ACCEPTED,
      class: "visually-hidden",
      tabindex: "-1",
      "aria-hidden": "true",
    });
    input.addEventListener("change", () => {
      const [file] = input.files;
      input.value = "";
      if (file) this.search(file);
    });
    this.choose = h(
      "button",
      { class: "button primary", part: "button", type: "button", on: { click: () => input.click() } },
      icon("camera"),
      t.widget.choose,
    );
    this.found = h("div", { class: "found", part: "results", hidden: true });
    this.status = h("div", { class: "visually-hidden", role: "status" });
    const title = h(
      "div",
      { class: "words" },
      h("h2", { part: "heading" }, this.getAttribute("heading") || t.widget.title),
      h("p", { class: "lead" }, t.widget.lead),
    );
    const root = h(
      "section",
      {
        class: "root",
        part: "root",
        "aria-label": t.widget.title,
        lang: this.#language,
        dir: this.closest("[dir]")?.dir || "ltr",
      },
      h("div", { class: "head" }, title, h("div", { class: "row" }, this.choose, input)),
      this.found,
      this.status,
    );
    this.#listen(root);
    fill(this.#root, root);
  }

  #listen(root) {
    const over = (on) => (event) => {
      event.preventDefault();
      root.classList.toggle("over", on);
    };
    root.addEventListener("dragover", over(true));
    root.addEventListener("dragleave", over(false));
    root.addEventListener("drop", (event) => {
      over(false)(event);
      event.stopPropagation();
      this.#take(event.dataTransfer.files);
    });
    root.addEventListener("paste", (event) => this.#take(event.clipboardData.files));
  }

  #take(files) {
    if (files.length > 0) this.search(files[0]);
    else this.#fail(new Failure("noImageDropped"));
  }

  /** Show that a search is under way; the one before it no longer counts. */
  #begin() {
    this.#abort?.abort();
    this.#turn += 1;
    const t = this.#t;
    this.found.hidden = false;
    this.found.setAttribute("aria-busy", "true");
    fill(this.found, h("ul", { class: "grid" }, ghosts(4)));
    this.status.textContent = t.results.searching;
    return this.#turn;
  }

  async #ask(send, thumb) {
    const abort = new AbortController();
    this.#abort = abort;
    this.#again = () => {
      this.#begin();
      this.#ask(send, thumb);
    };
    try {
      this.#show(await send(abort.signal), thumb);
    } catch (failure) {
      if (!abort.signal.aborted) this.#fail(failure);
    }
  }

  /** @param {any} answer @param {string|null} thumb @param {boolean} [anyway] show what is closest although no clothing was seen */
  #show(answer, thumb, anyway = false) {
    const t = this.#t;
    const { name } = answer.category;
    const count = answer.results.length;
    const hidden = answer.outcome === "no_clothing" && !anyway;
    const said = anyway ? null : this.#said(answer);
    const more =
      hidden &&
      count > 0 &&
      h(
        "div",
        { class: "row" },
        h(
          "button",
          { class: "button", type: "button", on: { click: () => this.#showAnyway(answer, thumb) } },
          t.notices.noClothing.anyway(name),
        ),
      );
    const clear = h(
      "button",
      { class: "button", type: "button", on: { click: () => this.clear() } },
      icon("close", 16),
      t.widget.close,
    );
    const head = h(
      "div",
      { class: "query" },
      thumb && h("img", { src: thumb, alt: t.query.photo, width: 56, height: 56 }),
      h(
        "div",
        {},
        h("h3", { tabindex: "-1" }, t.widget.results),
        !hidden && h("p", { class: "muted" }, t.results.count(count, name)),
      ),
      clear,
    );
    const context = {
      t,
      gateway: this.#api.base,
      language: this.#language,
      currency: this.getAttribute("currency"),
      template: this.getAttribute("link-template"),
      onClick: (result, position, event) => this.#clicked(answer, result, position, event),
    };
    const shown = hidden ? [] : answer.results;
    this.found.setAttribute("aria-busy", "false");
    fill(
      this.found,
      head,
      said && h("div", { class: "notice" }, h("h3", {}, said.title), h("p", {}, said.text), more),
      shown.length > 0 &&
        h(
          "ul",
          { class: "grid", part: "grid", role: "list" },
          shown.map((result, position) => card(result, position, context)),
        ),
    );
    this.status.textContent = said ? said.title : t.results.announced(count, name);
    if (!anyway)
      this.#emit("lookalike-search", {
        outcome: answer.outcome,
        category: name,
        count,
        results: answer.results,
        requestId: answer.request_id,
      });
  }

  /** What there is to say before the results, or instead of them. */
  #said({ outcome, category, results }) {
    const { notices, widget } = this.#t;
    if (outcome === "no_clothing") return { title: notices.noClothing.title, text: widget.noClothing };
    if (results.length === 0) return { ...notices.nothing, text: notices.nothing.text(category.name) };
    return outcome === "no_close_match" ? notices.notClose : null;
  }

  #showAnyway(answer, thumb) {
    this.#show(answer, thumb, true);
    this.found.querySelector("h3").focus();
  }

  #clicked(answer, result, position, event) {
    const detail = {
      id: result.id,
      url: event.currentTarget.href,
      title: result.title,
      score: result.score,
      position: position + 1,
      requestId: answer.request_id,
    };
    if (!this.#emit("lookalike-click", detail, true)) event.preventDefault();
  }

  #fail(failure) {
    const t = this.#t;
    const known = failureWords(t, failure.code ?? "other");
    const again =
      this.#again &&
      failure instanceof Failure &&
      failure.code in t.failures &&
      !["noImageDropped"].includes(failure.code) &&
      (failure.status > 0 || ["offline", "unreachable", "timeout"].includes(failure.code));
    const retry =
      again &&
      h(
        "div",
        { class: "row" },
        h("button", { class: "button", type: "button", on: { click: () => this.#again() } }, t.notices.retry),
      );
    const id =
      failure.requestId && h("p", { class: "muted" }, `${t.notices.requestId} `, h("code", {}, failure.requestId));
    this.found.hidden = false;
    this.found.setAttribute("aria-busy", "false");
    fill(
      this.found,
      h("div", { class: "notice", role: "alert" }, h("h3", {}, known.title), h("p", {}, known.text), retry, id),
    );
    this.status.textContent = "";
    this.#emit("lookalike-error", { code: failure.code ?? "other", requestId: failure.requestId ?? null });
  }

  #emit(type, detail, cancelable = false) {
    return this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true, cancelable }));
  }
}

if (!customElements.get("lookalike-search")) customElements.define("lookalike-search", LookalikeSearch);
