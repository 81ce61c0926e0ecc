/** Notices that stand above the results, or in their place. */

import { h } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { categoryName, failureMessage, isKnownFailure, phrase } from "../shared/strings.js";

/** @import { AnySearchResponse, Message, Strings } from "../types.js" */
/** @typedef {{code: string, title?: string, detail?: string, requestId?: string|null, status?: number}} Failed */

/** Failures after which only a new search helps. */
const GONE = ["unknown-product", "unknown-catalogue", "forbidden", "unauthorised", "badLink"];

/**
 * @param {Message} message @param {import("../shared/icons.js").IconName} name
 * @param {...import("../shared/dom.js").Child} more
 */
export function notice({ title, text }, name, ...more) {
  return h(
    "div",
    { class: "notice" },
    h("span", { class: "notice-icon" }, icon(name, 26)),
    h("div", { class: "notice-text" }, h("h2", {}, title), h("p", {}, text), ...more),
  );
}

/** @param {string} text @param {() => void} click @param {boolean} [isPrimary] */
const button = (text, click, isPrimary = false) =>
  h("button", { class: isPrimary ? "button primary" : "button", type: "button", on: { click } }, text);

/**
 * @param {Failed} failure
 * @param {{t: Strings, onRetry: (() => void)|null, onNewSearch: () => void}} options
 *   `onRetry`: null if a retry cannot succeed
 */
export function failureNotice(failure, { t, onRetry, onNewSearch }) {
  const message = messageOf(failure, t);
  const { code, detail = "", status = 0, requestId } = failure;
  const isGone = GONE.includes(code);
  const retry = isGone ? null : onRetry;
  const hasDetail = status > 0 && detail !== "" && detail !== message.text && !isGone;
  const id = requestId && h("p", { class: "request-id" }, `${t.notices.requestId} `, h("code", {}, requestId));
  const more = h("details", { class: "server-detail" }, h("summary", {}, t.notices.details), h("p", {}, detail), id);
  const other = isGone ? t.query.newSearch : t.notices.anotherPhoto;
  const actions = h(
    "div",
    { class: "row" },
    retry && button(t.notices.retry, retry, true),
    button(other, onNewSearch, !retry),
  );
  return h("div", { role: "alert" }, notice(message, "alert", actions, hasDetail && more));
}

/**
 * Return a failure's message; a problem that the page does not know speaks for itself.
 * @param {Failed} failure @param {Strings} t
 */
function messageOf({ code, title, detail, status = 0 }, t) {
  const message = failureMessage(t, code, status);
  return !isKnownFailure(t, code) && title && status < 500 ? { title, text: detail || message.text } : message;
}

/**
 * @param {Message} message @param {{t: Strings, onClear: (() => void)|null, onNewSearch: () => void}} options
 *   `onClear`: removes the filters; null if none is set
 */
export function nothingNotice(message, { t, onClear, onNewSearch }) {
  const action = onClear ? button(t.notices.clear, onClear, true) : button(t.notices.anotherPhoto, onNewSearch, true);
  return notice(message, "noResults", h("div", { class: "row" }, action));
}

/**
 * Return why a photo has no results: it shows nothing to wear, or a kind that is not searched; null if it has results.
 * @param {AnySearchResponse["outcome"]} outcome @param {{t: Strings}} context @returns {Message|null}
 */
export function refusalOf(outcome, { t }) {
  if (outcome === "no_clothing") return t.notices.noClothing;
  if (outcome !== "other_clothing") return null;
  const { title, text } = t.notices.otherClothing;
  const names = Object.keys(t.categories).map((name) => categoryName(t, name));
  const categories = new Intl.ListFormat(t.language, { type: "disjunction" }).format(names);
  return { title, text: phrase(t, text, { categories }) };
}

/**
 * @param {Message} refusal
 * @param {{t: Strings, onAnyway: (() => void)|null, onNewSearch: () => void}} options
 *   `onAnyway`: shows the nearest products
 */
export function refusalNotice(refusal, { t, onAnyway, onNewSearch }) {
  const another = button(t.notices.anotherPhoto, onNewSearch, true);
  return notice(refusal, "hanger", h("div", { class: "row" }, another, onAnyway && button(t.notices.anyway, onAnyway)));
}
