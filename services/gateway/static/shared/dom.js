/** Helpers that build pages. Text only ever becomes a text node: nothing here parses HTML. */

/** @typedef {Node|string|number|boolean|null|undefined} Part @typedef {Part|Part[]} Child */

/** Properties of elements; everything else is set as an attribute. */
const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "open", "muted", "playsInline"]);

/**
 * Create an element.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [props]
 *   `on` holds listeners, `vars` custom properties; false, null and undefined are omitted
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) setProp(element, name, value);
  element.append(...nodes(children));
  return element;
}

/** @param {HTMLElement} element @param {string} name @param {any} value */
function setProp(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "on") {
    for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
  } else if (name === "vars") {
    for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
  } else if (name === "class") {
    element.className = value;
  } else if (PROPERTIES.has(name)) {
    Object.assign(element, { [name]: value });
  } else {
    element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** @param {Child[]} children @returns {Node[]} */
function nodes(children) {
  const parts = children.flat().filter((part) => part !== null && part !== undefined && typeof part !== "boolean");
  return parts.map((part) => (part instanceof Node ? part : document.createTextNode(String(part))));
}

/**
 * Replace an element's content.
 * @template {ParentNode} Holder
 * @param {Holder} element @param {...Child} children an empty text adds nothing
 * @returns {Holder}
 */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children.flat().filter((part) => part !== "")));
  return element;
}

/**
 * Return an address that a browser may open, or null.
 * @param {string|null|undefined} url @param {string} [base] @returns {string|null} null unless it is http or https
 */
export function safeUrl(url, base = document.baseURI) {
  if (!url) return null;
  try {
    const parsed = new URL(url, base);
    return parsed.protocol === "https:" || parsed.protocol === "http:" ? parsed.href : null;
  } catch {
    return null;
  }
}

const STORED_IMAGE = /\/v1\/products\/[^/]+\/image$/;

/**
 * Return a product image's addresses at the width that is shown. A gateway resizes only the images that it stores.
 * @param {string} url @param {string} gateway the gateway's address @param {number} [width] in pixels
 * @returns {{src: string, srcset?: string}}
 */
export function imageSources(url, gateway, width = 240) {
  const parsed = new URL(url, gateway);
  if (parsed.origin !== new URL(gateway).origin || !STORED_IMAGE.test(parsed.pathname)) return { src: parsed.href };
  /** @param {number} pixels */
  const resized = (pixels) => {
    const address = new URL(parsed);
    address.searchParams.set("w", String(pixels));
    return address.href;
  };
  return { src: resized(width), srcset: `${resized(width)} 1x, ${resized(width * 2)} 2x` };
}

/**
 * Run only the last call of a burst.
 * @template {unknown[]} Arguments
 * @param {(...args: Arguments) => void} run @param {number} wait milliseconds
 * @returns {(...args: Arguments) => void}
 */
export function debounce(run, wait) {
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...args), wait);
  };
}
