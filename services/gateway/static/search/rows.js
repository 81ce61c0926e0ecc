/** Whole rows: while more results can be shown, the last row of tiles is full. */

/**
 * Keep the last row full at every width.
 * @param {HTMLElement} list @param {() => boolean} hasMore whether the tiles that are left out come with "Show more"
 * @returns {() => void} to be called when the tiles change
 */
export function keepRowsFull(list, hasMore) {
  const update = () => {
    const tiles = /** @type {HTMLElement[]} */ ([...list.children]);
    const columns = getComputedStyle(list).gridTemplateColumns.split(" ").length;
    const visible = hasMore() && tiles.length >= columns ? tiles.length - (tiles.length % columns) : tiles.length;
    for (const [position, tile] of tiles.entries()) tile.hidden = position >= visible;
  };
  let width = 0;
  new ResizeObserver(([entry]) => {
    if (!entry || entry.contentRect.width === width) return;
    width = entry.contentRect.width;
    update();
  }).observe(list);
  return update;
}
