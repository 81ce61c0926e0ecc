/** Numbers, prices and names, written in the page's language. */

/** @import { Attributes, Similarity, Strings } from "../types.js" */

/** Rounded down, so that only the same picture shows 100 %. @param {number} share @returns {number} 0 to 100 */
const percent = (share) => Math.max(0, Math.min(100, Math.floor(share * 100 + 1e-4)));

/**
 * Return a result's similarity as a percentage and as text. Where the API gives no similarity, the score stands for it.
 * @param {{score: number, similarity: Similarity|null}} result @param {Strings} t
 * @returns {{percent: number, text: string}}
 */
export function similarity(result, t) {
  if (!result.similarity) return { percent: percent(result.score), text: t.results.alike(percent(result.score)) };
  const { value, label } = result.similarity;
  return {
    percent: percent(value),
    text: t.results.similarity(t.results.similarityLabels[label] ?? label, percent(value)),
  };
}

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

/** Return an attribute's name as a heading: `baseColour` → `Base colour`. @param {string} name */
export function heading(name) {
  const words = name
    .replace(/[_-]+/g, " ")
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Return a number with at most one decimal. @param {number} value @param {string} language */
export const number = (value, language) => new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(value);
