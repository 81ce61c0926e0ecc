/** What completes the look, below the results of the widget. */

import { piecesOf, whenNear } from "../shared/completion.js";
import { fill, h } from "../shared/dom.js";
import { capital, categoryName } from "../shared/strings.js";
import { card } from "./cards.js";

/** @import { Look, Product } from "../types.js" */
/** @import { CardContext } from "./cards.js" */
/** @import { Reporter } from "../shared/events.js" */

/**
 * Load a look and show it in its holder as soon as the shopper comes near it.
 * @param {HTMLElement} holder @param {() => Promise<Look>} load
 * @param {{
 *   category: string,
 *   level: "h2"|"h3",
 *   context: (requestId: string|null, products: Product[]) => CardContext,
 *   reporter: Reporter|null,
 * }} options `category`: of the results above it; `level`: of its heading
 */
export function completion(holder, load, { category, level, context, reporter }) {
  whenNear(holder, async () => {
    // The results stand without it: a look that fails is not shown.
    const look = await load().catch(() => null);
    const pieces = look ? piecesOf(look, category) : [];
    if (!look || pieces.length === 0 || !holder.isConnected) return;
    const products = pieces.map(({ product }) => product);
    const cardContext = context(look.request_id, products);
    const { t } = cardContext;
    const cards = pieces.map(({ category: name, product }, position) => {
      const item = card({ result: product, variants: [], offers: [] }, position, cardContext);
      item.prepend(h("p", { class: "muted kind" }, capital(categoryName(t, name), t.language)));
      return item;
    });
    const ids = products.map(({ id }) => id);
    reporter?.watchMore(cards, look.request_id, ids);
    fill(holder, h(level, {}, t.results.complete), h("ul", { class: "grid", part: "grid", role: "list" }, cards));
  });
}
