/** Dark or light: as the system has it, until the visitor chooses. */

import { h } from "./dom.js";
import { icon } from "./icons.js";

const KEY = "lookalike.theme";
const root = document.documentElement;

/** @returns {string|null} the visitor's choice; null if there is none or storage is disabled */
function storedTheme() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

const isDark = () =>
  root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

const theme = storedTheme();
if (theme) root.dataset.theme = theme;

/** @param {string} label */
export function themeButton(label) {
  const button = h("button", { class: "icon-button", type: "button", "aria-label": label, title: label });
  const draw = () => button.replaceChildren(icon(isDark() ? "light" : "dark"));
  button.addEventListener("click", () => {
    const chosen = isDark() ? "light" : "dark";
    root.dataset.theme = chosen;
    try {
      localStorage.setItem(KEY, chosen);
    } catch {
      // Storage is disabled: the choice holds for this page only.
    }
    draw();
  });
  draw();
  return button;
}
