import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { Api, cataloguePath } from "../../services/gateway/static/shared/api.js";

const { fetch } = globalThis;
afterEach(() => {
  globalThis.fetch = fetch;
});

/**
 * Let the API respond to the next calls.
 * @param {() => Response|Promise<Response>} respond
 * @returns {{url: string, init: RequestInit}[]} the requests
 */
function respondWith(respond) {
  /** @type {{url: string, init: RequestInit}[]} */
  const requests = [];
  globalThis.fetch = async (url, init) => {
    requests.push({ url: String(url), init: init ?? {} });
    return respond();
  };
  return requests;
}

const api = new Api("https://gateway.example/", { key: "open sesame" });

test("the default catalogue's addresses have no prefix", () => {
  for (const name of [null, undefined, "", "default"]) assert.equal(cataloguePath(name), "");
  assert.equal(cataloguePath("outlet & more"), "/catalogues/outlet%20%26%20more");
});

test("a search by address sends JSON without the options that are empty", async () => {
  const requests = respondWith(() => Response.json({ results: [] }));
  await api.searchUrl("https://x.example/a.jpg", { k: 20, category: null, filter: {}, facets: true });
  assert.equal(requests[0]?.url, "https://gateway.example/v1/search");
  const body = JSON.parse(String(requests[0]?.init.body));
  assert.deepEqual(body, { image_url: "https://x.example/a.jpg", k: 20, facets: true });
  assert.equal(new Headers(requests[0]?.init.headers).get("Authorization"), "Bearer open sesame");
});

test("a search by photo sends a form with the filter as JSON", async () => {
  const requests = respondWith(() => Response.json({ results: [] }));
  await api.searchPhoto(new Blob(["jpeg"]), { k: 20, category: "Bags", filter: { price: { lte: 60 } } });
  const form = requests[0]?.init.body;
  assert.ok(form instanceof FormData);
  assert.deepEqual([...form.keys()], ["image", "k", "category", "filter"]);
  assert.equal(form.get("filter"), '{"price":{"lte":60}}');
});

test("a search by product has no category: it is the product's", async () => {
  const requests = respondWith(() => Response.json({ results: [] }));
  await api.similar("a/b", { k: 4, category: "Bags" });
  assert.equal(requests[0]?.url, "https://gateway.example/v1/products/a%2Fb/similar?k=4");
});

test("a problem becomes a failure with its type, text and request id", async () => {
  const problem = { type: "/problems/unknown-product", title: "Gone", detail: "no such product", request_id: "42" };
  respondWith(() => Response.json(problem, { status: 404 }));
  const expected = { code: "unknown-product", title: "Gone", detail: "no such product", requestId: "42", status: 404 };
  await assert.rejects(api.product("1"), expected);
});

test("an error without a problem is named by its status", async () => {
  respondWith(() => new Response("<html>", { status: 502, headers: { "X-Request-ID": "7" } }));
  await assert.rejects(api.catalogue(), { code: "http-502", requestId: "7", status: 502 });
});

test("a success that is no JSON is a failure", async () => {
  respondWith(() => new Response("<html>"));
  await assert.rejects(api.catalogue(), { code: "garbled", status: 200 });
});

test("a connection that fails is a failure without a status", async () => {
  respondWith(() => Promise.reject(new TypeError("Failed to fetch")));
  await assert.rejects(api.catalogue(), { code: "unreachable", detail: "Failed to fetch", status: 0 });
});

test("a search that is cancelled says so", async () => {
  const abort = new AbortController();
  respondWith(() => {
    abort.abort();
    throw new DOMException("aborted", "AbortError");
  });
  await assert.rejects(api.similar("1", {}, abort.signal), { code: "aborted" });
});
