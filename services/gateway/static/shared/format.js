/** Numbers and words as people read them, in the page's language. */

/** Rounded down: only the same picture is 100 % alike. @param {number} score cosine, about -1 to 1 @returns {number} 0 to 100 */
export const percentAlike = (score) => Math.max(0, Math.min(100, Math.floor(score * 100 + 1e-4)));

/**
 * A product's price in words, or null where it has none.
 * @param {Record<string, any>} attributes @param {{language: string, currency?: string|null, attribute?: string}} how
 */
export function price(attributes, { language, currency = null, attribute = "price" }) {
  const amount = Number(attributes?.[attribute]);
  if (attributes?.[attribute] === undefined || attributes[attribute] === "" || !Number.isFinite(amount)) return null;
  const code = [attributes.currency, currency].find((text) => /^[A-Za-z]{3}$/.test(text ?? ""));
  try {
    return new Intl.NumberFormat(language, code ? { style: "currency", currency: code.toUpperCase() } : { maximumFractionDigits: 2 }).format(amount);
  } catch {
    return String(amount);
  }
}

/** `baseColour` → `Base colour`. @param {string} name */
export function label(name) {
  const words = name.replace(/[_-]+/g, " ").replace(/([a-z\d])([A-Z])/g, "$1 $2").toLowerCase().trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** @param {number} bytes @param {string} language */
export function megabytes(bytes, language) {
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(bytes / 1e6)} MB`;
}

/** @param {number} value @param {string} language */
export const number = (value, language) => new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(value);
