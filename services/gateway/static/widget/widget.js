/**
 * `<lookalike-search>`, `<lookalike-similar>` and `<lookalike-look>`: search by photo in a shop's own pages.
 * docs/widget.md lists their attributes, events and variables.
 */

import { Failure } from "../shared/api.js";
import { fill, h } from "../shared/dom.js";
import { consent } from "../shared/events.js";
import { fileInput } from "../shared/fileinput.js";
import { icon } from "../shared/icons.js";
import { WidgetElement } from "./element.js";
import { LookalikeLook } from "./look.js";
import { Panel } from "./panel.js";
import { LookalikeSimilar } from "./similar.js";

/** @import { Strings } from "../types.js" */

export const VERSION = 1;

/** Search by photo. The attribute `mode` says where: in the page, as a button, or as an icon in a search field. */
export class LookalikeSearch extends WidgetElement {
  /** @type {Panel|null} */
  #panel = null;
  /** @type {HTMLDialogElement|null} */
  #dialog = null;
  #choose = h("button");

  /** A page that moves the widget removes it first: its search ends only if it stays removed. */
  disconnectedCallback() {
    queueMicrotask(() => {
      if (!this.isConnected) this.#panel?.abort();
    });
  }

  get #mode() {
    return this.getAttribute("mode") ?? "page";
  }

  /** Search with a photo. @param {Blob} file */
  async search(file) {
    await this.ready;
    this.#open();
    await this.#panel?.searchPhoto(file);
  }

  /** Search with a product of the catalogue. @param {string} id */
  async searchLike(id) {
    await this.ready;
    this.#open();
    await this.#panel?.searchLike(id);
  }

  /** Remove the results. */
  clear() {
    this.#panel?.clear();
    this.#dialog?.close();
    this.#choose.focus();
  }

  #open() {
    if (this.#dialog && !this.#dialog.open) this.#dialog.showModal();
  }

  /** @override @param {Strings} t */
  draw(t) {
    const wasOpen = this.#dialog?.open ?? false;
    if (this.#panel) this.#panel.translate(t);
    else this.#panel = new Panel(this, t, () => this.clear());
    const input = fileInput((file) => this.search(file));
    const label = this.#mode === "icon" ? { "aria-label": t.widget.title, title: t.widget.title } : {};
    this.#choose = h(
      "button",
      {
        class: this.#mode === "icon" ? "icon-button" : "button primary",
        part: "button",
        type: "button",
        ...label,
        on: { click: () => input.click() },
      },
      icon("camera"),
      this.#mode === "page"
        ? t.start.choose
        : this.#mode === "icon"
          ? null
          : this.getAttribute("heading") || t.widget.title,
    );
    const root = this.#mode === "page" ? this.#page(t, input) : this.#control(t, input);
    fill(this.root, root);
    if (wasOpen) this.#open();
  }

  /** @param {Strings} t @param {HTMLInputElement} input */
  #page(t, input) {
    const intro = h(
      "div",
      { class: "intro" },
      h("h2", { part: "heading" }, this.getAttribute("heading") || t.widget.title),
      h("p", { class: "lead" }, t.widget.lead),
    );
    const root = h(
      "section",
      { ...this.frame, "aria-label": t.widget.title },
      h("div", { class: "head" }, intro, h("div", { class: "row" }, this.#choose, input)),
      this.#panel?.element,
    );
    this.#listen(root);
    return root;
  }

  /** The button or the icon, and the sheet that it opens. @param {Strings} t @param {HTMLInputElement} input */
  #control(t, input) {
    const close = h(
      "button",
      {
        class: "icon-button",
        type: "button",
        "aria-label": t.widget.close,
        on: { click: () => this.#dialog?.close() },
      },
      icon("close"),
    );
    const title = h("h2", { part: "heading" }, this.getAttribute("heading") || t.widget.title);
    const head = h("div", { class: "head" }, title, close);
    this.#dialog = h("dialog", { class: "sheet", "aria-label": t.widget.title }, head, this.#panel?.element);
    this.#dialog.addEventListener("click", (event) => event.target === this.#dialog && this.#dialog?.close());
    const frame = this.frame;
    return h("div", { ...frame, class: "root control" }, this.#choose, input, this.#dialog);
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
    else this.#panel?.fail(new Failure("noImageDropped"));
  }
}

Object.assign(globalThis, { lookalike: { consent } });

for (const [name, element] of /** @type {const} */ ([
  ["lookalike-search", LookalikeSearch],
  ["lookalike-similar", LookalikeSimilar],
  ["lookalike-look", LookalikeLook],
])) {
  if (!customElements.get(name)) customElements.define(name, element);
}
