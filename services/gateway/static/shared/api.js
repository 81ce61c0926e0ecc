/** The gateway's API, with its failures as one kind of exception. */

const TIMEOUT_MS = 20_000;

const CATALOGUES = "/catalogues/";
const DEFAULT = "default";

/**
 * What a gateway's addresses of a catalogue begin with; nothing for the default one.
 * @param {string|null|undefined} catalogue its name, or `all` for a search through every one
 */
export const pathOf = (catalogue) =>
  !catalogue || catalogue === DEFAULT ? "" : CATALOGUES + encodeURIComponent(catalogue);

/** A call that did not succeed. `code` names its words in strings.js: a problem type's slug, or one of ours. */
export class Failure extends Error {
  /** @param {string} code @param {{title?: string, detail?: string, requestId?: string|null, status?: number}} [facts] */
  constructor(code, { title = "", detail = "", requestId = null, status = 0 } = {}) {
    super(detail || code);
    Object.assign(this, { code, title, detail, requestId, status });
  }
}

export class Api {
  /** @param {string} base the gateway's address @param {{key?: string|null}} [options] `key`: the admin key */
  constructor(base, { key = null } = {}) {
    this.base = base.replace(/\/+$/, "");
    this.key = key;
  }

  /** @param {Blob} photo @param {object} options @param {AbortSignal} [signal] */
  searchPhoto(photo, options, signal) {
    const form = new FormData();
    form.append("image", photo, "photo.jpg");
    for (const [name, value] of fields(options)) form.append(name, value);
    return this.call("/v1/search", { method: "POST", body: form, signal });
  }

  /** @param {string} url @param {object} options @param {AbortSignal} [signal] */
  searchUrl(url, options, signal) {
    const body = JSON.stringify({ image_url: url, ...given(options) });
    return this.call("/v1/search", { method: "POST", body, headers: { "Content-Type": "application/json" }, signal });
  }

  /** @param {string} id @param {object} options @param {AbortSignal} [signal] */
  similar(id, { category: _, ...options }, signal) {
    return this.call(`/v1/products/${encodeURIComponent(id)}/similar?${new URLSearchParams(fields(options))}`, {
      signal,
    });
  }

  /** @param {string} id */
  product(id, signal) {
    return this.call(`/v1/products/${encodeURIComponent(id)}`, { signal });
  }

  /** @param {string} path @param {RequestInit} [init] @returns {Promise<any>} @throws {Failure} */
  async call(path, { signal, headers = {}, ...init } = {}) {
    const late = AbortSignal.timeout(TIMEOUT_MS);
    const key = this.key ? { Authorization: `Bearer ${this.key}` } : {};
    let response;
    try {
      response = await fetch(this.base + path, {
        ...init,
        headers: { ...headers, ...key },
        signal: signal ? AbortSignal.any([signal, late]) : late,
        credentials: "omit",
      });
    } catch (error) {
      throw lost(error, signal, late);
    }
    return answer(response);
  }
}

function lost(error, signal, late) {
  if (signal?.aborted) return new Failure("aborted");
  if (late.aborted) return new Failure("timeout");
  return new Failure(navigator.onLine === false ? "offline" : "unreachable", { detail: error.message });
}

async function answer(response) {
  const requestId = response.headers.get("X-Request-ID");
  let body = null;
  try {
    body = await response.json();
  } catch {
    if (response.ok) throw new Failure("garbled", { requestId, status: response.status });
  }
  if (response.ok) return body;
  const code =
    String(body?.type ?? "")
      .split("/")
      .pop() || `http-${response.status}`;
  throw new Failure(code, {
    title: body?.title,
    detail: body?.detail,
    requestId: body?.request_id ?? requestId,
    status: response.status,
  });
}

const given = (options) => Object.fromEntries(Object.entries(options).filter(([, value]) => !isEmpty(value)));
const isEmpty = (value) =>
  value === null ||
  value === undefined ||
  value === "" ||
  (typeof value === "object" && Object.keys(value).length === 0);
const fields = (options) =>
  Object.entries(given(options)).map(([name, value]) => [
    name,
    typeof value === "object" ? JSON.stringify(value) : String(value),
  ]);
