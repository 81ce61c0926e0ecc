import assert from "node:assert/strict";
import { test } from "node:test";

import { colourOf, coloursOf, tilesOf } from "../../services/gateway/static/shared/tiles.js";
import { queryTraits, sharedTraits } from "../../services/gateway/static/shared/traits.js";

/** @param {Partial<import("../../services/gateway/static/types.js").Result>} fields */
const result = (fields) => ({
  id: "a",
  url: null,
  image_url: null,
  title: null,
  category: "Topwear",
  attributes: {},
  group: null,
  score: 0.9,
  image_index: 0,
  similarity: null,
  ...fields,
});

test("the variants of a style are one tile, at the place of the nearest", () => {
  const tiles = tilesOf([
    result({ id: "a", group: "S1", score: 0.9 }),
    result({ id: "b", score: 0.8 }),
    result({ id: "c", group: "S1", score: 0.7 }),
  ]);
  assert.deepEqual(
    tiles.map((tile) => [tile.result.id, tile.variants.map(({ id }) => id)]),
    [
      ["a", ["c"]],
      ["b", []],
    ],
  );
});

test("styles of different catalogues stay apart", () => {
  const tiles = tilesOf([result({ group: "S1", catalogue: "x" }), result({ group: "S1", catalogue: "y", score: 0.8 })]);
  assert.equal(tiles.length, 2);
});

test("products with the same picture are one tile with its offers", () => {
  const tiles = tilesOf([
    result({ id: "a", image_url: "/v1/products/a/image?v=0f3a", score: 0.9 }),
    result({ id: "b", image_url: "/v1/products/b/image?v=0f3a", score: 0.8 }),
    result({ id: "c", image_url: "https://x.example/c.jpg", score: 0.7 }),
    result({ id: "d", image_url: "https://y.example/d.jpg", score: 0.7 }),
    result({ id: "e", image_url: "https://y.example/e.jpg", score: 0.69 }),
  ]);
  assert.deepEqual(
    tiles.map((tile) => [tile.result.id, tile.offers.map(({ id }) => id)]),
    [
      ["a", ["b"]],
      ["c", ["d"]],
      ["e", []],
    ],
  );
});

test("a product's colour is the attribute that is one", () => {
  assert.equal(colourOf(result({ attributes: { baseColour: "Navy Blue" } })), "Navy Blue");
  assert.equal(colourOf(result({ attributes: { size: "M" } })), null);
});

test("sizes of one colour are one colour of a style, and a product without colour is none", () => {
  const products = [
    result({ id: "a", attributes: { colour: "Red", size: "S" } }),
    result({ id: "b", attributes: { colour: "red", size: "M" } }),
    result({ id: "c", attributes: { colour: "Blue", size: "S" } }),
    result({ id: "d", attributes: { size: "S" } }),
  ];
  assert.deepEqual(
    coloursOf(products).map(([name, { id }]) => [name, id]),
    [
      ["Red", "a"],
      ["Blue", "c"],
    ],
  );
});

test("a result shares the type, colour and pattern of the product that is searched with", () => {
  const query = queryTraits({ articleType: "Shirts", baseColour: "Blue", pattern: "striped" }, []);
  const near = result({ attributes: { articleType: "Shirts", baseColour: "Red", pattern: "striped" } });
  assert.deepEqual(sharedTraits(near, query), ["Shirts", "striped"]);
});

test("a photo seems to show what most of its nearest results have", () => {
  const results = ["Blue", "Blue", "Blue", "Red"].map((colour) =>
    result({ attributes: { color: colour, type: colour } }),
  );
  assert.deepEqual(
    [...queryTraits(null, results)],
    [
      ["type", "Blue"],
      ["colour", "Blue"],
    ],
  );
  const mixed = ["Blue", "Red", "Green"].map((colour) => result({ attributes: { color: colour } }));
  assert.equal(queryTraits(null, mixed).size, 0);
});
