import assert from "node:assert/strict";
import { test } from "node:test";

import { historyChecks, stateChecks, trialChecks } from "../../services/gateway/static/catalogue/inspector.js";
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

/** @param {string} id @param {string} from @param {string|null} to */
const made = (id, from, to) => ({
  id,
  source: `${id}.csv`,
  state: /** @type {const} */ ("done"),
  started_at: `2026-05-0${from}+00:00`,
  finished_at: to && `2026-05-0${to}+00:00`,
});
const IMPORTS = [made("third", "3T10:00:00", "3T11:00:00"), made("first", "1T10:00:00", "1T11:00:00")];

/** @param {string|null} at @param {"import"|"api"|null} by @param {ReturnType<typeof made>[]} imports */
const history = (at, by, imports = IMPORTS) =>
  historyChecks({ created_at: null, updated_at: at, updated_by: by }, imports, "en").map(({ text }) => text);

test("the import that changed a product is the one that ran at that time, and a later one left it unchanged", () => {
  const [changed, unchanged, ...others] = history("2026-05-01T10:30:00+00:00", "import");
  assert.match(changed ?? "", /first\.csv \(first\)/);
  assert.match(unchanged ?? "", /The latest import, third\.csv, .+ did not change it/);
  assert.equal(others.length, 0);
});

test("the time when a product was added comes before its last change", () => {
  /** @type {Parameters<typeof historyChecks>[0]} */
  const product = {
    created_at: "2026-04-01T10:00:00+00:00",
    updated_at: "2026-05-01T10:30:00+00:00",
    updated_by: "api",
  };
  const [added, changed] = historyChecks(product, [], "en-GB");
  assert.match(added?.text ?? "", /^It was added on 01\/04\/2026/);
  assert.match(changed?.text ?? "", /A request for this product last changed it on 01\/05\/2026/);
});

test("a product may be written in the second in which its import starts", () => {
  const [sameSecond] = history("2026-05-01T10:00:00+00:00", "import", [
    made("first", "1T10:00:00.412", "1T10:00:00.9"),
  ]);
  assert.match(sameSecond ?? "", /first\.csv/);
});

test("an import that still runs may be the one", () => {
  const running = { ...made("now", "4T10:00:00", null), state: /** @type {any} */ ("running") };
  assert.match(history("2026-05-04T10:00:01+00:00", "import", [running, ...IMPORTS])[0] ?? "", /now\.csv/);
});

test("an import that is no longer listed, a request, and a document of others have different texts", () => {
  assert.match(history("2026-05-02T10:30:00+00:00", "import")[0] ?? "", /the last 50 imports do not include it/);
  assert.match(history("2026-05-01T10:30:00+00:00", "api")[0] ?? "", /A request for this product/);
  assert.match(history(null, null)[0] ?? "", /not known/);
});
