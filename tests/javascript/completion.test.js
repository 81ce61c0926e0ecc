import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { piecesOf, whenNear } from "../../services/gateway/static/shared/completion.js";

/** @import { Look } from "../../services/gateway/static/types.js" */

/** @type {{callback: (entries: {isIntersecting: boolean}[]) => void, isConnected: boolean}[]} */
let observers = [];

beforeEach(() => {
  observers = [];
  class Observer {
    isConnected = false;

    /** @param {(entries: {isIntersecting: boolean}[]) => void} callback */
    constructor(callback) {
      this.callback = callback;
      observers.push(this);
    }

    observe() {
      this.isConnected = true;
    }

    disconnect() {
      this.isConnected = false;
    }
  }
  Object.defineProperty(globalThis, "IntersectionObserver", { value: Observer, configurable: true });
});

/** @param {string} id */
const product = (id) => ({
  id,
  url: null,
  image_url: null,
  title: id,
  category: "",
  attributes: {},
  compatibility: 0.4,
});

/** @param {"learned"|"similarity"} basis @param {number} [baskets] of the shoes @returns {Look} */
const look = (basis, baskets = 0) =>
  /** @type {any} */ ({
    basis,
    look: [
      { category: "Shoes", results: [product("s1"), product("s2")], baskets },
      { category: "Bags", results: [], baskets: 0 },
      { category: "Topwear", results: [product("t1")], baskets: 0 },
      { category: "Watches", results: [product("w1")], baskets: 0 },
    ],
  });

/** @param {Look} response */
const shown = (response) => piecesOf(response, "Topwear").map(({ category, product: { id } }) => `${category} ${id}`);

test("a look shows the best product of each other category", () => {
  assert.deepEqual(shown(look("learned")), ["Shoes s1", "Watches w1"]);
});

test("without a model and baskets that say what goes together there is no look", () => {
  assert.deepEqual(shown(look("similarity")), []);
  assert.deepEqual(shown(look("similarity", 0.2)), ["Shoes s1"]);
});

test("a look is loaded once, when it comes near", () => {
  let count = 0;
  whenNear(/** @type {any} */ ({}), () => {
    count += 1;
  });
  const [observer] = observers;
  assert.ok(observer?.isConnected);
  observer.callback([{ isIntersecting: false }]);
  assert.equal(count, 0);
  observer.callback([{ isIntersecting: false }, { isIntersecting: true }]);
  assert.equal(count, 1);
  assert.ok(!observer.isConnected);
});

test("results that are replaced end the wait for their look", () => {
  const stop = whenNear(/** @type {any} */ ({}), () => assert.fail("it is loaded"));
  stop();
  assert.ok(!observers[0]?.isConnected);
});
