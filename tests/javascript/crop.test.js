import assert from "node:assert/strict";
import { test } from "node:test";

import { boxVariables } from "../../services/gateway/static/shared/box.js";
import { dragged, edgePosition, moveBox, moveEdge } from "../../services/gateway/static/shared/crop.js";
import { WHOLE } from "../../services/gateway/static/shared/photo.js";

/** @import { Box } from "../../services/gateway/static/types.js" */

const BOX = { x: 0.2, y: 0.25, width: 0.5, height: 0.5 };

/** @param {Box} box @param {Box} expected */
function assertBox(box, expected) {
  for (const side of /** @type {(keyof Box)[]} */ (Object.keys(expected))) {
    assert.ok(Math.abs(box[side] - expected[side]) < 1e-9, `${side}: ${box[side]} is not ${expected[side]}`);
  }
}

test("an edge moves and the opposite edge stays", () => {
  assertBox(moveEdge(BOX, "left", 0.3), { x: 0.3, y: 0.25, width: 0.4, height: 0.5 });
  assertBox(moveEdge(BOX, "right", 0.9), { x: 0.2, y: 0.25, width: 0.7, height: 0.5 });
  assertBox(moveEdge(BOX, "top", 0.5), { x: 0.2, y: 0.5, width: 0.5, height: 0.25 });
  assertBox(moveEdge(BOX, "bottom", 1), { x: 0.2, y: 0.25, width: 0.5, height: 0.75 });
});

test("an edge stays in the photo and the box keeps its smallest side", () => {
  assert.equal(edgePosition(moveEdge(BOX, "left", -1), "left"), 0);
  assert.equal(edgePosition(moveEdge(BOX, "bottom", 2), "bottom"), 1);
  assertBox(moveEdge(BOX, "left", 1), { x: 0.62, y: 0.25, width: 0.08, height: 0.5 });
  assertBox(moveEdge(BOX, "top", 1), { x: 0.2, y: 0.67, width: 0.5, height: 0.08 });
  assertBox(moveEdge(BOX, "right", 0), { x: 0.2, y: 0.25, width: 0.08, height: 0.5 });
  assertBox(moveEdge(BOX, "bottom", 0), { x: 0.2, y: 0.25, width: 0.5, height: 0.08 });
});

test("the whole box stays in the photo", () => {
  assertBox(moveBox(BOX, 0.1, -0.1), { x: 0.3, y: 0.15, width: 0.5, height: 0.5 });
  assertBox(moveBox(BOX, 1, -1), { x: 0.5, y: 0, width: 0.5, height: 0.5 });
});

test("a corner moves both its edges, an edge only itself", () => {
  assertBox(dragged(BOX, "bottom-right", 0.1, 0.2), { x: 0.2, y: 0.25, width: 0.6, height: 0.7 });
  assertBox(dragged(BOX, "top-left", 0.1, 0.2), { x: 0.3, y: 0.45, width: 0.4, height: 0.3 });
  assertBox(dragged(BOX, "right", 0.1, 0.2), { x: 0.2, y: 0.25, width: 0.6, height: 0.5 });
  assertBox(dragged(BOX, "top", 0.1, 0.2), { x: 0.2, y: 0.45, width: 0.5, height: 0.3 });
  assertBox(dragged(BOX, "move", 0.1, 0.1), { x: 0.3, y: 0.35, width: 0.5, height: 0.5 });
});

test("a box is drawn in percent", () => {
  assert.deepEqual(boxVariables(WHOLE), { "--x": "0.00%", "--y": "0.00%", "--w": "100.00%", "--h": "100.00%" });
});
