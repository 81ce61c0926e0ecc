/** Prices, attributes and their names, written in the page's language. */

import { capital } from "./strings.js";

/** @import { Attributes, Strings } from "../types.js" */

/**
 * Return a product's price, or null if it has none.
 * @param {Attributes} attributes
 * @param {{language: string, currency?: string|null}} options `currency`: where the product names none
 */
export function price(attributes, { language, currency = null }) {
  const amount = Number(attributes.price);
  if (attributes.price === undefined || attributes.price === "" || !Number.isFinite(amount)) return null;
  const code = [attributes.currency, currency].find(
    (value) => typeof value === "string" && /^[A-Za-z]{3}$/.test(value),
  );
  try {
    /** @type {Intl.NumberFormatOptions} */
    const options = code ? { style: "currency", currency: String(code).toUpperCase() } : { maximumFractionDigits: 2 };
    return new Intl.NumberFormat(language, options).format(amount);
  } catch {
    return String(amount);
  }
}

/** Names that feeds give to the attributes that the pages know. @type {Record<string, string[]>} */
const ATTRIBUTES = {
  gender: ["gender", "sex", "targetgender"],
  size: ["size", "sizes"],
  colour: ["colour", "color", "basecolour", "basecolor", "colourgroup", "colorgroup"],
  type: ["type", "articletype", "producttype", "garmenttype"],
  pattern: ["pattern", "print"],
  price: ["price"],
  brand: ["brand", "vendor", "manufacturer"],
  material: ["material", "fabric"],
  season: ["season"],
  usage: ["usage", "occasion"],
  fit: ["fit"],
};

/** Return what an attribute is about, `colour` for `baseColour`; null if the pages do not know it. @param {string} name */
export function attributeKind(name) {
  const plain = name.toLowerCase().replace(/[^a-z]/g, "");
  return Object.keys(ATTRIBUTES).find((kind) => ATTRIBUTES[kind]?.includes(plain)) ?? null;
}

/** Return an attribute's name as a heading: `baseColour` → `Colour`. @param {string} name @param {Strings} t */
export function attributeName(name, t) {
  /** @type {Record<string, string>} */
  const names = t.attributes;
  return names[name] ?? names[attributeKind(name) ?? ""] ?? heading(name);
}

/** Return a name as a heading: `leadTime` → `Lead time`. @param {string} name */
export function heading(name) {
  const words = name
    .replace(/[_-]+/g, " ")
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .trim();
  return capital(words);
}

/** Return a number with at most one decimal. @param {number} value @param {string} language */
export const number = (value, language) => new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(value);
