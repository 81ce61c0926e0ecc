/** What a file is, by its first bytes: names lie. */

const text = (bytes, from, to) => String.fromCharCode(...bytes.subarray(from, to));
const HEIC = ["heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "msf1"];

/**
 * @param {Uint8Array} head the file's first bytes, 64 or more where it has them
 * @returns {"empty"|"jpeg"|"png"|"gif"|"webp"|"bmp"|"avif"|"heic"|"tiff"|"pdf"|"svg"|"video"|"unknown"}
 */
export function sniff(head) {
  if (head.length === 0) return "empty";
  if (head[0] === 0xff && head[1] === 0xd8) return "jpeg";
  if (text(head, 1, 4) === "PNG") return "png";
  if (text(head, 0, 4) === "GIF8") return "gif";
  if (text(head, 0, 4) === "RIFF" && text(head, 8, 12) === "WEBP") return "webp";
  if (text(head, 0, 2) === "BM") return "bmp";
  if (text(head, 0, 5) === "%PDF-") return "pdf";
  if (["II*\0", "MM\0*"].includes(text(head, 0, 4))) return "tiff";
  if (text(head, 4, 8) === "ftyp") return brand(head);
  return /^\s*(<\?xml[\s\S]*)?<svg/i.test(text(head, 0, 256)) ? "svg" : "unknown";
}

function brand(head) {
  const brands = [text(head, 8, 12)];
  for (let at = 16; at + 4 <= Math.min(head.length, 48); at += 4) brands.push(text(head, at, at + 4));
  if (brands.includes("avif") || brands.includes("avis")) return "avif";
  return HEIC.includes(brands[0]) ? "heic" : "video";
}

/** Whether a GIF has more than one frame. @param {Uint8Array} bytes */
export function isAnimated(bytes) {
  let frames = 0;
  for (let at = 0; at + 3 < bytes.length && frames < 2; at += 1) {
    if (bytes[at] === 0x21 && bytes[at + 1] === 0xf9 && bytes[at + 2] === 0x04) frames += 1;
  }
  return frames > 1;
}

/**
 * Width and height as a JPEG's or PNG's header gives them, or null.
 * @param {Uint8Array} bytes @returns {{width: number, height: number}|null}
 */
export function headerSize(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (sniff(bytes) === "png" && bytes.length >= 24) return { width: view.getUint32(16), height: view.getUint32(20) };
  if (sniff(bytes) !== "jpeg") return null;
  let at = 2;
  while (at + 9 < bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1];
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    at += 2 + view.getUint16(at + 2);
  }
  return null;
}
