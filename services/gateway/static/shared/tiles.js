/** One tile a style: variants share a tile, and so do products with the same picture. */

import { attributeKind } from "./format.js";

/** @import { Product, Result, Tile } from "../types.js" */

/** Scores of the same picture differ by less than this. */
const SAME_SCORE = 5e-7;

/** @param {Result[]} results best first @returns {Tile<Result>[]} best first */
export function tilesOf(results) {
  /** @type {Tile<Result>[]} */
  const tiles = [];
  for (const result of results) {
    const style = tiles.find((tile) => isSameStyle(tile.result, result));
    const picture = style ? null : tiles.find((tile) => isSamePicture(tile.result, result));
    if (style) style.variants.push(result);
    else if (picture) picture.offers.push(result);
    else tiles.push({ result, variants: [], offers: [] });
  }
  return tiles;
}

/** @param {Result} a @param {Result} b */
const isSameStyle = (a, b) => Boolean(a.group) && a.group === b.group && a.catalogue === b.catalogue;

/** @param {Result} a @param {Result} b */
function isSamePicture(a, b) {
  const picture = pictureOf(a);
  return (picture !== null && picture === pictureOf(b)) || Math.abs(a.score - b.score) < SAME_SCORE;
}

/** Return what identifies a result's picture: the hash of a stored one, or its address. @param {Result} result */
function pictureOf({ image_url: url }) {
  return url && (/[?&](?:v|picture)=([0-9a-f]+)/.exec(url)?.[1] ?? url);
}

/** Return a product's colour as its feed names it, or null. @param {Pick<Result, "attributes">} product */
export function colourOf({ attributes }) {
  const name = Object.keys(attributes).find((key) => attributeKind(key) === "colour");
  const value = name === undefined ? null : attributes[name];
  return typeof value === "string" && value ? value : null;
}

/**
 * Return the colours of a style, each with its nearest product: variants may be sizes of one colour.
 * @param {Product[]} products best first @returns {[string, Product][]}
 */
export function coloursOf(products) {
  /** @type {Map<string, [string, Product]>} */
  const colours = new Map();
  for (const product of products) {
    const name = colourOf(product);
    if (name && !colours.has(name.toLowerCase())) colours.set(name.toLowerCase(), [name, product]);
  }
  return [...colours.values()];
}

/** Names of colours in feeds that CSS does not know. @type {Record<string, string>} */
const COLOURS = {
  "off white": "#f7f3e8",
  cream: "#f6efd6",
  charcoal: "#3a3f44",
  mustard: "#d2a12c",
  burgundy: "#6d1a2d",
  rust: "#a5492a",
  copper: "#b87333",
  bronze: "#a9713a",
  taupe: "#8b7d6f",
  nude: "#e3bc9a",
  skin: "#e3bc9a",
  rose: "#d88a94",
  mauve: "#b784a7",
  steel: "#8a949e",
  metallic: "#9a9ea3",
  camel: "#b98d5a",
  "sea green": "#2e8b57",
  denim: "#3f5f8a",
};

/** Return a colour's CSS value; null if its name is not a colour's. @param {string} name */
export function cssColour(name) {
  const plain = name.toLowerCase();
  const words = [plain.replace(/[^a-z]/g, ""), ...plain.split(/[^a-z]+/)];
  if (COLOURS[plain]) return COLOURS[plain];
  const known = words.find((word) => word && (COLOURS[word] || CSS.supports("color", word)));
  return known ? (COLOURS[known] ?? known) : null;
}
