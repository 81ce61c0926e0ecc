/** Why a result is there, in a shopper's terms: the type, colour and pattern that it shares with the query. */

import { attributeKind } from "./format.js";

/** @import { AttributeValue, Attributes, Result } from "../types.js" */

const KINDS = ["type", "colour", "pattern"];
/** A photo has no attributes: what this share of its nearest results have stands for them. */
const NEAREST = 8;
const AGREEING = 0.5;

/** Return the type, colour and pattern of a product, by what they are. @param {Attributes} attributes */
function traitsOf(attributes) {
  /** @type {Map<string, AttributeValue>} */
  const traits = new Map();
  for (const [name, value] of Object.entries(attributes)) {
    const kind = attributeKind(name);
    const single = Array.isArray(value) ? value[0] : value;
    if (kind && KINDS.includes(kind) && typeof single === "string" && !traits.has(kind)) traits.set(kind, single);
  }
  return traits;
}

/**
 * Return what a query seems to show.
 * @param {Attributes|null} attributes of the product that is searched with; null for a photo
 * @param {Result[]} results
 */
export function queryTraits(attributes, results) {
  if (attributes) return traitsOf(attributes);
  const nearest = results.slice(0, NEAREST).map((result) => traitsOf(result.attributes));
  /** @type {Map<string, AttributeValue>} */
  const traits = new Map();
  for (const kind of KINDS) {
    const values = nearest.map((each) => each.get(kind));
    for (const value of values) {
      const share = values.filter((other) => other === value).length / nearest.length;
      if (value !== undefined && nearest.length > 2 && share >= AGREEING) traits.set(kind, value);
    }
  }
  return traits;
}

/** Return the traits that a result shares with the query. @param {Result} result @param {Map<string, AttributeValue>} query */
export function sharedTraits(result, query) {
  const own = traitsOf(result.attributes);
  const shared = KINDS.filter((kind) => query.has(kind) && query.get(kind) === own.get(kind));
  return shared.map((kind) => String(own.get(kind))).filter((value) => value !== result.category);
}
