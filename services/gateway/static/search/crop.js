/** A frame over the photo: dragged with a pointer, or moved edge by edge with the keyboard. */

import { h } from "../shared/dom.js";
import { WHOLE } from "../shared/photo.js";

const LEAST = 0.08;
const STEP = 0.02;
const EDGES = ["left", "right", "top", "bottom"];
const CORNERS = ["top-left", "top-right", "bottom-left", "bottom-right"];
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** @param {import("../shared/photo.js").Box} box @param {string} edge @param {number} to 0 to 1 */
export function moveEdge(box, edge, to) {
  const right = box.x + box.width;
  const bottom = box.y + box.height;
  if (edge === "left") return withX(box, clamp(to, 0, right - LEAST), right);
  if (edge === "right") return withX(box, box.x, clamp(to, box.x + LEAST, 1));
  if (edge === "top") return withY(box, clamp(to, 0, bottom - LEAST), bottom);
  return withY(box, box.y, clamp(to, box.y + LEAST, 1));
}

const withX = (box, from, to) => ({ ...box, x: from, width: to - from });
const withY = (box, from, to) => ({ ...box, y: from, height: to - from });

/** @param {import("../shared/photo.js").Box} box */
export function edgeOf(box, edge) {
  return { left: box.x, right: box.x + box.width, top: box.y, bottom: box.y + box.height }[edge];
}

export class CropBox {
  /**
   * @param {any} t the words
   * @param {(box: import("../shared/photo.js").Box) => void} changed called when a drag or a key ends
   */
  constructor(t, changed) {
    this.t = t;
    this.changed = changed;
    this.box = { ...WHOLE };
    this.handles = EDGES.map((edge) => this.#edge(edge));
    const corners = CORNERS.map((corner) =>
      h("span", { class: `crop-corner ${corner}`, "data-grip": corner, "aria-hidden": "true" }),
    );
    this.element = h(
      "div",
      { class: "crop-box", role: "group", "aria-label": t.crop.label, "data-grip": "move" },
      this.handles,
      corners,
    );
    this.element.addEventListener("pointerdown", (event) => this.#grab(event));
    this.#draw();
  }

  /** @param {import("../shared/photo.js").Box} box */
  set(box) {
    this.box = { ...box };
    this.#draw();
  }

  #edge(edge) {
    const upright = edge === "left" || edge === "right";
    const props = {
      class: `crop-edge ${edge}`,
      role: "slider",
      tabindex: "0",
      "data-grip": edge,
      "aria-label": this.t.crop.edges[edge],
      "aria-orientation": upright ? "horizontal" : "vertical",
      "aria-valuemin": 0,
      "aria-valuemax": 100,
    };
    return h("span", { ...props, on: { keydown: (event) => this.#key(event, edge) } });
  }

  #key(event, edge) {
    const forward = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, PageDown: 5, PageUp: -5 }[event.key];
    const ends = { Home: 0, End: 1 }[event.key];
    if (forward === undefined && ends === undefined) return;
    event.preventDefault();
    this.set(moveEdge(this.box, edge, ends ?? edgeOf(this.box, edge) + forward * STEP));
    this.changed(this.box);
  }

  #grab(event) {
    const grip = event.target.dataset.grip;
    if (!grip || event.button !== 0) return;
    event.preventDefault();
    const start = { x: event.clientX, y: event.clientY, box: { ...this.box } };
    const area = this.element.parentElement.getBoundingClientRect();
    const move = (at) =>
      this.#drag(grip, start, (at.clientX - start.x) / area.width, (at.clientY - start.y) / area.height);
    const end = () => {
      this.element.removeEventListener("pointermove", move);
      if (JSON.stringify(start.box) !== JSON.stringify(this.box)) this.changed(this.box);
    };
    this.element.setPointerCapture(event.pointerId);
    this.element.addEventListener("pointermove", move);
    this.element.addEventListener("lostpointercapture", end, { once: true });
  }

  #drag(grip, { box }, dx, dy) {
    if (grip === "move") {
      this.set({ ...box, x: clamp(box.x + dx, 0, 1 - box.width), y: clamp(box.y + dy, 0, 1 - box.height) });
      return;
    }
    const edges = grip.split("-");
    this.set(
      edges.reduce(
        (moved, edge) => moveEdge(moved, edge, edgeOf(box, edge) + (edge === "left" || edge === "right" ? dx : dy)),
        box,
      ),
    );
  }

  #draw() {
    const percent = (value) => `${(value * 100).toFixed(2)}%`;
    const { x, y, width, height } = this.box;
    for (const [name, value] of Object.entries({ "--x": x, "--y": y, "--w": width, "--h": height }))
      this.element.style.setProperty(name, percent(value));
    EDGES.forEach((edge, position) => {
      const value = Math.round(edgeOf(this.box, edge) * 100);
      this.handles[position].setAttribute("aria-valuenow", String(value));
      this.handles[position].setAttribute("aria-valuetext", this.t.crop.value(value));
    });
  }
}
