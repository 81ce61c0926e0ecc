/** Asks for the admin key. */

import { h } from "../shared/dom.js";

/** @param {{t: any, wrong: boolean, onKey: (key: string) => void}} options */
export function keyForm({ t, wrong, onKey }) {
  const input = h("input", {
    type: "password",
    id: "admin-key",
    autocomplete: "current-password",
    required: true,
    "aria-describedby": wrong ? "key-hint key-wrong" : "key-hint",
    "aria-invalid": wrong ? "true" : null,
  });
  const submit = (event) => {
    event.preventDefault();
    if (input.value.trim()) onKey(input.value.trim());
  };
  return h(
    "form",
    { class: "panel key-form", on: { submit } },
    h("label", { for: "admin-key" }, h("strong", {}, t.catalogue.key)),
    h("p", { class: "muted", id: "key-hint" }, t.catalogue.keyHint),
    wrong && h("p", { id: "key-wrong", role: "alert" }, t.catalogue.keyWrong),
    h("div", { class: "row" }, input, h("button", { class: "button primary", type: "submit" }, t.catalogue.keyGo)),
  );
}
