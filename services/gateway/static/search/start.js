/** The first view: every way to give a photo. */

import { fill, h, safeUrl } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { picture } from "../shared/picture.js";

const ACCEPTED = "image/*,.heic,.heif,.avif";

/**
 * A hidden file input and the button that opens it.
 * @param {string} text @param {(file: File) => void} onFile @param {{className?: string, capture?: string, iconName?: string}} [options]
 */
export function fileButton(text, onFile, { className = "button primary", capture, iconName = "photo" } = {}) {
  const input = h("input", {
    type: "file",
    accept: ACCEPTED,
    capture,
    class: "visually-hidden",
    tabindex: "-1",
    "aria-hidden": "true",
  });
  input.addEventListener("change", () => {
    const [file] = input.files;
    input.value = "";
    if (file) onFile(file);
  });
  const button = h(
    "button",
    { class: className, type: "button", on: { click: () => input.click() } },
    icon(iconName),
    text,
  );
  return h("span", { class: "file-button" }, button, input);
}

/**
 * @param {{t: any, urls: boolean, gateway: string, onFile: (file: Blob) => void, onUrl: (url: string) => void, onLike: (product: any) => void,
 *   camera: () => HTMLElement, loadSamples: () => Promise<any[]>}} context
 */
export function startView(context) {
  const { t, urls, onFile, camera } = context;
  const lead = h(
    "div",
    { class: "start-words" },
    h("h1", { tabindex: "-1", class: "display" }, t.start.title),
    h("p", { class: "lead" }, t.start.lead),
  );
  const drop = h(
    "div",
    { class: "drop" },
    h("span", { class: "drop-icon" }, icon("hanger", 44)),
    h("p", { class: "drop-title" }, t.start.drop),
    h("div", { class: "row centre" }, fileButton(t.start.choose, onFile), camera()),
    h("p", { class: "muted drop-paste" }, t.start.paste),
    urls && urlForm(context),
  );
  const samples = h("section", { class: "samples", hidden: true, "aria-labelledby": "samples-title" });
  showSamples(samples, context);
  return h(
    "div",
    { class: "start" },
    h(
      "div",
      { class: "start-top" },
      lead,
      h("div", { class: "start-give" }, drop, h("p", { class: "muted privacy" }, t.start.privacy)),
    ),
    samples,
  );
}

function urlForm({ t, onUrl }) {
  const problem = h("p", { class: "field-problem", id: "url-problem", hidden: true });
  const input = h("input", {
    type: "url",
    id: "image-url",
    name: "image",
    placeholder: t.start.urlHint,
    autocomplete: "off",
    spellcheck: "false",
    required: true,
  });
  const submit = (event) => {
    event.preventDefault();
    const url = /^https?:\/\//i.test(input.value.trim()) ? safeUrl(input.value.trim()) : null;
    problem.hidden = url !== null;
    input.setAttribute("aria-invalid", String(url === null));
    if (url !== null) return onUrl(url);
    input.setAttribute("aria-describedby", "url-problem");
    problem.textContent = t.start.urlWrong;
    input.focus();
  };
  const field = h(
    "div",
    { class: "url-field" },
    icon("link"),
    input,
    h("button", { class: "button", type: "submit" }, t.start.urlGo),
  );
  return h(
    "form",
    { class: "url-form", novalidate: true, on: { submit } },
    h("label", { for: "image-url", class: "visually-hidden" }, t.start.url),
    field,
    problem,
  );
}

async function showSamples(section, { t, gateway, onLike, loadSamples }) {
  const products = await loadSamples().catch(() => []);
  if (products.length === 0) return;
  const button = (product, position) =>
    h(
      "li",
      {},
      h(
        "button",
        {
          class: "sample",
          type: "button",
          "aria-label": t.start.sample(product.title || product.id),
          on: { click: () => onLike(product) },
        },
        picture(product, position, { t, gateway }, 240),
      ),
    );
  fill(
    section,
    h("h2", { id: "samples-title" }, t.start.samples),
    h("ul", { class: "sample-list" }, products.map(button)),
  );
  section.hidden = false;
}
