/** The form for the admin key. */

import { h } from "../shared/dom.js";
import { texts } from "./texts.js";

/**
 * @param {{isWrong: boolean, onKey: (key: string) => void}} options `isWrong`: the last key was rejected
 */
export function keyForm({ isWrong, onKey }) {
  const input = h("input", {
    type: "password",
    id: "admin-key",
    autocomplete: "current-password",
    required: true,
    "aria-describedby": isWrong ? "key-hint key-wrong" : "key-hint",
    "aria-invalid": isWrong ? "true" : null,
  });
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    if (input.value.trim()) onKey(input.value.trim());
  };
  return h(
    "form",
    { class: "panel key-form", on: { submit } },
    h("label", { for: "admin-key" }, h("strong", {}, texts.key)),
    h("p", { class: "muted", id: "key-hint" }, texts.keyHint),
    isWrong && h("p", { id: "key-wrong", role: "alert" }, texts.keyWrong),
    h("div", { class: "row" }, input, h("button", { class: "button primary", type: "submit" }, texts.keyGo)),
  );
}
