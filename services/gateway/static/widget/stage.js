/** The photo with a frame around the part that is searched with. */

import { CropBox } from "../shared/crop.js";
import { debounce, h } from "../shared/dom.js";
import { toCanvas } from "../shared/photo.js";

/** @import { Box, Photo, Strings } from "../types.js" */

/** How long the frame must rest before its part of the photo is searched with, in milliseconds. */
const DELAY_MS = 400;

/** @param {Photo} photo @param {Box} box @param {Strings} t @param {(box: Box) => void} onChange */
export function stage(photo, box, t, onChange) {
  const crop = new CropBox(t, debounce(onChange, DELAY_MS));
  crop.set(box);
  const canvas = toCanvas(photo);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", t.query.photo);
  return h("div", { class: "stage" }, canvas, crop.element);
}
