/** A file input for photos. */

import { h } from "./dom.js";

/**
 * Return a file input that is hidden from the eye and the keyboard: a button opens it.
 * @param {(file: File) => void} onFile
 * @param {{capture?: string}} [options] `capture`: which camera a phone's camera app opens with
 */
export function fileInput(onFile, { capture } = {}) {
  const input = h("input", {
    type: "file",
    accept: "image/*,.heic,.heif,.avif",
    capture,
    class: "visually-hidden",
    tabindex: "-1",
    "aria-hidden": "true",
  });
  input.addEventListener("change", () => {
    const [file] = input.files ?? [];
    input.value = "";
    if (file) onFile(file);
  });
  return input;
}
