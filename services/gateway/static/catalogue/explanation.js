/** Which parts of two pictures make a match, as an overlay on both. */

import { Failure } from "../shared/api.js";
import { fill, h, imageSources, safeUrl } from "../shared/dom.js";
import { texts } from "./texts.js";

/** @import { CatalogueContext, Explanation } from "../types.js" */

const WIDTH = 240;
/** A drop of the cosine similarity below this says nothing of a part. */
const LEAST_DROP = 0.005;
/** Of the greatest drop: parts with at least this share of it are named. */
const SHARE = 0.6;
const MAX_NAMED = 3;

export class ExplanationPanel {
  #context;
  /** Counts the explanations, so that a late response does not replace a newer one. */
  #latest = 0;
  element = h("div", { class: "explanation", "aria-live": "polite" });

  /** @param {Pick<CatalogueContext, "gateway">} context */
  constructor(context) {
    this.#context = context;
  }

  /**
   * Show an explanation once it is computed.
   * @param {string} title of the product
   * @param {Promise<Explanation>} response
   * @param {{query: string|null, product: string|null}} pictures their addresses
   */
  async show(title, response, pictures) {
    this.#latest += 1;
    const number = this.#latest;
    fill(this.element, h("p", { class: "muted" }, texts.explainWaiting));
    const content = await response.then(
      (explanation) => this.#explained(title, explanation, pictures),
      (error) => [h("p", {}, error instanceof Failure ? error.detail || error.code : texts.explainFailed)],
    );
    if (number === this.#latest) fill(this.element, content);
  }

  clear() {
    this.#latest += 1;
    fill(this.element);
  }

  /** @param {string} title @param {Explanation} explanation @param {{query: string|null, product: string|null}} pictures */
  #explained(title, { similarity, query, product }, pictures) {
    return [
      h("h3", {}, texts.explainTitle(title, similarity)),
      h("p", { class: "muted" }, texts.explainNote),
      h(
        "div",
        { class: "explained-pictures" },
        this.#picture(texts.explainQuery, pictures.query, query),
        this.#picture(texts.explainProduct, pictures.product, product),
      ),
    ];
  }

  /** @param {string} name @param {string|null} address @param {number[][]} drops */
  #picture(name, address, drops) {
    const { gateway } = this.#context;
    const url = address?.startsWith("data:image/") ? address : safeUrl(address, gateway);
    const sources = url?.startsWith("data:") ? { src: url } : url ? imageSources(url, gateway, WIDTH) : null;
    const cells = strengths(drops).map((strength) => h("span", { vars: { "--strength": strength.toFixed(3) } }));
    const heat = h("div", { class: "heat", vars: { "--columns": String(drops[0]?.length ?? 1) } }, cells);
    const image = sources && h("img", { ...sources, alt: "", width: WIDTH, height: WIDTH });
    const caption = texts.explainParts(name, strongestParts(drops));
    return h("figure", {}, h("div", { class: "explained", "aria-hidden": "true" }, image, heat), figcaption(caption));
  }
}

/** @param {string} text */
const figcaption = (text) => h("figcaption", {}, text);

/** Return how strongly each cell is marked, 0 to 1, row by row. @param {number[][]} drops */
export function strengths(drops) {
  const greatest = Math.max(LEAST_DROP, ...drops.flat());
  return drops.flat().map((drop) => Math.max(0, drop) / greatest);
}

/**
 * Return the names of the parts that the similarity comes from, the strongest first; none if no part counts.
 * @param {number[][]} drops rows of cells
 */
export function strongestParts(drops) {
  const greatest = Math.max(...drops.flat());
  if (!(greatest >= LEAST_DROP)) return [];
  const cells = drops.flatMap((row, y) =>
    row.map((drop, x) => ({ drop, name: texts.explainPart(third(y, drops.length), third(x, row.length)) })),
  );
  const strong = cells.filter(({ drop }) => drop >= SHARE * greatest).sort((a, b) => b.drop - a.drop);
  return [...new Set(strong.map(({ name }) => name))].slice(0, MAX_NAMED);
}

/** Return in which third a cell lies, 0 to 2. @param {number} position @param {number} count */
const third = (position, count) => Math.floor((3 * (position + 0.5)) / count);
