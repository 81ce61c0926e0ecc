import assert from "node:assert/strict";
import { test } from "node:test";

import { chosenValues, withBound, withValue } from "../../services/gateway/static/shared/filters.js";

test("a condition is a value or a list of values; a range has no values", () => {
  assert.deepEqual(chosenValues("Red"), ["Red"]);
  assert.deepEqual(chosenValues(["Red", 3]), ["Red", 3]);
  assert.deepEqual(chosenValues(false), [false]);
  assert.deepEqual(chosenValues({ gte: 1 }), []);
  assert.deepEqual(chosenValues(undefined), []);
});

test("values are added and removed, and the last one takes the attribute with it", () => {
  const one = withValue({ size: "M" }, "colour", "Red", true);
  assert.deepEqual(one, { size: "M", colour: ["Red"] });
  const two = withValue(one, "colour", "Blue", true);
  assert.deepEqual(two, { size: "M", colour: ["Red", "Blue"] });
  assert.deepEqual(withValue(two, "colour", "Red", false), { size: "M", colour: ["Blue"] });
  assert.deepEqual(withValue(one, "colour", "Red", false), { size: "M" });
});

test("bounds of a range are set one by one", () => {
  const from = withBound({}, "price", "gte", "10");
  assert.deepEqual(from, { price: { gte: 10 } });
  const both = withBound(from, "price", "lte", "60.5");
  assert.deepEqual(both, { price: { gte: 10, lte: 60.5 } });
  assert.deepEqual(withBound(both, "price", "gte", "0"), { price: { gte: 0, lte: 60.5 } });
});

test("a bound that is empty or no number is removed, and the last one takes the attribute with it", () => {
  assert.deepEqual(withBound({ price: { gte: 10, lte: 60 } }, "price", "gte", " "), { price: { lte: 60 } });
  assert.deepEqual(withBound({ price: { gte: 10 } }, "price", "gte", "ten"), {});
});

test("the filter that is changed stays as it is", () => {
  const filter = { colour: ["Red"], price: { gte: 1 } };
  withValue(filter, "colour", "Blue", true);
  withBound(filter, "price", "lte", "2");
  assert.deepEqual(filter, { colour: ["Red"], price: { gte: 1 } });
});
