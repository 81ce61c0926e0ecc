/** Dark or light: as the system has it, until the visitor says otherwise. */

import { h } from "./dom.js";
import { icon } from "./icons.js";

const KEY = "lookalike.theme";
const root = document.documentElement;

function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

const isDark = () =>
  root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

if (stored()) root.dataset.theme = stored();

/** @param {any} t the words */
export function themeButton(t) {
  const button = h("button", { class: "icon-button", type: "button", "aria-label": t.nav.theme, title: t.nav.theme });
  const draw = () => button.replaceChildren(icon(isDark() ? "light" : "dark"));
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem(KEY, root.dataset.theme);
    } catch {
      // It lasts for this page only.
    }
    draw();
  });
  draw();
  return button;
}
