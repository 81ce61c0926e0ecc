import assert from "node:assert/strict";
import { test } from "node:test";

import { newSearch, packPhoto, read, unpackPhoto, write } from "../../services/gateway/static/search/address.js";

/** @import { PageState } from "../../services/gateway/static/types.js" */

/** @param {string} path */
const readPath = (path) => read(new URL(path, "https://shop.example"));

/** @type {PageState[]} */
const STATES = [
  newSearch({ kind: "start" }),
  newSearch({ kind: "visit", id: "0a1b2c3d" }),
  newSearch({ kind: "photo", data: "wAB-_c" }),
  { ...newSearch({ kind: "like", id: "a b/c" }), category: "Bags", k: 40 },
  {
    ...newSearch({ kind: "url", url: "https://x.example/a?b=1&c=2" }),
    filter: { price: { lte: 60 }, colour: ["Red"] },
  },
];

for (const state of STATES) {
  test(`${state.query.kind}: an address that is written is read as the same state`, () => {
    assert.deepEqual(readPath(write(state)), state);
  });
}

test("the first view's address is the root", () => {
  assert.equal(write({ ...newSearch({ kind: "start" }), category: "Bags" }), "/");
});

test("a number of results is at least 1 and at most 100", () => {
  assert.equal(readPath("/?like=1&n=1000").k, 100);
  assert.equal(readPath("/?like=1&n=-3").k, 1);
  assert.equal(readPath("/?like=1&n=many").k, 20);
});

test("a filter that is no JSON object is empty", () => {
  for (const text of ["{", "[1]", "null", "3"]) {
    assert.deepEqual(readPath(`/?like=1&filter=${encodeURIComponent(text)}`).filter, {});
  }
});

test("a photo survives the alphabet of addresses", () => {
  for (const [type, body] of [
    ["webp", "ab+/cd"],
    ["png", "AAAA"],
    ["jpeg", "x/y+"],
  ]) {
    const url = `data:image/${type};base64,${body}`;
    const packed = packPhoto(`${url}==`);
    assert.match(packed, /^[wpj][\w-]+$/);
    assert.equal(unpackPhoto(packed), url);
  }
});
