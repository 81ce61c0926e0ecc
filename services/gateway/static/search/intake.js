/** Photos that are dropped or pasted anywhere on the page. */

import { h } from "../shared/dom.js";

/**
 * @param {{t: any, onFile: (file: Blob) => void, onUrl: (url: string) => void, onNothing: () => void}} handlers
 */
export function listenForPhotos({ t, onFile, onUrl, onNothing }) {
  const curtain = h("div", { class: "curtain", hidden: true, "aria-hidden": "true" }, h("p", {}, t.dropAnywhere));
  document.body.append(curtain);
  let depth = 0;
  const show = (on) => {
    depth = on ? depth : 0;
    curtain.hidden = !on;
  };
  document.addEventListener("dragenter", (event) => {
    event.preventDefault();
    depth += 1;
    show(true);
  });
  document.addEventListener("dragleave", () => {
    depth -= 1;
    if (depth <= 0) show(false);
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    show(false);
    take(event.dataTransfer, { onFile, onUrl, onNothing });
  });
  document.addEventListener("paste", (event) => {
    const typing = event.target instanceof Element && event.target.closest("input, textarea");
    if (typing && event.clipboardData.files.length === 0) return;
    event.preventDefault();
    take(event.clipboardData, { onFile, onUrl, onNothing });
  });
}

function take(data, { onFile, onUrl, onNothing }) {
  if (data.files.length > 0) return onFile(data.files[0]);
  const text = (data.getData("text/uri-list") || data.getData("text/plain")).trim().split(/\s/)[0] ?? "";
  return /^https?:\/\//i.test(text) ? onUrl(text) : onNothing();
}
