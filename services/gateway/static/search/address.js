/** What the page shows ↔ its address, so that a result can be shared, reloaded and gone back to. */

/**
 * @typedef {{kind: "start"} | {kind: "visit", id: string} | {kind: "photo", data: string} | {kind: "url", url: string} | {kind: "like", id: string}} Query
 * @typedef {{query: Query, category: string|null, filter: Record<string, any>, k: number}} View
 */

export const PAGE_SIZE = 20;
export const MOST = 100;

/** @param {Location|URL} location @returns {View} */
export function read(location) {
  const search = new URLSearchParams(location.search);
  const fragment = new URLSearchParams(location.hash.slice(1));
  const k = Math.min(MOST, Math.max(1, Number.parseInt(search.get("n") ?? "", 10) || PAGE_SIZE));
  return {
    query: readQuery(search, fragment),
    category: search.get("category"),
    filter: readFilter(search.get("filter")),
    k,
  };
}

function readQuery(search, fragment) {
  if (search.get("like")) return { kind: "like", id: search.get("like") };
  if (search.get("image")) return { kind: "url", url: search.get("image") };
  if (fragment.get("photo")) return { kind: "photo", data: fragment.get("photo") };
  if (fragment.get("visit")) return { kind: "visit", id: fragment.get("visit") };
  return { kind: "start" };
}

function readFilter(text) {
  try {
    const value = JSON.parse(text ?? "{}");
    return value && typeof value === "object" && !Array.isArray(value) ? value : {};
  } catch {
    return {};
  }
}

/** @param {View} view @returns {string} the address, from the root of the catalogue */
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

function writeFragment(query) {
  if (query.kind === "visit") return `#visit=${encodeURIComponent(query.id)}`;
  return query.kind === "photo" ? `#photo=${query.data}` : "";
}

/** A data: URL of a small picture ↔ what a link's fragment carries: base64 in the URL-safe alphabet, WebP or JPEG. */
export function packPhoto(dataUrl) {
  const [head, body] = dataUrl.split(",");
  const kind = head.includes("webp") ? "w" : head.includes("png") ? "p" : "j";
  return kind + body.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** @param {string} packed @returns {string} a data: URL */
export function unpackPhoto(packed) {
  const type = { w: "webp", j: "jpeg", p: "png" }[packed[0]] ?? "jpeg";
  return `data:image/${type};base64,${packed.slice(1).replaceAll("-", "+").replaceAll("_", "/")}`;
}
