/** What the page says when there is nothing, or not quite something, to show. */

import { h } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { failureWords } from "../shared/strings.js";

/** @param {{title: string, text: string}} words @param {string} name an icon's @param {...any} more */
export function notice({ title, text }, name, ...more) {
  return h(
    "div",
    { class: "notice" },
    h("span", { class: "notice-icon" }, icon(name, 26)),
    h("div", { class: "notice-text" }, h("h2", {}, title), h("p", {}, text), more),
  );
}

const button = (text, click, primary = false) =>
  h("button", { class: primary ? "button primary" : "button", type: "button", on: { click } }, text);

/**
 * @param {{code: string, title?: string, detail?: string, requestId?: string|null}} failure
 * @param {{t: any, onRetry?: (() => void)|null, onAnother: () => void}} options
 */
export function failureNotice(failure, { t, onRetry, onAnother }) {
  const known = failureWords(t, failure.code);
  const words =
    known === t.failures.other && failure.title ? { title: failure.title, text: failure.detail || known.text } : known;
  const said =
    failure.status > 0 &&
    failure.detail &&
    failure.detail !== words.text &&
    h("details", { class: "said" }, h("summary", {}, t.notices.details), h("p", {}, failure.detail));
  const id =
    failure.requestId && h("p", { class: "request-id" }, `${t.notices.requestId} `, h("code", {}, failure.requestId));
  const actions = h(
    "div",
    { class: "row" },
    onRetry && button(t.notices.retry, onRetry, true),
    button(t.notices.another, onAnother, !onRetry),
  );
  return h("div", { role: "alert" }, notice(words, "alert", actions, said, id));
}

/** @param {{t: any, category: string, filtered: boolean, onClear: () => void}} options */
export function nothingNotice({ t, category, filtered, onClear }) {
  if (filtered)
    return notice(t.notices.filtered, "none", h("div", { class: "row" }, button(t.filters.clear, onClear, true)));
  return notice({ title: t.notices.nothing.title, text: t.notices.nothing.text(category) }, "none");
}

/** @param {{t: any, category: string, onAnyway: (() => void)|null}} options */
export function noClothingNotice({ t, category, onAnyway }) {
  return notice(
    t.notices.noClothing,
    "hanger",
    onAnyway && h("div", { class: "row" }, button(t.notices.noClothing.anyway(category), onAnyway)),
  );
}
