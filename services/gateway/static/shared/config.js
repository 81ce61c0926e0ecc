/** What the gateway writes into each page. */

/** @import { PageConfig } from "../types.js" */

/** @returns {PageConfig} */
export function pageConfig() {
  const meta = document.querySelector('meta[name="lookalike"]');
  return JSON.parse(meta?.getAttribute("content") ?? "{}");
}
