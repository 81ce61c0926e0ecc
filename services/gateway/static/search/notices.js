/** Notices that stand above the results, or in their place. */

import { h } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { failureMessage } from "../shared/strings.js";

/** @import { AnySearchResponse, Message, Strings } from "../types.js" */
/** @typedef {{code: string, title?: string, detail?: string, requestId?: string|null, status?: number}} Failed */

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
  const { detail = "", status = 0, requestId } = failure;
  const hasDetail = status > 0 && detail !== "" && detail !== message.text;
  const more = h("details", { class: "server-detail" }, h("summary", {}, t.notices.details), h("p", {}, detail));
  const id = h("p", { class: "request-id" }, `${t.notices.requestId} `, h("code", {}, requestId));
  const actions = h(
    "div",
    { class: "row" },
    onRetry && button(t.notices.retry, onRetry, true),
    button(t.notices.anotherPhoto, onNewSearch, !onRetry),
  );
  return h("div", { role: "alert" }, notice(message, "alert", actions, hasDetail && more, requestId ? id : null));
}

/**
 * Return a failure's message; a problem that the page does not know speaks for itself.
 * @param {Failed} failure @param {Strings} t
 */
function messageOf({ code, title, detail }, t) {
  const message = failureMessage(t, code);
  return message === t.failures.other && title ? { title, text: detail || message.text } : message;
}

/** @param {{t: Strings, category: string, isFiltered: boolean, onClear: () => void}} options */
export function nothingNotice({ t, category, isFiltered, onClear }) {
  if (!isFiltered) return notice({ ...t.notices.nothing, text: t.notices.nothing.text(category) }, "noResults");
  return notice(t.notices.filtered, "noResults", h("div", { class: "row" }, button(t.filters.clear, onClear, true)));
}

/**
 * Return why a photo has no results: it shows no clothing, or none of the categories; null if it has results.
 * @param {AnySearchResponse["outcome"]} outcome @param {Strings} t @returns {Message|null}
 */
export function refusalOf(outcome, { notices }) {
  if (outcome === "no_clothing") return notices.noClothing;
  return outcome === "other_clothing" ? notices.otherClothing : null;
}

/**
 * @param {Message} refusal
 * @param {{t: Strings, category: string, onAnyway: (() => void)|null}} options `onAnyway`: shows the nearest products
 */
export function refusalNotice(refusal, { t, category, onAnyway }) {
  const row = onAnyway && h("div", { class: "row" }, button(t.notices.noClothing.anyway(category), onAnyway));
  return notice(refusal, "hanger", row);
}
