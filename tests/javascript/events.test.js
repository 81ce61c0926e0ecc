import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { consent, Reporter, visitor } from "../../services/gateway/static/shared/events.js";

/** @typedef {{url: string, body: any}} Sent */

/** What the module needs of a browser. */
class Observer {
  /** @type {Observer[]} */
  static all = [];
  /** @type {Set<Element>} */
  targets = new Set();

  /** @param {(entries: {target: Element, isIntersecting: boolean}[]) => void} callback */
  constructor(callback) {
    this.callback = callback;
    Observer.all.push(this);
  }

  /** @param {Element} target */
  observe(target) {
    this.targets.add(target);
  }

  /** @param {Element} target */
  unobserve(target) {
    this.targets.delete(target);
  }

  disconnect() {
    this.targets.clear();
  }

  /** @param {Element[]} tiles */
  show(...tiles) {
    const inView = tiles.filter((tile) => this.targets.has(tile));
    this.callback(inView.map((target) => ({ target, isIntersecting: true })));
  }
}

class Tile extends EventTarget {
  /** @type {Record<string, string>} */
  dataset = {};

  /** @param {boolean} hasLink */
  constructor(hasLink) {
    super();
    this.hasLink = hasLink;
  }

  closest() {
    return this.hasLink ? this : null;
  }
}

/** @type {Sent[]} */
let sent = [];
/** @type {Map<string, string>} */
let stored = new Map();

beforeEach(() => {
  sent = [];
  stored = new Map();
  Observer.all = [];
  const storage = {
    getItem: (/** @type {string} */ name) => stored.get(name) ?? null,
    setItem: (/** @type {string} */ name, /** @type {string} */ value) => stored.set(name, value),
    removeItem: (/** @type {string} */ name) => stored.delete(name),
  };
  const sendBeacon = (/** @type {string} */ url, /** @type {string} */ body) =>
    sent.push({ url, body: JSON.parse(body) });
  const elements = { Element: Tile, HTMLElement: Tile };
  define({ IntersectionObserver: Observer, ...elements, localStorage: storage, navigator: { sendBeacon } });
  define({ addEventListener: () => {}, document: { visibilityState: "visible" } });
});

/** @param {Record<string, unknown>} values */
function define(values) {
  for (const [name, value] of Object.entries(values))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

/** @param {string|null} [key] */
function watching(key = null) {
  const reporter = new Reporter({ base: "https://search.example", key }, visitor);
  const tiles = /** @type {any[]} */ ([new Tile(true), new Tile(false), new Tile(true)]);
  reporter.watch(tiles, "q1", ["a", "b", "c"]);
  const observer = /** @type {Observer} */ (Observer.all[0]);
  return { reporter, tiles, observer };
}

test("a browser keeps a visitor's id only with consent, and the same one until it is withdrawn", () => {
  assert.equal(visitor(), null);
  consent(true);
  const first = visitor();
  assert.match(String(first), /^[0-9a-f]{32}$/);
  consent(true);
  assert.equal(visitor(), first);
  consent(false);
  assert.equal(visitor(), null);
  assert.equal(stored.size, 0);
});

test("without storage there is no visitor, and no error", () => {
  const throwing = () => {
    throw new Error("disabled");
  };
  define({ localStorage: { getItem: throwing, setItem: throwing, removeItem: throwing } });
  consent(true);
  assert.equal(visitor(), null);
});

test("tiles that come into view are one impression with their places, once", () => {
  const { reporter, tiles, observer } = watching("lk_key");
  observer.show(tiles[2], tiles[0]);
  reporter.flush();
  observer.show(tiles[0]);
  reporter.flush();
  assert.equal(sent.length, 1);
  assert.equal(sent[0]?.url, "https://search.example/v1/events?key=lk_key");
  assert.deepEqual(sent[0]?.body, {
    action_name: "impression",
    request_id: "q1",
    event_attributes: {
      objects: [
        { object_id: "c", ordinal: 3 },
        { object_id: "a", ordinal: 1 },
      ],
    },
  });
});

test("results that are shown again are no new impression", () => {
  const { reporter, tiles, observer } = watching();
  observer.show(tiles[0]);
  reporter.watch(tiles, "q1", ["a", "b", "c"]);
  observer.show(tiles[0]);
  reporter.flush();
  assert.equal(sent.length, 1);
  assert.equal(sent[0]?.body.event_attributes.objects.length, 1);
});

test("a followed link is a click, after the impressions before it, with the visitor who consents", () => {
  const { tiles, observer } = watching();
  consent(true);
  observer.show(tiles[0]);
  tiles[0].dispatchEvent(new Event("click"));
  assert.deepEqual(
    sent.map(({ body }) => body.action_name),
    ["impression", "click"],
  );
  assert.deepEqual(sent[1]?.body.event_attributes, { object: { object_id: "a" }, position: { ordinal: 1 } });
  assert.equal(sent[1]?.body.visitor, visitor());
});

test("a click next to the links of a tile is none", () => {
  const { tiles } = watching();
  tiles[1].dispatchEvent(new Event("click"));
  assert.deepEqual(sent, []);
});

test("results without a search are not watched", () => {
  const { reporter, tiles, observer } = watching();
  reporter.watch(tiles, null, ["a", "b", "c"]);
  assert.equal(observer.targets.size, 0);
});
