/** The logo: two overlapping squares, a thing and its lookalike. */

import { h } from "./dom.js";

export const logo = () => h("span", { class: "mark", "aria-hidden": "true" }, h("span"), h("span"));
