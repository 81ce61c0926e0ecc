import assert from "node:assert/strict";
import { test } from "node:test";

import { strengths, strongestParts } from "../../services/gateway/static/catalogue/explanation.js";

/** @param {Record<string, number>} drops by "row,column" */
const grid = (drops) =>
  Array.from({ length: 7 }, (_, y) => Array.from({ length: 7 }, (_, x) => drops[`${y},${x}`] ?? 0));

test("the strongest parts are named, the strongest first, each once", () => {
  assert.deepEqual(strongestParts(grid({ "0,6": 0.2, "1,5": 0.18, "3,3": 0.3, "6,0": 0.1 })), ["centre", "top right"]);
});

test("the edges of a picture have different names", () => {
  assert.deepEqual(strongestParts(grid({ "3,0": 0.2 })), ["left"]);
  assert.deepEqual(strongestParts(grid({ "6,3": 0.2 })), ["bottom"]);
  assert.deepEqual(strongestParts(grid({ "6,0": 0.2 })), ["bottom left"]);
});

test("where no part lowers the similarity, none is named or marked", () => {
  assert.deepEqual(strongestParts(grid({ "3,3": 0.001, "2,2": -0.2 })), []);
  assert.ok(Math.max(...strengths(grid({ "3,3": 0.001, "2,2": -0.2 }))) <= 0.2);
});

test("the strength is the share of the greatest drop, and nothing for a part that makes the pictures less alike", () => {
  const marks = strengths([
    [0.1, 0.2],
    [-0.1, 0],
  ]);
  assert.deepEqual(marks, [0.5, 1, 0, 0]);
});
