import assert from "node:assert/strict";
import { test } from "node:test";

import { newId, Visit } from "../../services/gateway/static/search/visit.js";

/** @import { Entry } from "../../services/gateway/static/types.js" */

/** Storage that holds a given number of letters. */
class FakeStorage {
  /** @type {Map<string, string>} */
  values = new Map();

  /** @param {number} [capacity] */
  constructor(capacity = Number.POSITIVE_INFINITY) {
    this.capacity = capacity;
  }

  /** @param {string} key */
  getItem(key) {
    return this.values.get(key) ?? null;
  }

  /** @param {string} key @param {string} value */
  setItem(key, value) {
    if (value.length > this.capacity) throw new DOMException("full", "QuotaExceededError");
    this.values.set(key, value);
  }
}

/** @param {string} id @returns {Entry} */
const entry = (id) => ({ id, kind: "like", label: id, thumbnail: null, query: { kind: "like", id } });

/** @param {Visit} visit */
const ids = (visit) => visit.entries.map(({ id }) => id);

test("the newest search is first, and a repeated one moves up", () => {
  const visit = new Visit(new FakeStorage());
  for (const id of ["a", "b", "c", "a"]) visit.add(entry(id));
  assert.deepEqual(ids(visit), ["a", "c", "b"]);
  assert.equal(visit.find("b")?.label, "b");
});

test("a visit has at most twelve searches", () => {
  const visit = new Visit(new FakeStorage());
  for (let number = 0; number < 20; number += 1) visit.add(entry(String(number)));
  assert.equal(visit.entries.length, 12);
});

test("a reload finds the visit of its own catalogue", () => {
  const storage = new FakeStorage();
  new Visit(storage, "/catalogues/outlet").add(entry("a"));
  assert.deepEqual(ids(new Visit(storage, "/catalogues/outlet")), ["a"]);
  assert.deepEqual(ids(new Visit(storage)), []);
});

test("a full storage keeps the newest searches", () => {
  const storage = new FakeStorage(JSON.stringify([entry("a")]).length);
  const visit = new Visit(storage);
  visit.add(entry("a"));
  visit.add(entry("b"));
  assert.deepEqual(ids(visit), ["b", "a"]);
  assert.deepEqual(ids(new Visit(storage)), ["b"]);
});

test("a storage that is disabled or holds something else is an empty visit", () => {
  for (const text of ["{", "3", '[null, {"id": 3}]']) {
    assert.deepEqual(ids(new Visit({ getItem: () => text, setItem: () => undefined })), []);
  }
  /** @returns {never} */
  const refuse = () => {
    throw new DOMException("disabled", "SecurityError");
  };
  const visit = new Visit({ getItem: refuse, setItem: refuse });
  visit.add(entry("a"));
  assert.deepEqual(ids(visit), ["a"]);
});

test("clearing removes the searches from memory and storage", () => {
  const storage = new FakeStorage();
  const visit = new Visit(storage);
  visit.add(entry("a"));
  visit.clear();
  assert.deepEqual(ids(new Visit(storage)), []);
});

test("ids are eight hexadecimal digits and differ", () => {
  assert.match(newId(), /^[0-9a-f]{8}$/);
  assert.notEqual(newId(), newId());
});
