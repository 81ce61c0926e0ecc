/** Small helpers to build pages. Text only ever becomes a text node: nothing here parses HTML. */

/**
 * Make an element.
 * @param {string} tag
 * @param {Record<string, any>} [props] `on` holds listeners, `vars` custom properties; false, null and undefined are left out.
 * @param {...(Node|string|number|null|undefined|false)} children
 * @returns {HTMLElement}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) setProp(element, name, value);
  element.append(
    ...children
      .flat()
      .filter((child) => child !== null && child !== undefined && child !== false)
      .map(asNode),
  );
  return element;
}

function setProp(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "on") {
    for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
  } else if (name === "vars") {
    for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
  } else if (name === "class") {
    element.className = value;
  } else if (["value", "checked", "disabled", "hidden", "open", "muted", "playsInline"].includes(name)) {
    element[name] = value;
  } else {
    element.setAttribute(name, value === true ? "" : String(value));
  }
}

const asNode = (child) => (child instanceof Node ? child : document.createTextNode(String(child)));

/** Replace what an element holds. @param {Element} element @param {...any} children */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter(Boolean).map(asNode));
  return element;
}

/** A link's address if a browser may be sent there, else null. @param {string|null|undefined} url @returns {string|null} */
export function safeUrl(url, base = document.baseURI) {
  if (!url) return null;
  try {
    const parsed = new URL(url, base);
    return parsed.protocol === "https:" || parsed.protocol === "http:" ? parsed.href : null;
  } catch {
    return null;
  }
}

const STORED_PICTURE = /^(?:\/catalogues\/[^/]+)?\/v1\/products\/.+\/image$/;

/**
 * The addresses of a product's picture at the widths it is shown in. Only pictures that a gateway keeps can be had smaller.
 * @param {string} url @param {string} gateway the gateway's address
 */
export function pictureSources(url, gateway, width = 240) {
  const parsed = new URL(url, gateway);
  if (parsed.origin !== new URL(gateway).origin || !STORED_PICTURE.test(parsed.pathname)) return { src: parsed.href };
  const at = (pixels) => {
    const sized = new URL(parsed);
    sized.searchParams.set("w", String(pixels));
    return sized.href;
  };
  return { src: at(width), srcset: `${at(width)} 1x, ${at(width * 2)} 2x` };
}

/** Run the last call of a burst. @param {(...args: any[]) => void} run @param {number} wait milliseconds */
export function debounce(run, wait) {
  let timer = 0;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...args), wait);
  };
}
