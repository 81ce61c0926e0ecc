/** A file's format, read from its first bytes: file names and media types are often wrong. */

/** @typedef {"empty"|"jpeg"|"png"|"gif"|"webp"|"bmp"|"avif"|"heic"|"tiff"|"pdf"|"svg"|"video"|"unknown"} Format */

/** @param {Uint8Array} bytes @param {number} from @param {number} to */
const text = (bytes, from, to) => String.fromCharCode(...bytes.subarray(from, to));
const HEIC = ["heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "msf1"];

/** @param {Uint8Array} head the file's first bytes: 256, or all of a smaller file @returns {Format} */
export function sniff(head) {
  if (head.length === 0) return "empty";
  if (head[0] === 0xff && head[1] === 0xd8) return "jpeg";
  if (text(head, 1, 4) === "PNG") return "png";
  if (text(head, 0, 4) === "GIF8") return "gif";
  if (text(head, 0, 4) === "RIFF" && text(head, 8, 12) === "WEBP") return "webp";
  if (text(head, 0, 2) === "BM") return "bmp";
  if (text(head, 0, 5) === "%PDF-") return "pdf";
  if (["II*\0", "MM\0*"].includes(text(head, 0, 4))) return "tiff";
  if (text(head, 4, 8) === "ftyp") return isoFormat(head);
  return /^\s*(<\?xml[\s\S]*)?<svg/i.test(text(head, 0, 256)) ? "svg" : "unknown";
}

/** Return the format of an ISO base media file by its brands. @param {Uint8Array} head @returns {Format} */
function isoFormat(head) {
  const major = text(head, 8, 12);
  const brands = [major];
  for (let offset = 16; offset + 4 <= Math.min(head.length, 48); offset += 4)
    brands.push(text(head, offset, offset + 4));
  if (brands.includes("avif") || brands.includes("avis")) return "avif";
  return HEIC.includes(major) ? "heic" : "video";
}

/** Return whether a GIF has more than one frame. @param {Uint8Array} bytes */
export function isAnimated(bytes) {
  let frames = 0;
  for (let offset = 0; offset + 3 < bytes.length && frames < 2; offset += 1) {
    if (bytes[offset] === 0x21 && bytes[offset + 1] === 0xf9 && bytes[offset + 2] === 0x04) frames += 1;
  }
  return frames > 1;
}

/**
 * Return the width and height that a JPEG's or PNG's header states, in pixels.
 * @param {Uint8Array} bytes @returns {{width: number, height: number}|null} null for other formats
 */
export function headerSize(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const format = sniff(bytes);
  if (format === "png" && bytes.length >= 24) return { width: view.getUint32(16), height: view.getUint32(20) };
  return format === "jpeg" ? jpegSize(view) : null;
}

/** @param {DataView} view of a JPEG */
function jpegSize(view) {
  let offset = 2;
  while (offset + 9 < view.byteLength && view.getUint8(offset) === 0xff) {
    const marker = view.getUint8(offset + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { height: view.getUint16(offset + 5), width: view.getUint16(offset + 7) };
    offset += 2 + view.getUint16(offset + 2);
  }
  return null;
}
