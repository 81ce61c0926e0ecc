/** From the query in the page's address to the photo or product that is searched with. */

import { safeUrl } from "../shared/dom.js";
import { fromDataUrl, openPhoto, toThumbnail, WHOLE } from "../shared/photo.js";
import { categoryName, phrase } from "../shared/strings.js";
import { unpackPhoto } from "./address.js";

/** @import { AnySearchResponse, Entry, Photo, PhotoSubject, Product, Query, Strings, Subject } from "../types.js" */
/** @import { Visit } from "./visit.js" */

/** Longest side of the copy of a photo that a visit keeps, in pixels. */
const THUMBNAIL_SIDE = 360;

/** Return the small copy of a photo that a visit keeps, as a data: URL. @param {Photo} photo */
export const visitThumbnail = (photo) => toThumbnail(photo, THUMBNAIL_SIDE);

/**
 * Return what a query searches with.
 * @param {Exclude<Query, {kind: "start"}>} query
 * @param {{visit: Visit, products: Map<string, Product>, t: Strings}} context
 *   `products`: those of earlier results, by id
 * @returns {Promise<Subject|null>} null if the visit does not have the photo
 * @throws {import("../shared/photo.js").PhotoError} the photo in the address cannot be read
 */
export async function openSubject(query, { visit, products, t }) {
  if (query.kind === "url") return { query, label: query.url, thumbnail: query.url };
  if (query.kind === "like") {
    const product = products.get(query.id) ?? null;
    return { query, product, label: product?.title ?? query.id };
  }
  return query.kind === "photo"
    ? photoSubject(query, visit.photos.get(query.data), unpackPhoto(query.data), t)
    : photoSubject(query, visit.photos.get(query.id), visit.find(query.id)?.thumbnail, t);
}

/**
 * @param {PhotoSubject["query"]} query @param {Photo|undefined} decoded
 * @param {string|null|undefined} url a data: URL @param {Strings} t
 * @returns {Promise<PhotoSubject|null>}
 */
async function photoSubject(query, decoded, url, t) {
  if (!decoded && !url) return null;
  const photo = decoded ?? (await openPhoto(fromDataUrl(url ?? "")));
  return {
    query,
    photo,
    thumbnail: url ?? visitThumbnail(photo),
    box: { ...WHOLE },
    isFramed: false,
    prior: null,
    upload: null,
    label: t.query.photo,
  };
}

/**
 * Return the entry of a search for the visit.
 * @param {Subject} subject @param {AnySearchResponse} response @param {{gateway: string, t: Strings}} context
 * @returns {Entry}
 */
export function entryOf(subject, response, { gateway, t }) {
  const { query } = subject;
  const id = entryId(query);
  if (subject.photo) {
    const label = phrase(t, t.query.photoOf, { category: categoryName(t, response.category.name) });
    return { id, kind: "photo", label, thumbnail: subject.thumbnail, query };
  }
  const kind = query.kind === "url" ? "url" : "like";
  const thumbnail = subject.thumbnail ?? safeUrl(subject.product?.image_url, gateway);
  return { id, kind, label: subject.label, thumbnail, query };
}

/** @param {Subject["query"]} query */
export function entryId(query) {
  if (query.kind === "visit") return query.id;
  if (query.kind === "photo") return `photo:${query.data.slice(0, 24)}`;
  return `${query.kind}:${query.kind === "like" ? query.id : query.url}`;
}
