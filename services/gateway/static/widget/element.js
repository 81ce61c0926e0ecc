/** What the widget's elements have in common: a shadow root, the language, the gateway and the events. */

import { Api, cataloguePath, Failure } from "../shared/api.js";
import { Reporter, visitor } from "../shared/events.js";
import { PhotoError } from "../shared/photo.js";
import { directionOf, loadStrings } from "../shared/strings.js";
import { sheet } from "./styles.js";

/** @import { Strings } from "../types.js" */

/** The gateway that the widget comes from, with its path if it has one. */
const OWN_GATEWAY = import.meta.url.replace(/\/assets\/.*$/s, "");
const DEFAULT_RESULTS = 8;
const MAX_RESULTS = 100;

export class WidgetElement extends HTMLElement {
  static observedAttributes = ["lang", "heading"];

  root = this.attachShadow({ mode: "open" });
  /** The texts; null until they are loaded. @type {Strings|null} */
  t = null;
  /** @type {Reporter|null} */
  #reporter = null;
  /** Resolves once the element is drawn. @type {Promise<void>} */
  ready = Promise.resolve();

  connectedCallback() {
    this.root.adoptedStyleSheets = [sheet()];
    this.ready = this.#load();
  }

  attributeChangedCallback() {
    if (this.isConnected && this.t) this.ready = this.#load();
  }

  async #load() {
    const language = this.language;
    const t = await loadStrings(language);
    if (language !== this.language) return;
    this.t = t;
    this.draw(t);
  }

  /** Draw everything, in a language that may have changed. @param {Strings} _t */
  draw(_t) {}

  get language() {
    /** @type {HTMLElement|null} */
    const parent = this.closest("[lang]");
    return this.getAttribute("lang") || parent?.lang || "en";
  }

  /** Attributes of the outermost element in the shadow root. */
  get frame() {
    /** @type {HTMLElement|null} */
    const parent = this.closest("[dir]");
    return { class: "root", part: "root", lang: this.language, dir: parent?.dir || directionOf(this.language) };
  }

  get api() {
    const gateway = this.getAttribute("gateway") || OWN_GATEWAY;
    const address = gateway.replace(/\/+$/, "") + cataloguePath(this.getAttribute("catalogue"));
    return new Api(address, { key: this.getAttribute("key") });
  }

  /** The visitor's id: the shop's own, or the one that this browser keeps with consent; null without events. */
  get visitor() {
    return this.hasAttribute("events") ? this.dataset.visitor || visitor() : null;
  }

  /** What reports the shopper's events; null without the attribute `events`. */
  get reporter() {
    if (this.hasAttribute("events")) this.#reporter ??= new Reporter(this.api, () => this.visitor);
    return this.#reporter;
  }

  /** The search options that the attributes hold. */
  get options() {
    const count = Number.parseInt(this.getAttribute("k") ?? "", 10) || DEFAULT_RESULTS;
    return {
      k: Math.min(MAX_RESULTS, Math.max(1, count)),
      category: this.getAttribute("category"),
      filter: this.getAttribute("filter"),
      min_score: this.getAttribute("min-score"),
      visitor: this.visitor,
    };
  }

  /**
   * @param {string} type @param {object} detail @param {boolean} [cancelable]
   * @returns {boolean} false if the shop cancelled the event
   */
  emit(type, detail, cancelable = false) {
    return this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true, cancelable }));
  }
}

/**
 * Return a failure, after finding out whether the gateway refuses this page. A browser does not say why it withholds a
 * response: if the gateway can be reached without reading its response, it is CORS.
 * @param {unknown} error @param {Api} api @returns {Promise<Failure>}
 */
export async function asFailure(error, api) {
  if (error instanceof PhotoError) return new Failure(error.code);
  if (!(error instanceof Failure)) return new Failure("other");
  if (error.code !== "unreachable" || new URL(api.base).origin === location.origin) return error;
  try {
    await fetch(`${new URL(api.base).origin}/livez`, { mode: "no-cors", credentials: "omit" });
  } catch {
    return error;
  }
  console.error(
    `lookalike: the gateway at ${api.base} does not let pages of ${location.origin} search. ` +
      "Add this origin to its setting GATEWAY_CORS_ORIGINS, or to the origins of the key.",
  );
  return new Failure("originRefused");
}
