/** From a chosen file to a picture that is shown and a small JPEG that is sent. Everything happens in the browser. */

import { headerSize, isAnimated, sniff } from "./sniff.js";

/** @import { Box, Photo } from "../types.js" */

/**
 * Longest side of the picture that is shown, cropped and sent, in pixels. Networks see 80 to 300 pixels of a garment.
 */
const MAX_SIDE = 960;
const MAX_BYTES = 80e6;
const MAX_PIXELS = 150e6;
/** Above this many pixels the page says that the photo was made smaller. */
const LARGE_PIXELS = 24e6;
const REJECTED_FORMATS = ["empty", "pdf", "svg", "video", "tiff"];

/** A file that cannot be searched with. `code` names its message in strings.js. */
export class PhotoError extends Error {
  /** @param {string} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** The box of a whole photo. @type {Readonly<Box>} */
export const WHOLE = Object.freeze({ x: 0, y: 0, width: 1, height: 1 });

/**
 * Decode a file and make its picture as small as it is shown.
 * @param {Blob} file @returns {Promise<Photo>}
 * @throws {PhotoError}
 */
export async function openPhoto(file) {
  if (file.size > MAX_BYTES) throw new PhotoError("tooManyBytes");
  const bytes = new Uint8Array(await readBytes(file));
  const format = sniff(bytes);
  if (REJECTED_FORMATS.includes(format)) throw new PhotoError(format);
  const size = headerSize(bytes);
  const pixels = size ? size.width * size.height : 0;
  if (pixels > MAX_PIXELS) throw new PhotoError("tooManyPixels");
  const picture = await decode(file, format);
  const note = format === "gif" && isAnimated(bytes) ? "animated" : pixels > LARGE_PIXELS ? "large" : null;
  return { picture, format, note };
}

/** @param {Blob} file */
async function readBytes(file) {
  try {
    return await file.arrayBuffer();
  } catch {
    throw new PhotoError("unreadable");
  }
}

/**
 * Decode at full size, then draw small: measured twice as fast as resizing in `createImageBitmap`.
 * @param {Blob} file @param {string} format
 */
async function decode(file, format) {
  try {
    const blob = file.type.startsWith("image/") ? file : new Blob([file], { type: `image/${format}` });
    const bitmap = await createImageBitmap(blob, { imageOrientation: "from-image" });
    const picture = draw(bitmap, WHOLE, MAX_SIDE, "medium");
    bitmap.close();
    return picture;
  } catch {
    throw new PhotoError(format === "heic" ? "heic" : format === "unknown" ? "noPicture" : "damaged");
  }
}

/**
 * Draw a part of a picture on white, within a square of the given side.
 * @param {ImageBitmap|HTMLCanvasElement} source @param {Box} box @param {number} side in pixels
 * @param {ImageSmoothingQuality} [quality]
 */
function draw(source, box, side, quality = "high") {
  const width = Math.max(1, box.width * source.width);
  const height = Math.max(1, box.height * source.height);
  const scale = Math.min(1, side / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  if (!context) throw new PhotoError("damaged");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = quality;
  const [left, top] = [box.x * source.width, box.y * source.height];
  context.drawImage(source, left, top, width, height, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/**
 * Return the JPEG to send.
 * @param {Photo} photo @param {Box} [box] the part to search with @returns {Promise<Blob>}
 * @throws {PhotoError}
 */
export function toUpload(photo, box = WHOLE) {
  const isWhole = box.width === 1 && box.height === 1;
  const canvas = isWhole ? photo.picture : draw(photo.picture, box, MAX_SIDE);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new PhotoError("damaged"))), "image/jpeg", 0.9);
  });
}

/**
 * Return a small copy as a data: URL. JPEG is faster to encode, WebP half as long.
 * @param {Photo} photo @param {number} side in pixels
 * @param {{box?: Box, type?: string, quality?: number}} [options]
 */
export function toThumbnail(photo, side, { box = WHOLE, type = "image/jpeg", quality = 0.8 } = {}) {
  return draw(photo.picture, box, side).toDataURL(type, quality);
}

/** Return a copy of the picture to show next to the results. @param {Photo} photo */
export const toCanvas = (photo) => draw(photo.picture, WHOLE, MAX_SIDE);

/** @param {string} url a data: URL in base64 @returns {Blob} @throws {PhotoError} */
export function fromDataUrl(url) {
  const [, type, body] = /^data:([^;,]+)[^,]*,(.*)$/s.exec(url) ?? [];
  try {
    if (body === undefined) throw new TypeError("not a data: URL");
    return new Blob([Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0))], { type });
  } catch {
    throw new PhotoError("badLink");
  }
}
