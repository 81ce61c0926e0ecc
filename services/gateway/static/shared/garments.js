/** The garments of a photo as chips with small pictures: one tap searches with another. */

import { h } from "./dom.js";
import { toThumbnail, WHOLE } from "./photo.js";
import { capital, categoryName } from "./strings.js";

/** @import { Box, Garment, Photo, Strings } from "../types.js" */

const THUMBNAIL_SIDE = 96;
/** Boxes that overlap by this share of both together are the same garment. */
const SAME = 0.7;

/** Return the garments that can be chosen: those with a box. @param {Garment[]} garments */
export const choices = (garments) =>
  garments.filter(({ box }) => Object.values(box ?? { x: Number.NaN }).every(Number.isFinite));

/** Return the overlap of two boxes as a share of both together. @param {Box} a @param {Box} b */
function overlap(a, b) {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const common = width * height;
  return common / (a.width * a.height + b.width * b.height - common);
}

/**
 * @param {Garment[]} garments the surest first @param {Box} chosen the part that is searched with
 * @param {{photo: Photo, t: Strings, onChoose: (box: Box, category: string|null) => void}} options
 */
export function garmentChips(garments, chosen, { photo, t, onChoose }) {
  const [best] = garments.toSorted((a, b) => overlap(b.box, chosen) - overlap(a.box, chosen));
  const current = best && overlap(best.box, chosen) >= SAME ? best : null;
  const isWhole = current === null && overlap(WHOLE, chosen) >= SAME;
  const chips = garments.map((garment) =>
    chip(nameOf(garment, garments, t), garment.box, garment === current, photo, () =>
      onChoose(garment.box, garment.category.name),
    ),
  );
  const whole = chip(t.crop.whole, WHOLE, isWhole, photo, () => onChoose({ ...WHOLE }, null));
  return h("div", { class: "chips garment-chips", role: "group", "aria-label": t.crop.garments }, whole, chips);
}

/** Return a garment's name, numbered if there are several. @param {Garment} garment @param {Garment[]} all @param {Strings} t */
function nameOf(garment, all, t) {
  const same = all.filter(({ category }) => category.name === garment.category.name);
  const name = capital(categoryName(t, garment.category.name), t.language);
  return same.length > 1 ? `${name} ${same.indexOf(garment) + 1}` : name;
}

/** @param {string} name @param {Box} box @param {boolean} isChosen @param {Photo} photo @param {() => void} click */
function chip(name, box, isChosen, photo, click) {
  const image = h("img", { src: toThumbnail(photo, THUMBNAIL_SIDE, { box }), alt: "", width: 40, height: 40 });
  const props = { class: "chip with-picture", type: "button", "aria-pressed": String(isChosen), on: { click } };
  return h("button", props, image, h("span", {}, name));
}
