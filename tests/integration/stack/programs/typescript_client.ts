/** Calls a running gateway through the TypeScript client; ends with an assertion error if a response is not right. */

import assert from "node:assert/strict";
import { openAsBlob } from "node:fs";
import { Lookalike, Problem } from "../../../../clients/typescript/src/index.ts";

const [address = "", photoPath = "", photoUrl = ""] = process.argv.slice(2);
const photo = await openAsBlob(photoPath);
const shop = new Lookalike(address);
const id = "typescript/client image";

const fields = { title: "By TypeScript", attributes: { maker: "typescript", price: 30 } };
const product = await shop.put(id, fields, { image: photo, images: [photo] }, { wait: true });
assert.equal(product.searchable, true);
await shop.put("typescript/another", {}, { image: photo }, { wait: true });
assert.equal((await shop.get(id)).id, id);

const byFile = await shop.search(photo, { k: 100 });
assert.ok(byFile.results.some((result) => result.id === id));
assert.ok(byFile.results.every((result) => result.score <= 1));
const byUrl = await shop.search(photoUrl, { k: 3 });
assert.equal(byUrl.category.name, byFile.category.name);
const filtered = await shop.search(photo, { k: 5, filter: { maker: "typescript" }, box: [0, 0, 1, 1] });
assert.deepEqual(
  filtered.results.map((result) => result.id),
  [id],
);

const pages = [];
for await (const page of shop.searchPages(photo, { k: 1 }, 2)) pages.push(page);
assert.equal(pages.length, 2);
assert.notEqual(pages[0]?.results[0]?.id, pages[1]?.results[0]?.id);
assert.ok(Array.isArray((await shop.detect(photo)).garments));
assert.ok((await shop.similar(id, { k: 3 })).results.every((result) => result.id !== id));

const changed = await shop.patch(id, { title: null, attributes: { price: 25 } }, {}, { wait: true });
assert.deepEqual([changed.title, changed.attributes], [null, { maker: "typescript", price: 25 }]);
const listed = [];
for await (const one of shop.products({ filter: { maker: "typescript" }, limit: 100 })) listed.push(one.id);
assert.deepEqual(listed, [id]);

await assert.rejects(shop.search(new Blob(["no image"])), (error) => {
  assert.ok(error instanceof Problem);
  assert.equal(error.slug, "unsupported-image");
  return true;
});
await assert.rejects(shop.search(photo, { k: 0 }), (error) => {
  assert.ok(error instanceof Problem);
  assert.equal(error.errors[0]?.pointer, "#/query/k");
  return true;
});

const feed = `${JSON.stringify({ id: "ts-feed", image_url: photoUrl })}\n`;
const outcomes = [];
for await (const line of shop.importFeed(feed, { wait: true })) outcomes.push(line);
assert.equal(outcomes[1]?.outcome, "imported");
assert.equal(outcomes.at(-1)?.import?.searchable, true);
assert.deepEqual(await shop.deleteMany(["ts-feed", "nobody"]), { deleted: 1, unknown: ["nobody"] });
await shop.delete("typescript/another");
await shop.delete(id, { wait: true });
await assert.rejects(shop.get(id), (error) => error instanceof Problem && error.status === 404);
console.log("every call was right");
