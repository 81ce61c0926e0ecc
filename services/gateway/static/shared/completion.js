/** What completes a look: which products, and when they are loaded. */

/** @import { Look, Product } from "../types.js" */
/** @typedef {{category: string, product: Product}} Piece a product of a look, and its category */

/** How near the visible part of the page a look is before it is loaded: most shoppers do not scroll to it. */
const MARGIN = "300px";

/**
 * Return the best product of each category of a look; none if neither a model nor baskets know the category.
 * @param {Look} look @param {string} category of the results above it, which a look does not repeat
 * @returns {Piece[]}
 */
export function piecesOf({ basis, look }, category) {
  return look.flatMap(({ category: name, results: [product], baskets }) => {
    const isKnown = basis === "learned" || baskets > 0;
    return product && isKnown && name !== category ? [{ category: name, product }] : [];
  });
}

/**
 * Run once when an element comes near the visible part of the page.
 * @param {Element} element @param {() => void} run
 * @returns {() => void} ends the wait
 */
export function whenNear(element, run) {
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      run();
    },
    { rootMargin: MARGIN },
  );
  observer.observe(element);
  return () => observer.disconnect();
}
