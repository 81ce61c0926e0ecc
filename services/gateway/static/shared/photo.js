/** A chosen file → a picture to show, and a small JPEG to send. Everything happens in the browser. */

import { headerSize, isAnimated, sniff } from "./sniff.js";

const SHOWN_SIDE = 1600;
const SENT_SIDE = 800;
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

/** @typedef {{bitmap: ImageBitmap, width: number, height: number, kind: string, note: string|null}} Photo */
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
  const bitmap = await decode(file, kind, size);
  const large = size && size.width * size.height > 24e6;
  const note = kind === "gif" && isAnimated(bytes) ? "animated" : large ? "large" : null;
  return { bitmap, width: bitmap.width, height: bitmap.height, kind, note };
}

async function readBytes(file) {
  try {
    return await file.arrayBuffer();
  } catch {
    throw new PhotoError("unreadable");
  }
}

async function decode(file, kind, size) {
  const longest = size ? Math.max(size.width, size.height) : 0;
  const smaller = longest > SHOWN_SIDE ? { resizeWidth: Math.max(1, Math.round((size.width * SHOWN_SIDE) / longest)), resizeQuality: "medium" } : {};
  try {
    const blob = file.type.startsWith("image/") ? file : new Blob([file], { type: `image/${kind}` });
    return await createImageBitmap(blob, { imageOrientation: "from-image", ...smaller });
  } catch {
    throw new PhotoError(kind === "heic" ? "heic" : kind === "unknown" ? "noPicture" : "damaged");
  }
}

/**
 * Draw a part of the picture, on white, within a square of this side.
 * @param {ImageBitmap} bitmap @param {Box} box @param {number} side
 */
function draw(bitmap, box, side) {
  const part = { x: box.x * bitmap.width, y: box.y * bitmap.height, width: Math.max(1, box.width * bitmap.width), height: Math.max(1, box.height * bitmap.height) };
  const scale = Math.min(1, side / Math.max(part.width, part.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(part.width * scale));
  canvas.height = Math.max(1, Math.round(part.height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, part.x, part.y, part.width, part.height, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** The JPEG to send. @param {Photo} photo @param {Box} [box] @returns {Promise<Blob>} */
export function toUpload(photo, box = WHOLE) {
  const canvas = draw(photo.bitmap, box, SENT_SIDE);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new PhotoError("damaged"))), "image/jpeg", 0.9);
  });
}

/** A small copy as a data: URL. @param {Photo} photo @param {number} side @param {Box} [box] */
export function toThumb(photo, side, box = WHOLE, quality = 0.75) {
  return draw(photo.bitmap, box, side).toDataURL("image/webp", quality);
}

/** The picture to show beside the results. @param {Photo} photo @returns {HTMLCanvasElement} */
export const toCanvas = (photo) => draw(photo.bitmap, WHOLE, SHOWN_SIDE);

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
