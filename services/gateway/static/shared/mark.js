/** Two overlapping squares: one thing, and the one like it. */

import { h } from "./dom.js";

export const mark = () => h("span", { class: "mark", "aria-hidden": "true" }, h("span"), h("span"));
