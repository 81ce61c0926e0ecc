/** The first view: every way to give a photo. */

import { fill, h, safeUrl } from "../shared/dom.js";
import { fileInput } from "../shared/fileinput.js";
import { icon } from "../shared/icons.js";
import { productImage } from "../shared/image.js";
import { phrase } from "../shared/strings.js";

/** @import { Context, Product, Strings } from "../types.js" */
/**
 * @typedef {Context & {
 *   hasUrls: boolean,
 *   onFile: (file: File) => void,
 *   onUrl: (url: string) => void,
 *   onLike: (product: Product) => void,
 *   onCamera: (() => void)|null,
 *   loadSamples: () => Promise<Product[]>,
 * }} StartContext
 *   `hasUrls`: the gateway fetches pictures. `onCamera`: null if the page cannot show the camera's picture
 */

/** @param {StartContext} context */
export function startView(context) {
  const { t, hasUrls, onFile, onCamera } = context;
  const intro = h(
    "div",
    { class: "start-intro" },
    h("h1", { tabindex: "-1", class: "display" }, t.start.title),
    h("p", { class: "lead" }, t.start.lead),
  );
  const isPhone = matchMedia("(pointer: coarse), (max-width: 40rem)").matches;
  const camera = onCamera
    ? h("button", { class: "button", type: "button", on: { click: onCamera } }, icon("camera"), t.start.camera)
    : fileButton(fileInput(onFile, { capture: "environment" }), "button", icon("camera"), t.start.camera);
  const choose = fileButton(fileInput(onFile), "button", icon("photo"), t.start.choose);
  const buttons = isPhone ? [camera, choose] : [choose, camera];
  buttons[0]?.classList.add("first");
  const drop = h(
    "div",
    { class: "drop" },
    h("span", { class: "drop-icon" }, icon("hanger", 44)),
    !isPhone && h("p", { class: "drop-title" }, t.start.drop),
    h("div", { class: "row centre give-buttons" }, buttons),
    !isPhone && h("p", { class: "muted drop-paste" }, t.start.paste),
    hasUrls && urlForm(context),
  );
  const give = h("div", { class: "start-give" }, drop, h("p", { class: "muted privacy" }, t.start.privacy));
  const samples = h("section", { class: "samples" });
  showSamples(samples, context);
  return h("div", { class: "start" }, h("div", { class: "start-top" }, intro, give), samples);
}

/**
 * @param {HTMLInputElement} input @param {string} look the button's classes
 * @param {...import("../shared/dom.js").Child} label
 */
function fileButton(input, look, ...label) {
  const button = h("button", { class: look, type: "button", on: { click: () => input.click() } }, ...label);
  return h("span", { class: "file-button" }, button, input);
}

/** @param {{t: Strings, onUrl: (url: string) => void}} context */
function urlForm({ t, onUrl }) {
  const problem = h("p", { class: "field-problem", id: "url-problem", hidden: true });
  const input = h("input", {
    type: "url",
    id: "image-url",
    name: "image",
    placeholder: "https://…",
    dir: "ltr",
    autocomplete: "off",
    spellcheck: "false",
    required: true,
  });
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    const text = input.value.trim();
    const url = /^https?:\/\//i.test(text) ? safeUrl(text) : null;
    problem.hidden = url !== null;
    input.setAttribute("aria-invalid", String(url === null));
    if (url !== null) return onUrl(url);
    input.setAttribute("aria-describedby", "url-problem");
    problem.textContent = t.start.urlWrong;
    return input.focus();
  };
  const button = h("button", { class: "button", type: "submit" }, t.start.urlGo);
  const field = h("div", { class: "url-field" }, icon("link"), input, button);
  const label = h("label", { for: "image-url", class: "visually-hidden" }, t.start.url);
  return h("form", { class: "url-form", novalidate: true, on: { submit } }, label, field, problem);
}

/** @param {HTMLElement} section @param {StartContext} context */
async function showSamples(section, context) {
  const { t, onLike, loadSamples } = context;
  const products = await loadSamples().catch(() => []);
  section.hidden = products.length === 0;
  if (section.hidden) return;
  const items = products.map((product, position) => {
    const label = phrase(t, t.start.sample, { title: product.title || product.id });
    const props = { class: "sample", type: "button", "aria-label": label, on: { click: () => onLike(product) } };
    return h("li", {}, h("button", props, productImage(product, position, context)));
  });
  fill(section, h("h2", { id: "samples-title" }, t.start.samples), h("ul", { class: "sample-list" }, items));
  section.setAttribute("aria-labelledby", "samples-title");
}
