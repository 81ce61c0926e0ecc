/** Numbers and words as people read them, in the page's language. */

/** Rounded down: only the same picture is 100 % alike. @param {number} share @returns {number} 0 to 100 */
const percent = (share) => Math.max(0, Math.min(100, Math.floor(share * 100 + 1e-4)));

/**
 * How alike a result is, in words and as a number from 0 to 100; by its score alone where the shop's server has no scale for it.
 * @param {{score: number, similarity?: {value: number, label: string}|null}} result @param {any} t the words
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
 * A product's price in words, or null where it has none.
 * @param {Record<string, any>} attributes @param {{language: string, currency?: string|null, attribute?: string}} how
 */
export function price(attributes, { language, currency = null, attribute = "price" }) {
  const amount = Number(attributes?.[attribute]);
  if (attributes?.[attribute] === undefined || attributes[attribute] === "" || !Number.isFinite(amount)) return null;
  const code = [attributes.currency, currency].find((text) => /^[A-Za-z]{3}$/.test(text ?? ""));
  try {
    return new Intl.NumberFormat(
      language,
      code ? { style: "currency", currency: code.toUpperCase() } : { maximumFractionDigits: 2 },
    ).format(amount);
  } catch {
    return String(amount);
  }
}

/** `baseColour` → `Base colour`. @param {string} name */
export function label(name) {
  const words = name
    .replace(/[_-]+/g, " ")
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** @param {number} bytes @param {string} language */
export function megabytes(bytes, language) {
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(bytes / 1e6)} MB`;
}

/** @param {number} value @param {string} language */
export const number = (value, language) => new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(value);
