import assert from "node:assert/strict";
import { test } from "node:test";

import { headerSize, isAnimated, sniff } from "../../services/gateway/static/shared/sniff.js";

/** @param {string} text one letter a byte */
const bytes = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

/** @type {[string, string][]} */
const HEADS = [
  ["", "empty"],
  ["\xff\xd8\xff\xe0", "jpeg"],
  ["\x89PNG\r\n\x1a\n", "png"],
  ["GIF89a", "gif"],
  ["RIFF\0\0\0\0WEBPVP8 ", "webp"],
  ["RIFF\0\0\0\0WAVE", "unknown"],
  ["BM\0\0", "bmp"],
  ["%PDF-1.7", "pdf"],
  ["II*\0", "tiff"],
  ["MM\0*", "tiff"],
  ["\0\0\0\x18ftypheic\0\0\0\0mif1heic", "heic"],
  ["\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "avif"],
  ["\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1", "video"],
  ['  <svg xmlns="http://www.w3.org/2000/svg">', "svg"],
  ['<?xml version="1.0"?>\n<!-- drawn -->\n<svg>', "svg"],
  ["just a few words", "unknown"],
];

for (const [head, format] of HEADS) {
  test(`${JSON.stringify(head.slice(0, 24))} is ${format}`, () => assert.equal(sniff(bytes(head)), format));
}

test("a GIF with two frames is animated", () => {
  const frame = "\x21\xf9\x04\0\0\0\0\0";
  assert.equal(isAnimated(bytes(`GIF89a${frame}`)), false);
  assert.equal(isAnimated(bytes(`GIF89a${frame}data${frame}`)), true);
});

test("a PNG's size stands in its header", () => {
  const png = bytes("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0");
  assert.deepEqual(headerSize(png), { width: 640, height: 480 });
});

test("a JPEG's size stands in its frame, after other segments", () => {
  const jpeg = bytes("\xff\xd8\xff\xe0\0\x04ab\xff\xc4\0\x03a\xff\xc0\0\x0b\x08\x01\xe0\x02\x80\x03");
  assert.deepEqual(headerSize(jpeg), { width: 640, height: 480 });
});

test("a header that is cut off has no size", () => {
  assert.equal(headerSize(bytes("\x89PNG")), null);
  assert.equal(headerSize(bytes("\xff\xd8\xff\xe0\0\x04ab")), null);
  assert.equal(headerSize(bytes("GIF89a")), null);
});
