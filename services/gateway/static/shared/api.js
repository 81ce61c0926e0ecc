/** The gateway's API. Every failure is a `Failure`. */

/**
 * @import { AnySearchResponse, CatalogueStatus, Demand, Explanation, Garments, Import, Look, Preview, Problem, Product, ProductDetails, Rules, Sample, SearchOptions } from "../types.js"
 */

const TIMEOUT_MS = 20_000;
const DEFAULT_CATALOGUE = "default";

/**
 * Return the path that a catalogue's addresses begin with: empty for the default catalogue.
 * @param {string|null|undefined} catalogue its name, or `all` for a search in every catalogue
 */
export const cataloguePath = (catalogue) =>
  !catalogue || catalogue === DEFAULT_CATALOGUE ? "" : `/catalogues/${encodeURIComponent(catalogue)}`;

/** A call that failed. `code` names its message in strings.js: a problem type's last part, or a code of the pages. */
export class Failure extends Error {
  /**
   * @param {string} code
   * @param {{title?: string, detail?: string, requestId?: string|null, status?: number}} [problem]
   *   `status` is 0 without a response
   */
  constructor(code, { title = "", detail = "", requestId = null, status = 0 } = {}) {
    super(detail || code);
    this.code = code;
    this.title = title;
    this.detail = detail;
    this.requestId = requestId;
    this.status = status;
  }
}

export class Api {
  /** @param {string} base the gateway's address @param {{key?: string|null}} [options] `key`: an API key */
  constructor(base, { key = null } = {}) {
    this.base = base.replace(/\/+$/, "");
    this.key = key;
  }

  /**
   * @param {Blob} photo @param {SearchOptions} options @param {AbortSignal} [signal]
   * @returns {Promise<AnySearchResponse>}
   */
  searchPhoto(photo, options, signal) {
    const form = new FormData();
    form.append("image", photo, "photo.jpg");
    for (const [name, value] of fields(options)) form.append(name, value);
    return this.#call("/v1/search", { method: "POST", body: form, signal });
  }

  /**
   * @param {string} url @param {SearchOptions} options @param {AbortSignal} [signal]
   * @returns {Promise<AnySearchResponse>}
   */
  searchUrl(url, options, signal) {
    const body = JSON.stringify({ image_url: url, ...withoutEmpty(options) });
    const headers = { "Content-Type": "application/json" };
    return this.#call("/v1/search", { method: "POST", body, headers, signal });
  }

  /**
   * @param {string} id @param {SearchOptions} options @param {AbortSignal} [signal]
   * @returns {Promise<AnySearchResponse>}
   */
  similar(id, { category: _, ...options }, signal) {
    const query = new URLSearchParams(fields(options));
    return this.#call(`/v1/products/${encodeURIComponent(id)}/similar?${query}`, { signal });
  }

  /** @param {string} id @returns {Promise<ProductDetails>} */
  product(id) {
    return this.#call(`/v1/products/${encodeURIComponent(id)}`);
  }

  /** Return the best product of each other category that goes with a product. @param {string} id @returns {Promise<Look>} */
  look(id) {
    return this.#call(`/v1/products/${encodeURIComponent(id)}/look?k=1`);
  }

  /** Return the same for the garments of a photo. @param {Blob} photo @returns {Promise<Look>} */
  lookOfPhoto(photo) {
    const form = new FormData();
    form.append("image", photo, "photo.jpg");
    form.append("k", "1");
    return this.#call("/v1/look", { method: "POST", body: form });
  }

  /** Return the same for the photo at an address. @param {string} url @returns {Promise<Look>} */
  lookOfUrl(url) {
    const body = JSON.stringify({ image_url: url, k: 1 });
    return this.#call("/v1/look", { method: "POST", body, headers: { "Content-Type": "application/json" } });
  }

  /** Return products drawn at random. @param {number} count @returns {Promise<Product[]>} */
  async sample(count) {
    /** @type {Sample} */
    const { products } = await this.#call(`/v1/products:sample?count=${count}`);
    return products;
  }

  /** Return the garments that a photo shows. @param {Blob} photo @returns {Promise<Garments>} */
  detect(photo) {
    const form = new FormData();
    form.append("image", photo, "photo.jpg");
    return this.#call("/v1/detect", { method: "POST", body: form });
  }

  /**
   * Return which parts of a product's picture and of the query's picture make the match.
   * @param {string} id of the product @param {Blob|string} query a photo, or the id of another product
   * @param {number} imageIndex the product's image
   * @returns {Promise<Explanation>}
   */
  explain(id, query, imageIndex) {
    const form = new FormData();
    form.append("image_index", String(imageIndex));
    if (typeof query === "string") form.append("query_product", query);
    else form.append("image", query, "photo.jpg");
    return this.#call(`/v1/products/${encodeURIComponent(id)}/explain`, { method: "POST", body: form });
  }

  /** Return the last imports, the latest first. @returns {Promise<Import[]>} */
  async imports() {
    return (await this.#call("/v1/imports")).imports;
  }

  /** Return what shoppers did not find. @returns {Promise<Demand>} */
  demand() {
    return this.#call("/v1/demand");
  }

  /** Return the clusters of the same report as CSV. @returns {Promise<Blob>} */
  async demandTable() {
    const response = await this.#fetch("/v1/demand?format=csv&limit=200");
    return response.ok ? response.blob() : readResponse(response);
  }

  /** Return the merchandising rules. @returns {Promise<Rules>} */
  rules() {
    return this.#call("/v1/merchandising/rules");
  }

  /**
   * Return the similar products of a product in the plain order and by the rules.
   * @param {string} product its id @param {number} k @returns {Promise<Preview>}
   */
  preview(product, k) {
    const headers = { "Content-Type": "application/json" };
    return this.#call("/v1/merchandising/preview", { method: "POST", body: JSON.stringify({ product, k }), headers });
  }

  /** @returns {Promise<CatalogueStatus>} */
  catalogue() {
    return this.#call("/v1/catalogue");
  }

  /**
   * @param {string} path
   * @param {{method?: string, body?: BodyInit, headers?: Record<string, string>, signal?: AbortSignal}} [init]
   * @returns {Promise<any>} the response's JSON
   * @throws {Failure}
   */
  async #call(path, init = {}) {
    return readResponse(await this.#fetch(path, init));
  }

  /**
   * @param {string} path
   * @param {{method?: string, body?: BodyInit, headers?: Record<string, string>, signal?: AbortSignal}} [init]
   */
  async #fetch(path, { signal, headers = {}, ...init } = {}) {
    const timeout = timeoutSignal(TIMEOUT_MS);
    /** @type {Record<string, string>} */
    const authorization = this.key ? { Authorization: `Bearer ${this.key}` } : {};
    try {
      return await fetch(this.base + path, {
        ...init,
        headers: { ...headers, ...authorization },
        signal: signal ? eitherSignal(signal, timeout) : timeout,
        credentials: "omit",
      });
    } catch (error) {
      throw connectionFailure(error, timeout, signal);
    }
  }
}

/** Return a signal that aborts after a time; browsers before 2022 have no `AbortSignal.timeout`. @param {number} ms */
function timeoutSignal(ms) {
  if (typeof AbortSignal.timeout === "function") return AbortSignal.timeout(ms);
  const controller = new AbortController();
  setTimeout(() => controller.abort(), ms);
  return controller.signal;
}

/**
 * Return a signal that aborts with the first of two; browsers before 2023 have no `AbortSignal.any`.
 * @param {AbortSignal} first @param {AbortSignal} second
 */
function eitherSignal(first, second) {
  if (typeof AbortSignal.any === "function") return AbortSignal.any([first, second]);
  const controller = new AbortController();
  for (const signal of [first, second]) {
    if (signal.aborted) controller.abort();
    else signal.addEventListener("abort", () => controller.abort(), { once: true });
  }
  return controller.signal;
}

/** @param {unknown} error @param {AbortSignal} timeout @param {AbortSignal} [signal] */
function connectionFailure(error, timeout, signal) {
  if (signal?.aborted) return new Failure("aborted");
  if (timeout.aborted) return new Failure("timeout");
  return new Failure(navigator.onLine === false ? "offline" : "unreachable", {
    detail: error instanceof Error ? error.message : String(error),
  });
}

/** @param {Response} response */
async function readResponse(response) {
  const requestId = response.headers.get("X-Request-ID");
  const { status } = response;
  const body = await response.json().catch(() => undefined);
  if (response.ok && body === undefined) throw new Failure("garbled", { requestId, status });
  if (response.ok) return body;
  /** @type {Partial<Problem>} */
  const problem = body ?? {};
  const code =
    String(problem.type ?? "")
      .split("/")
      .pop() || `http-${status}`;
  const { title, detail } = problem;
  throw new Failure(code, { title, detail, requestId: problem.request_id ?? requestId, status });
}

/** @param {SearchOptions} options */
const withoutEmpty = (options) => Object.fromEntries(Object.entries(options).filter(([, value]) => !isEmpty(value)));

/** @param {unknown} value */
const isEmpty = (value) =>
  value === null ||
  value === undefined ||
  value === "" ||
  (typeof value === "object" && Object.keys(value).length === 0);

/** @param {SearchOptions} options @returns {[string, string][]} names and values of form fields */
const fields = (options) =>
  Object.entries(withoutEmpty(options)).map(([name, value]) => [
    name,
    typeof value === "object" ? JSON.stringify(value) : String(value),
  ]);
