/** The shoppers' texts by language, one file each, loaded when it is needed. To translate: docs/page.md. */

/** @import { Message, Plural, Strings } from "../types.js" */

/** The languages that have a file in strings/. */
export const LANGUAGES = ["en", "de", "fr", "es", "it", "el", "ar"];
const RIGHT_TO_LEFT = ["ar"];

/** Messages by a failure's code: a problem type's last part, or a code of the pages. @type {Record<string, string>} */
const MESSAGES = {
  internal: "unavailable",
  "index-not-ready": "unavailable",
  "embedding-unavailable": "unavailable",
  "detector-unavailable": "unavailable",
  "catalogue-unavailable": "unavailable",
  "model-index-mismatch": "unavailable",
  garbled: "unavailable",
  "upstream-timeout": "slow",
  timeout: "slow",
  "too-many-requests": "busy",
  "invalid-request": "invalid",
  "unknown-category": "invalid",
  "unknown-product": "productGone",
  "unknown-catalogue": "notHere",
  unauthorised: "refused",
  forbidden: "refused",
  originRefused: "refused",
  "invalid-image": "damaged",
  "image-too-large": "large",
  "request-too-large": "large",
  tooManyBytes: "large",
  tooManyPixels: "large",
  "unsupported-image": "format",
  noPicture: "format",
  noImageDropped: "notDropped",
  "image-url-refused": "urlRefused",
  "image-url-failed": "urlFailed",
};

/**
 * Return the language to use for a language tag such as `de-AT`. @param {string|null|undefined} tag
 * @returns {string} English if there is no translation
 */
export function languageOf(tag) {
  const base = String(tag ?? "")
    .toLowerCase()
    .split("-")[0];
  return LANGUAGES.find((language) => language === base) ?? "en";
}

/** @param {string|null|undefined} tag @returns {"ltr"|"rtl"} */
export const directionOf = (tag) => (RIGHT_TO_LEFT.includes(languageOf(tag)) ? "rtl" : "ltr");

/**
 * Load the texts of a language.
 * @param {string|null|undefined} tag a language tag
 * @param {Record<string, object>} [changes] a shop's own texts, by language
 * @returns {Promise<Strings>}
 */
export async function loadStrings(tag, changes = {}) {
  const language = languageOf(tag);
  const { strings } = await import(`./strings/${language}.js`);
  return merged({ ...strings, language: tag || language }, changes[language] ?? {});
}

/**
 * Return texts with some of them replaced.
 * @template {object} T @param {T} texts @param {object} changes a part of the same tree @returns {T}
 */
export function merged(texts, changes) {
  /** @type {Record<string, any>} */
  const result = { ...texts };
  for (const [name, value] of Object.entries(changes)) {
    const isTree = value && typeof value === "object" && result[name] && typeof result[name] === "object";
    result[name] = isTree ? merged(result[name], value) : value;
  }
  return /** @type {T} */ (result);
}

/**
 * Fill the places of a text. A number is written as the language writes it; `count` chooses the plural.
 * @param {Strings} t @param {string|Plural} text @param {Record<string, string|number>} values
 */
export function phrase(t, text, values) {
  const template = typeof text === "string" ? text : pluralOf(t, text, Number(values.count));
  return template.replace(/\{(\w+)\}/g, (place, name) => {
    const value = values[name];
    return typeof value === "number" ? new Intl.NumberFormat(t.language).format(value) : (value ?? place);
  });
}

/** @param {Strings} t @param {Plural} forms @param {number} count */
const pluralOf = (t, forms, count) => forms[new Intl.PluralRules(t.language).select(count)] ?? forms.other;

/** Return a category's name as a shopper reads it. @param {Strings} t @param {string} name @returns {string} */
export function categoryName(t, name) {
  /** @type {Record<string, string>} */
  const names = t.categories;
  return names[name] ?? name;
}

/** Return a text that begins with a capital letter. @param {string} text @param {string} [language] */
export const capital = (text, language) => text.charAt(0).toLocaleUpperCase(language) + text.slice(1);

/** Return the heading of results. @param {Strings} t @param {string} category */
export function similarHeading(t, category) {
  const name = categoryName(t, category);
  return capital(phrase(t, t.results.heading, { category: name }), t.language);
}

/** Whether the page has a message of its own for a failure. @param {Strings} t @param {string} code */
export const isKnownFailure = (t, code) => (MESSAGES[code] ?? code) in t.failures;

/** @param {Strings} t @param {string} code of a failure @param {number} [status] @returns {Message} */
export function failureMessage(t, code, status = 0) {
  /** @type {Record<string, Message>} */
  const messages = t.failures;
  return messages[MESSAGES[code] ?? code] ?? (status >= 500 ? t.failures.unavailable : t.failures.other);
}
