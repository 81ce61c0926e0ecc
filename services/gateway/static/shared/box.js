/** A part of a picture. */

/** @import { Box } from "../types.js" */

/** Return a box as CSS custom properties. @param {Box} box */
export function boxVariables({ x, y, width, height }) {
  /** @param {number} value */
  const percent = (value) => `${(value * 100).toFixed(2)}%`;
  return { "--x": percent(x), "--y": percent(y), "--w": percent(width), "--h": percent(height) };
}
