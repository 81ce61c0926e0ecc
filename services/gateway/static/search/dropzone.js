/** Photos that are dropped or pasted anywhere on the page. */

import { h } from "../shared/dom.js";

/** @import { Strings } from "../types.js" */
/** @typedef {{onFile: (file: File) => void, onUrl: (url: string) => void, onNothing: () => void}} Handlers */

/** @param {Handlers & {t: Strings}} handlers `onNothing`: neither a file nor an address */
export function listenForPhotos({ t, ...handlers }) {
  const overlay = h("div", { class: "drop-overlay", hidden: true, "aria-hidden": "true" }, h("p", {}, t.dropAnywhere));
  document.body.append(overlay);
  // Entering a child fires dragenter again, so that the overlay hides only when every enter has had its leave.
  let depth = 0;
  /** @param {number} next */
  const setDepth = (next) => {
    depth = Math.max(0, next);
    overlay.hidden = depth === 0;
  };
  document.addEventListener("dragenter", (event) => {
    event.preventDefault();
    setDepth(depth + 1);
  });
  document.addEventListener("dragleave", () => setDepth(depth - 1));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    setDepth(0);
    if (event.dataTransfer) take(event.dataTransfer, handlers);
  });
  document.addEventListener("paste", (event) => {
    const data = event.clipboardData;
    const isInField = event.target instanceof Element && event.target.closest("input, textarea");
    if (!data || (isInField && data.files.length === 0)) return;
    event.preventDefault();
    take(data, handlers);
  });
}

/** @param {DataTransfer} data @param {Handlers} handlers */
function take(data, { onFile, onUrl, onNothing }) {
  const [file] = data.files;
  if (file) return onFile(file);
  const text = (data.getData("text/uri-list") || data.getData("text/plain")).trim().split(/\s/)[0] ?? "";
  return /^https?:\/\//i.test(text) ? onUrl(text) : onNothing();
}
