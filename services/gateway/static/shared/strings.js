/**
 * The pages' strings by language. To translate: copy strings/en.js, translate it, add it to `LANGUAGES`; docs/page.md.
 */

import { en } from "./strings/en.js";

/** @import { Message, Strings } from "../types.js" */

/** @type {Record<string, Strings>} */
const LANGUAGES = { en };

/**
 * @param {string|null|undefined} tag a language tag such as `de-AT`
 * @returns {Strings} English if there is no translation
 */
export function stringsFor(tag) {
  const base = String(tag ?? "en")
    .toLowerCase()
    .split("-")[0];
  return LANGUAGES[base ?? "en"] ?? en;
}

/** @param {Strings} t @param {string} code of a failure @returns {Message} */
export function failureMessage(t, code) {
  /** @type {Record<string, Message>} */
  const messages = t.failures;
  return messages[code] ?? t.failures.other;
}
