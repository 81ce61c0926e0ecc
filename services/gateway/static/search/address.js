/** The page's state ↔ its address, so that results can be shared, reloaded and returned to. */

/** @import { Filter, PageState, Query } from "../types.js" */

export const PAGE_SIZE = 20;
export const MAX_RESULTS = 100;

/** Return the state of a new search. @param {Query} query @returns {PageState} */
export const newSearch = (query) => ({ query, category: null, filter: {}, k: PAGE_SIZE });

/** @param {Location|URL} location @returns {PageState} */
export function read(location) {
  const search = new URLSearchParams(location.search);
  const fragment = new URLSearchParams(location.hash.slice(1));
  const k = Math.min(MAX_RESULTS, Math.max(1, Number.parseInt(search.get("n") ?? "", 10) || PAGE_SIZE));
  return {
    query: readQuery(search, fragment),
    category: search.get("category"),
    filter: readFilter(search.get("filter")),
    k,
  };
}

/** @param {URLSearchParams} search @param {URLSearchParams} fragment @returns {Query} */
function readQuery(search, fragment) {
  const [like, image] = [search.get("like"), search.get("image")];
  const [photo, visit] = [fragment.get("photo"), fragment.get("visit")];
  if (like) return { kind: "like", id: like };
  if (image) return { kind: "url", url: image };
  if (photo) return { kind: "photo", data: photo };
  if (visit) return { kind: "visit", id: visit };
  return { kind: "start" };
}

/** @param {string|null} text @returns {Filter} empty unless the text is a JSON object */
function readFilter(text) {
  try {
    const value = JSON.parse(text ?? "{}");
    return value && typeof value === "object" && !Array.isArray(value) ? value : {};
  } catch {
    return {};
  }
}

/** @param {PageState} state @returns {string} the address, relative to the catalogue's path */
export function write({ query, category, filter, k }) {
  const search = new URLSearchParams();
  if (query.kind === "like") search.set("like", query.id);
  if (query.kind === "url") search.set("image", query.url);
  if (query.kind !== "start") {
    if (category) search.set("category", category);
    if (Object.keys(filter).length > 0) search.set("filter", JSON.stringify(filter));
    if (k !== PAGE_SIZE) search.set("n", String(k));
  }
  const text = search.toString();
  return `/${text && `?${text}`}${writeFragment(query)}`;
}

/** @param {Query} query */
function writeFragment(query) {
  if (query.kind === "visit") return `#visit=${encodeURIComponent(query.id)}`;
  return query.kind === "photo" ? `#photo=${query.data}` : "";
}

/** The first letter of a packed photo names its media type. @type {Record<string, string>} */
const TYPES = { w: "webp", j: "jpeg", p: "png" };

/** Turn a data: URL into text for a link's fragment: base64 in the URL-safe alphabet. @param {string} dataUrl */
export function packPhoto(dataUrl) {
  const [head = "", body = ""] = dataUrl.split(",");
  const letter = head.includes("webp") ? "w" : head.includes("png") ? "p" : "j";
  return letter + body.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** @param {string} packed @returns {string} a data: URL */
export function unpackPhoto(packed) {
  const type = TYPES[packed.charAt(0)] ?? "jpeg";
  return `data:image/${type};base64,${packed.slice(1).replaceAll("-", "+").replaceAll("_", "/")}`;
}
