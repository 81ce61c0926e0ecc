import assert from "node:assert/strict";
import { test } from "node:test";

import { attributeKind, attributeName, heading, number, price } from "../../services/gateway/static/shared/format.js";
import { loadStrings } from "../../services/gateway/static/shared/strings.js";

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

test("an attribute is known by the names that feeds give it", () => {
  assert.equal(attributeKind("baseColour"), "colour");
  assert.equal(attributeKind("Product Type"), "type");
  assert.equal(attributeKind("lead_time"), null);
});

test("an attribute is named in the page's language, or as the feed names it", async () => {
  const t = await loadStrings("de");
  assert.equal(attributeName("baseColour", t), "Farbe");
  assert.equal(attributeName("lead_time", t), "Lead time");
});
