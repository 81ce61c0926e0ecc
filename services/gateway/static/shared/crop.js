/** A frame over the photo, dragged with a pointer or moved edge by edge with the keyboard. */

import { boxVariables } from "./box.js";
import { h } from "./dom.js";
import { WHOLE } from "./photo.js";
import { phrase } from "./strings.js";

/** @import { Box, Strings } from "../types.js" */
/** @typedef {"left"|"right"|"top"|"bottom"} Edge */

/** Smallest side of the box, and one step of an arrow key, as fractions of the photo's side. */
const MIN_SIDE = 0.08;
const STEP = 0.02;
/** @type {Edge[]} */
const EDGES = ["left", "right", "top", "bottom"];
/** @type {Record<string, Edge[]>} */
const CORNERS = {
  "top-left": ["top", "left"],
  "top-right": ["top", "right"],
  "bottom-left": ["bottom", "left"],
  "bottom-right": ["bottom", "right"],
};
/** Steps by key. @type {Record<string, number>} */
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, PageDown: 5, PageUp: -5 };
/** @type {Record<string, number>} */
const ENDS = { Home: 0, End: 1 };

/** @param {number} value @param {number} low @param {number} high */
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** @param {Edge} edge */
const isHorizontal = (edge) => edge === "left" || edge === "right";

/** Return the box with one edge moved. @param {Box} box @param {Edge} edge @param {number} to 0 to 1 @returns {Box} */
export function moveEdge(box, edge, to) {
  const right = box.x + box.width;
  const bottom = box.y + box.height;
  if (edge === "left") return withX(box, clamp(to, 0, right - MIN_SIDE), right);
  if (edge === "right") return withX(box, box.x, clamp(to, box.x + MIN_SIDE, 1));
  if (edge === "top") return withY(box, clamp(to, 0, bottom - MIN_SIDE), bottom);
  return withY(box, box.y, clamp(to, box.y + MIN_SIDE, 1));
}

/** @param {Box} box @param {number} from @param {number} to */
const withX = (box, from, to) => ({ ...box, x: from, width: to - from });
/** @param {Box} box @param {number} from @param {number} to */
const withY = (box, from, to) => ({ ...box, y: from, height: to - from });

/**
 * Return the whole box moved, inside the photo.
 * @param {Box} box @param {number} dx @param {number} dy
 * @returns {Box}
 */
export function moveBox(box, dx, dy) {
  return { ...box, x: clamp(box.x + dx, 0, 1 - box.width), y: clamp(box.y + dy, 0, 1 - box.height) };
}

/** Return where an edge is, 0 to 1. @param {Box} box @param {Edge} edge */
export function edgePosition(box, edge) {
  return { left: box.x, right: box.x + box.width, top: box.y, bottom: box.y + box.height }[edge];
}

export class CropBox {
  #t;
  #onChange;
  /** @type {[Edge, HTMLElement][]} */
  #handles;

  /** @param {Strings} t @param {(box: Box) => void} onChange called when a drag ends or a key moves an edge */
  constructor(t, onChange) {
    this.#t = t;
    this.#onChange = onChange;
    /** @type {Box} */
    this.box = { ...WHOLE };
    this.#handles = EDGES.map((edge) => [edge, this.#handle(edge)]);
    const corners = Object.keys(CORNERS).map((corner) =>
      h("span", { class: `crop-corner ${corner}`, "data-grip": corner, "aria-hidden": "true" }),
    );
    this.element = h(
      "div",
      { class: "crop-box", role: "group", "aria-label": t.crop.label, "data-grip": "move" },
      this.#handles.map(([, handle]) => handle),
      corners,
    );
    this.element.addEventListener("pointerdown", (event) => this.#startDrag(event));
    this.#draw();
  }

  /** Move the box without telling. @param {Box} box */
  set(box) {
    this.box = { ...box };
    this.#draw();
  }

  /** @param {Edge} edge */
  #handle(edge) {
    return h("span", {
      class: `crop-edge ${edge}`,
      role: "slider",
      tabindex: "0",
      "data-grip": edge,
      "aria-label": this.#t.crop.edges[edge],
      "aria-orientation": isHorizontal(edge) ? "horizontal" : "vertical",
      "aria-valuemin": 0,
      "aria-valuemax": 100,
      on: { keydown: (/** @type {KeyboardEvent} */ event) => this.#moveByKey(event, edge) },
    });
  }

  /** @param {KeyboardEvent} event @param {Edge} edge */
  #moveByKey(event, edge) {
    const end = ENDS[event.key];
    const steps = STEPS[event.key];
    if (end === undefined && steps === undefined) return;
    event.preventDefault();
    this.set(moveEdge(this.box, edge, end ?? edgePosition(this.box, edge) + (steps ?? 0) * STEP));
    this.#onChange(this.box);
  }

  /** @param {PointerEvent} event */
  #startDrag(event) {
    const grip = event.target instanceof HTMLElement ? event.target.dataset.grip : undefined;
    const area = this.element.parentElement?.getBoundingClientRect();
    if (!grip || !area || event.button !== 0) return;
    event.preventDefault();
    const origin = { ...this.box };
    /** @param {PointerEvent} to */
    const move = (to) => {
      const dx = (to.clientX - event.clientX) / area.width;
      const dy = (to.clientY - event.clientY) / area.height;
      this.set(dragged(origin, grip, dx, dy));
    };
    const end = () => {
      this.element.removeEventListener("pointermove", move);
      if (JSON.stringify(origin) !== JSON.stringify(this.box)) this.#onChange(this.box);
    };
    this.element.setPointerCapture(event.pointerId);
    this.element.addEventListener("pointermove", move);
    this.element.addEventListener("lostpointercapture", end, { once: true });
  }

  #draw() {
    for (const [name, value] of Object.entries(boxVariables(this.box))) this.element.style.setProperty(name, value);
    for (const [edge, handle] of this.#handles) {
      const value = Math.round(edgePosition(this.box, edge) * 100);
      handle.setAttribute("aria-valuenow", String(value));
      handle.setAttribute("aria-valuetext", phrase(this.#t, this.#t.crop.value, { percent: value }));
    }
  }
}

/**
 * Return the box after a drag.
 * @param {Box} box as it was when the drag began @param {string} grip `move`, an edge or a corner
 * @param {number} dx @param {number} dy @returns {Box}
 */
export function dragged(box, grip, dx, dy) {
  if (grip === "move") return moveBox(box, dx, dy);
  const edges = CORNERS[grip] ?? EDGES.filter((edge) => edge === grip);
  return edges.reduce(
    (moved, edge) => moveEdge(moved, edge, edgePosition(box, edge) + (isHorizontal(edge) ? dx : dy)),
    box,
  );
}
