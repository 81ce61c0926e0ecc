import assert from "node:assert/strict";
import { test } from "node:test";

import { filterText, plainNotes, ruledNotes, stateOf } from "../../services/gateway/static/catalogue/rules.js";

/** @param {string} text */
const at = (text) => Date.parse(text);

test("a rule is in force from its start to the end of its last day", () => {
  const rule = { enabled: true, starts: "2026-12-01", ends: "2026-12-24" };
  assert.equal(stateOf(rule, at("2026-11-30T23:59:59Z")), "later");
  assert.equal(stateOf(rule, at("2026-12-01T00:00:00Z")), "on");
  assert.equal(stateOf(rule, at("2026-12-24T23:59:59Z")), "on");
  assert.equal(stateOf(rule, at("2026-12-25T00:00:00Z")), "ended");
  assert.equal(stateOf({ ...rule, enabled: false }, at("2026-12-10T00:00:00Z")), "off");
  assert.equal(stateOf({ enabled: true }, 0), "on");
});

test("a moment without an offset is in UTC", () => {
  for (const starts of ["2026-12-01T10:00", "2026-12-01T12:00+02:00", "2026-12-01T10:00:00Z"]) {
    assert.equal(stateOf({ enabled: true, starts }, at("2026-12-01T09:59:59Z")), "later", starts);
    assert.equal(stateOf({ enabled: true, starts }, at("2026-12-01T10:00:00Z")), "on", starts);
  }
  assert.equal(stateOf({ enabled: true, ends: "2026-12-01T10:00" }, at("2026-12-01T10:00:01Z")), "ended");
});

test("a filter reads as a sentence", () => {
  assert.equal(
    filterText({ sale: true, margin: { gte: 0.2, lt: 0.5 } }),
    "sale = true and margin ≥ 0.2 and margin < 0.5",
  );
  assert.equal(filterText({ brand: ["A", "B"] }), "brand = A or B");
  assert.equal(filterText({ $or: [{ a: 1 }, { b: 2 }], $not: { c: "x" } }), "(a = 1) or (b = 2) and not (c = x)");
  assert.equal(filterText({}), "");
});

test("each order says where a product is in the other, and why it moved", () => {
  /** @param {string} id @param {object[]} [moved] @returns {any} */
  const result = (id, moved) => ({ id, moved });
  const plain = ["a", "b", "c"].map((id) => result(id));
  const boost = { reason: "boost", rule: "sale", by: 0.05 };
  const ruled = [result("z", [{ reason: "pin", rule: "top", by: null }]), result("b"), result("a", [boost])];
  assert.deepEqual(plainNotes(plain, ruled), ["1, now 3", "2", "3, now hidden or below these"]);
  assert.deepEqual(ruledNotes(plain, ruled), [
    "1, not among these before · pin top",
    "2",
    "3, before 1 · boost sale +0.050",
  ]);
});
