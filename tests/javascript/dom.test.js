import assert from "node:assert/strict";
import { test } from "node:test";

import { safeUrl } from "../../services/gateway/static/shared/dom.js";

const BASE = "https://shop.example/page";

for (const url of [
  "javascript:alert(1)",
  " JavaScript:alert(1)",
  "data:text/html,x",
  "vbscript:x",
  "file:///x",
  "http://",
]) {
  test(`${url} is no link`, () => {
    assert.equal(safeUrl(url, BASE), null);
  });
}

test("an address of the web, or a path of the shop, is a link", () => {
  assert.equal(safeUrl("https://a.example/x?y=1", BASE), "https://a.example/x?y=1");
  assert.equal(safeUrl("/products/1", BASE), "https://shop.example/products/1");
  assert.equal(safeUrl("", BASE), null);
});
