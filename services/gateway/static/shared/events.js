/** What a shopper does with results, sent to a gateway that keeps it: docs/events.md. */

const VISITOR = "lookalike.visitor";
const GATHER_MS = 1000;
/** The part of a tile that has to be in view. */
const SEEN = 0.5;

/** @typedef {{requestId: string, id: string, ordinal: number}} Shown a product in the results of a search */

/**
 * Give or withdraw the consent to store a visitor's id in this browser, and to send it. Shops call it as
 * `lookalike.consent(true)`.
 * @param {boolean} isGiven
 */
export function consent(isGiven) {
  try {
    if (!isGiven) localStorage.removeItem(VISITOR);
    else if (!localStorage.getItem(VISITOR)) localStorage.setItem(VISITOR, randomId());
  } catch {
    // Storage is disabled: there is no visitor.
  }
}

/** Return the id that this browser keeps; null without consent. @returns {string|null} */
export function visitor() {
  try {
    return localStorage.getItem(VISITOR);
  } catch {
    return null;
  }
}

const randomId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Sends which tiles of results came into view, and which were followed. */
export class Reporter {
  #address;
  #visitor;
  /** @type {Map<Element, Shown>} */
  #watched = new Map();
  /** Products that have been reported as seen. @type {Set<string>} */
  #reported = new Set();
  /** @type {Shown[]} */
  #seen = [];
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #timer = undefined;
  #observer = new IntersectionObserver((entries) => this.#see(entries), { threshold: SEEN });

  /**
   * @param {{base: string, key: string|null}} api the gateway
   * @param {() => string|null} whose returns the visitor's id, or null
   */
  constructor({ base, key }, whose) {
    this.#address = `${base}/v1/events${key ? `?key=${encodeURIComponent(key)}` : ""}`;
    this.#visitor = whose;
    addEventListener("visibilitychange", () => document.visibilityState === "hidden" && this.flush());
    addEventListener("pagehide", () => this.flush());
  }

  /**
   * Watch the tiles of a search in the place of those before.
   * @param {Element[]} tiles in the order of the results @param {string|null} requestId @param {string[]} ids of the tiles
   */
  watch(tiles, requestId, ids) {
    this.#observer.disconnect();
    this.#watched.clear();
    this.watchMore(tiles, requestId, ids);
  }

  /**
   * Watch other tiles as well, such as those of a look.
   * @param {Element[]} tiles in their order @param {string|null} requestId @param {string[]} ids of the tiles
   */
  watchMore(tiles, requestId, ids) {
    if (!requestId) return;
    for (const [index, tile] of tiles.entries()) {
      const id = ids[index];
      if (id === undefined) continue;
      this.#watched.set(tile, { requestId, id, ordinal: index + 1 });
      this.#observer.observe(tile);
      const follow = (/** @type {Event} */ event) => this.#follow(tile, event);
      tile.addEventListener("click", follow);
      tile.addEventListener("auxclick", follow);
    }
  }

  /** Send the products that came into view. */
  flush() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const seen = this.#seen.splice(0);
    for (const requestId of new Set(seen.map((shown) => shown.requestId))) {
      const objects = seen
        .filter((shown) => shown.requestId === requestId)
        .map(({ id, ordinal }) => ({ object_id: id, ordinal }));
      this.#send("impression", requestId, { objects });
    }
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #see(entries) {
    for (const { target, isIntersecting } of entries) {
      const shown = this.#watched.get(target);
      if (!shown || !isIntersecting) continue;
      this.#observer.unobserve(target);
      const name = `${shown.requestId} ${shown.id}`;
      if (this.#reported.has(name)) continue;
      this.#reported.add(name);
      this.#seen.push(shown);
      this.#timer ??= setTimeout(() => this.flush(), GATHER_MS);
    }
  }

  /** @param {Element} tile @param {Event} event */
  #follow(tile, { target }) {
    const shown = this.#watched.get(tile);
    const link = target instanceof Element ? target.closest("a[href]") : null;
    if (!shown || !(link instanceof HTMLElement)) return;
    const { requestId, ordinal } = shown;
    const id = link.dataset.id ?? shown.id; // a variant's or an offer's own
    this.flush();
    this.#send("click", requestId, { object: { object_id: id }, position: { ordinal } });
  }

  /** @param {string} action @param {string} requestId @param {object} attributes */
  #send(action, requestId, attributes) {
    const visitor = this.#visitor();
    const event = { action_name: action, request_id: requestId, event_attributes: attributes };
    const body = JSON.stringify(visitor ? { ...event, visitor } : event);
    if (navigator.sendBeacon?.(this.#address, body)) return;
    fetch(this.#address, { method: "POST", body, keepalive: true, credentials: "omit" }).catch(() => {});
  }
}
