import assert from "node:assert/strict";
import { test } from "node:test";

import { stateChecks, trialChecks } from "../../services/gateway/static/catalogue/inspector.js";
import { Failure } from "../../services/gateway/static/shared/api.js";

/** @type {any} */
const PRODUCT = { id: "a", category: "Shoes", category_source: "feed", prediction: null, model: "fashion/3" };
const FOUND = { value: /** @type {any} */ ({ results: [] }) };
const GONE = { error: new Failure("unknown-product", { status: 404 }) };

/** @param {{isMet: boolean|null}[]} checks */
const met = (checks) => checks.map(({ isMet }) => isMet);

test("a product that is stored, of the active model and in the index can be found", () => {
  assert.deepEqual(met(stateChecks({ value: PRODUCT }, FOUND, "fashion/3")), [true, true, true, null]);
});

test("an unknown product is not in the catalogue", () => {
  const [check, ...others] = stateChecks(GONE, GONE, "fashion/3");
  assert.match(check?.text ?? "", /never imported, was rejected, or was deleted/);
  assert.equal(others.length, 0);
});

test("a failure of the server is reported as it is", () => {
  const error = new Failure("catalogue-unavailable", { status: 503, detail: "the database cannot be reached" });
  assert.deepEqual(stateChecks({ error }, GONE, null), [{ text: "the database cannot be reached", isMet: false }]);
});

test("a vector of another model, and a product that the index lacks, are reasons", () => {
  const checks = stateChecks({ value: { ...PRODUCT, model: "fashion/2" } }, GONE, "fashion/3");
  assert.deepEqual(met(checks), [true, false, false, null]);
});

test("a category that the network does not see in the picture is a reason", () => {
  const prediction = { id: 2, name: "Bags", probability: 0.9 };
  const checks = stateChecks({ value: { ...PRODUCT, prediction } }, FOUND, "fashion/3");
  assert.match(checks.at(-1)?.text ?? "", /takes its picture for Bags/);
});

test("a photo finds the product at its place, or not", () => {
  const results = ["x", "a"].map((id, place) => ({ id, score: 0.9 - place / 10 }));
  /** @type {any} */
  const response = { outcome: "ok", category: { name: "Shoes" }, results };
  assert.match(trialChecks(PRODUCT, response)[0]?.text ?? "", /number 2, with the score 0.800. The first has 0.900/);
  assert.match(trialChecks({ ...PRODUCT, id: "z" }, response)[0]?.text ?? "", /not among the first 2/);
  assert.match(trialChecks({ ...PRODUCT, category: "Bags" }, response)[0]?.text ?? "", /searches in Shoes/);
  const refused = trialChecks(PRODUCT, { ...response, outcome: "no_clothing" });
  assert.deepEqual(met(refused), [false, true]);
});
