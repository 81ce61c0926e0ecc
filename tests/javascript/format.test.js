import assert from "node:assert/strict";
import { test } from "node:test";

import { heading, number, price, similarity } from "../../services/gateway/static/shared/format.js";
import { stringsFor } from "../../services/gateway/static/shared/strings.js";

const t = stringsFor("en");

test("a similarity is a label and a percentage, rounded down", () => {
  const result = { score: 0.5, similarity: { value: 0.999, label: /** @type {const} */ ("very alike") } };
  assert.deepEqual(similarity(result, t), { percent: 99, text: "Very alike · 99 %" });
});

test("only the same picture has 100 percent", () => {
  const result = { score: 1, similarity: { value: 1, label: /** @type {const} */ ("nearly the same") } };
  assert.equal(similarity(result, t).percent, 100);
});

test("without a similarity the score is shown, between 0 and 100 percent", () => {
  assert.deepEqual(similarity({ score: 0.876, similarity: null }, t), { percent: 87, text: "87 % alike" });
  assert.equal(similarity({ score: -0.2, similarity: null }, t).percent, 0);
});

test("a price has the product's currency, else the shop's, else none", () => {
  const options = { language: "en", currency: "EUR" };
  assert.equal(price({ price: 29.9, currency: "usd" }, options), "$29.90");
  assert.equal(price({ price: "29.9" }, options), "€29.90");
  assert.equal(price({ price: 29.912 }, { language: "en" }), "29.91");
});

test("a currency that is no code is ignored", () => {
  assert.equal(price({ price: 5, currency: "euros" }, { language: "en" }), "5");
});

test("a product without a price has none", () => {
  assert.equal(price({}, { language: "en" }), null);
  assert.equal(price({ price: "" }, { language: "en" }), null);
  assert.equal(price({ price: "on request" }, { language: "en" }), null);
});

test("a price of zero is a price", () => {
  assert.equal(price({ price: 0 }, { language: "en", currency: "EUR" }), "€0.00");
});

test("an attribute's name becomes a heading", () => {
  assert.equal(heading("baseColour"), "Base colour");
  assert.equal(heading("images_rejected"), "Images rejected");
});

test("numbers are written in the language with one decimal", () => {
  assert.equal(number(1234.56, "de"), "1.234,6");
});
