import assert from "node:assert/strict";
import { test } from "node:test";

import { newSearch } from "../../services/gateway/static/search/address.js";
import { Search } from "../../services/gateway/static/search/search.js";
import { Api } from "../../services/gateway/static/shared/api.js";

/** @import { AnySearchResponse, Look, SearchOptions, Subject } from "../../services/gateway/static/types.js" */
/** @typedef {{id: string, options: SearchOptions, signal?: AbortSignal, respond: () => void}} Call */

/** An API whose responses a test sends. */
class FakeApi extends Api {
  /** @type {Call[]} */
  calls = [];
  /** Ids of the products whose looks were asked for. @type {string[]} */
  looks = [];
  /** Whether looks fail. */
  isFailing = false;

  /** @override @param {string} id @returns {Promise<Look>} */
  async look(id) {
    this.looks.push(id);
    if (this.isFailing) throw new Error("unavailable");
    return /** @type {any} */ ({ look: [] });
  }

  /** @override @param {string} id @param {SearchOptions} options @param {AbortSignal} [signal] */
  similar(id, options, signal) {
    /** @type {Promise<AnySearchResponse>} */
    const response = new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(new Error("aborted")));
      this.calls.push({ id, options, signal, respond: () => resolve(RESPONSE) });
    });
    return response;
  }
}

/** @type {AnySearchResponse} */
const RESPONSE = {
  outcome: "ok",
  category: { id: 0, name: "Shoes", probability: null },
  results: [],
  next_page: null,
  facets: [],
  model: "fashion/2",
  request_id: null,
  timings_ms: {},
};

/** @param {string} id @returns {Subject} */
const subject = (id) => ({ query: { kind: "like", id }, label: id, product: null });
/** @param {string} id */
const state = (id) => newSearch({ kind: "like", id });

test("a response stays in memory", async () => {
  const api = new FakeApi("");
  const search = new Search(api, {});
  const first = search.run(subject("a"), state("a"));
  assert.ok(search.isInProgress(subject("a"), state("a")));
  assert.ok(!search.isCached(subject("a"), state("a")));
  api.calls[0]?.respond();
  assert.equal(await first, RESPONSE);
  assert.ok(!search.isInProgress(subject("a"), state("a")));
  assert.equal(await search.run(subject("a"), state("a")), RESPONSE);
  assert.equal(api.calls.length, 1);
});

test("other filters are another search", async () => {
  const api = new FakeApi("");
  const search = new Search(api, { facets: true });
  search.run(subject("a"), state("a")).catch(() => null);
  const filtered = { ...state("a"), filter: { colour: ["Red"] } };
  assert.ok(!search.isInProgress(subject("a"), filtered));
  search.run(subject("a"), filtered);
  const options = { k: 20, category: null, filter: { colour: ["Red"] }, facets: true };
  assert.deepEqual(api.calls[1]?.options, options);
});

test("a search cancels the one in progress", async () => {
  const api = new FakeApi("");
  const search = new Search(api, {});
  const first = assert.rejects(search.run(subject("a"), state("a")));
  const second = search.run(subject("b"), state("b"));
  await first;
  assert.ok(api.calls[0]?.signal?.aborted);
  assert.ok(search.isInProgress(subject("b"), state("b")));
  api.calls[1]?.respond();
  await second;
  assert.ok(!search.isCached(subject("a"), state("a")));
});

test("the oldest of more than 30 responses is forgotten", async () => {
  const api = new FakeApi("");
  const search = new Search(api, {});
  for (let number = 0; number <= 30; number += 1) {
    const response = search.run(subject(`${number}`), state(`${number}`));
    api.calls.at(-1)?.respond();
    await response;
  }
  assert.ok(!search.isCached(subject("0"), state("0")));
  assert.ok(search.isCached(subject("1"), state("1")));
});

test("without a detector no photo has garments", async () => {
  const photo = /** @type {any} */ ({ query: { kind: "visit", id: "1" }, photo: {} });
  assert.deepEqual(await new Search(new FakeApi(""), {}).garments(photo), []);
});

test("a look is loaded once for each subject", async () => {
  const api = new FakeApi("");
  const search = new Search(api, {});
  assert.equal(await search.look(subject("a")), await search.look(subject("a")));
  await search.look(subject("b"));
  assert.deepEqual(api.looks, ["a", "b"]);
});

test("a look that failed is loaded again", async () => {
  const api = new FakeApi("");
  const search = new Search(api, {});
  api.isFailing = true;
  await assert.rejects(search.look(subject("a")));
  api.isFailing = false;
  await search.look(subject("a"));
  assert.deepEqual(api.looks, ["a", "a"]);
});
