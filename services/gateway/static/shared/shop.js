/** A shop's own name, logo and colours on the pages, from its page file: docs/page.md. */

import { h, safeUrl } from "./dom.js";
import { logo } from "./logo.js";

/** @import { Shop } from "../types.js" */

/** The colours of the pages that a shop can set: custom properties of base.css. */
const COLOURS = ["bg", "surface", "sunken", "ink", "muted", "line", "edge", "accent"];

/** Set the shop's colours. @param {Shop} shop */
export function applyColours({ colours = {} }) {
  for (const name of COLOURS) {
    const value = colours[name];
    if (value) document.documentElement.style.setProperty(`--${name}`, value);
  }
}

/** Return the shop's logo, or the page's mark and the shop's name. @param {Shop} shop */
export function shopMark({ name, logo: address }) {
  const url = safeUrl(address);
  if (url) return [h("img", { src: url, alt: "", class: "brand-logo", height: 32 })];
  return [logo(), h("span", { "aria-hidden": "true" }, name)];
}
