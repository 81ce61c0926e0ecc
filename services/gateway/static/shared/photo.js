/** A chosen file → a picture to show, and a small JPEG to send. Everything happens in the browser. */

import { headerSize, isAnimated, sniff } from "./sniff.js";

/** Longest side of the picture that is shown, cut and sent, in pixels. Networks look at 80 to 300 of a garment. */
const SIDE = 960;
const MOST_BYTES = 80e6;
const MOST_PIXELS = 150e6;

/** A file that cannot be searched with. `code` names the words for it in strings.js. */
export class PhotoError extends Error {
  /** @param {string} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** @typedef {{picture: HTMLCanvasElement, kind: string, note: string|null}} Photo */
/** @typedef {{x: number, y: number, width: number, height: number}} Box parts of the picture's sides, 0 to 1 */

export const WHOLE = Object.freeze({ x: 0, y: 0, width: 1, height: 1 });

/**
 * Decode a file, no larger than it is shown.
 * @param {Blob} file @returns {Promise<Photo>}
 * @throws {PhotoError}
 */
export async function openPhoto(file) {
  if (file.size > MOST_BYTES) throw new PhotoError("tooManyBytes");
  const bytes = new Uint8Array(await readBytes(file));
  const kind = sniff(bytes);
  if (["empty", "pdf", "svg", "video", "tiff"].includes(kind)) throw new PhotoError(kind);
  const size = headerSize(bytes);
  if (size && size.width * size.height > MOST_PIXELS) throw new PhotoError("tooManyPixels");
  const picture = await decode(file, kind);
  const large = size && size.width * size.height > 24e6;
  const note = kind === "gif" && isAnimated(bytes) ? "animated" : large ? "large" : null;
  return { picture, kind, note };
}

async function readBytes(file) {
  try {
    return await file.arrayBuffer();
  } catch {
    throw new PhotoError("unreadable");
  }
}

/** Decode whole, then draw small: measured twice as fast as having `createImageBitmap` resize. */
async function decode(file, kind) {
  try {
    const blob = file.type.startsWith("image/") ? file : new Blob([file], { type: `image/${kind}` });
    const bitmap = await createImageBitmap(blob, { imageOrientation: "from-image" });
    const picture = draw(bitmap, WHOLE, SIDE, "medium");
    bitmap.close();
    return picture;
  } catch {
    throw new PhotoError(kind === "heic" ? "heic" : kind === "unknown" ? "noPicture" : "damaged");
  }
}

/**
 * Draw a part of a picture, on white, within a square of this side.
 * @param {ImageBitmap|HTMLCanvasElement} source @param {Box} box @param {number} side
 */
function draw(source, box, side, quality = "high") {
  const part = {
    x: box.x * source.width,
    y: box.y * source.height,
    width: Math.max(1, box.width * source.width),
    height: Math.max(1, box.height * source.height),
  };
  const scale = Math.min(1, side / Math.max(part.width, part.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(part.width * scale));
  canvas.height = Math.max(1, Math.round(part.height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = quality;
  context.drawImage(source, part.x, part.y, part.width, part.height, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** The JPEG to send. @param {Photo} photo @param {Box} [box] @returns {Promise<Blob>} */
export function toUpload(photo, box = WHOLE) {
  const isWhole = box.width === 1 && box.height === 1;
  const canvas = isWhole ? photo.picture : draw(photo.picture, box, SIDE);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new PhotoError("damaged"))), "image/jpeg", 0.9);
  });
}

/** A small copy as a data: URL: JPEG, which is made at once, or WebP, which is half as long. @param {Photo} photo @param {number} side */
export function toThumb(photo, side, { box = WHOLE, type = "image/jpeg", quality = 0.8 } = {}) {
  return draw(photo.picture, box, side).toDataURL(type, quality);
}

/** The picture to show beside the results. @param {Photo} photo @returns {HTMLCanvasElement} */
export const toCanvas = (photo) => draw(photo.picture, WHOLE, SIDE);

/** @param {string} url a data: URL in base64 @returns {Blob} @throws {PhotoError} */
export function fromDataUrl(url) {
  try {
    const [head, body] = url.split(",");
    const bytes = Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
    return new Blob([bytes], { type: /^data:([^;]+)/.exec(head)[1] });
  } catch {
    throw new PhotoError("badLink");
  }
}
