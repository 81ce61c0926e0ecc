/**
 * A client of Lookalike's API for browsers, Node, Deno and Bun: one method a call, over `fetch`.
 * The gateway's `/docs` is the reference of the calls, options and responses.
 */

import { Problem } from "./problem.ts";
import type {
  Deleted,
  Garments,
  ImportLine,
  PhotoOptions,
  Product,
  ProductChanges,
  ProductFields,
  SearchOptions,
  SearchResponse,
  SentEvents,
  SimilarResponse,
} from "./responses.ts";

export type { FieldError } from "./problem.ts";
export { Problem } from "./problem.ts";
export type * from "./responses.ts";

/** The images of a product in a request. */
export interface Images {
  image?: Blob;
  images?: Blob[];
}

/** How to write: `wait` returns when searches see the change. */
export interface WriteOptions {
  wait?: boolean;
  signal?: AbortSignal;
}

export interface ClientOptions {
  /** The API key. In a browser it is public: use one of scope `search`. */
  key?: string;
  /** The catalogue's name, or `all` to search every one. Default: the default one. */
  catalogue?: string;
  /** Sends the requests. Default: `fetch`. */
  fetch?: typeof fetch;
}

type Query = Record<string, unknown>;
interface Call {
  query?: Query;
  body?: BodyInit;
  type?: string;
  accept?: string;
  signal?: AbortSignal | undefined;
}

/** The API of one catalogue of a gateway. Every method throws `Problem` for an error response. */
export class Lookalike {
  readonly #base: string;
  readonly #key: string | undefined;
  readonly #fetch: typeof fetch;

  /** @param address the gateway's address, with its path if it has one */
  constructor(address: string, { key, catalogue, fetch: send = (...call) => fetch(...call) }: ClientOptions = {}) {
    const prefix = catalogue === undefined ? "" : `/catalogues/${encodeURIComponent(catalogue)}`;
    this.#base = address.replace(/\/+$/, "") + prefix;
    this.#key = key;
    this.#fetch = send;
  }

  /** Find the products that look most like a photo: a file, or a web address for the gateway to fetch. */
  search(photo: Blob | string, options: PhotoOptions = {}, signal?: AbortSignal): Promise<SearchResponse> {
    return this.#photo("/v1/search", photo, options, signal);
  }

  /** Yield the pages of a search, until the last one or `pages` of them. */
  async *searchPages(photo: Blob | string, options: PhotoOptions = {}, pages = 5): AsyncGenerator<SearchResponse> {
    let page: { k: number; offset: number } | null = null;
    for (let number = 0; number < pages; number += 1) {
      const response: SearchResponse = await this.search(photo, { ...options, ...page });
      yield response;
      page = response.next_page;
      if (page === null) return;
    }
  }

  /** Find the garments of a photo. A search takes each `box` as it is. */
  detect(photo: Blob | string, signal?: AbortSignal): Promise<Garments> {
    return this.#photo("/v1/detect", photo, {}, signal);
  }

  /** Find the products that look most like one of the catalogue. */
  similar(id: string, options: SearchOptions = {}, signal?: AbortSignal): Promise<SimilarResponse> {
    return this.#json("GET", `${path(id)}/similar`, { query: options, signal });
  }

  /** Return a product as it is stored. */
  get(id: string, signal?: AbortSignal): Promise<Product> {
    return this.#json("GET", path(id), { signal });
  }

  /** Create or replace a product. Without an image, an existing product keeps its own. */
  put(id: string, fields: ProductFields, images: Images = {}, options: WriteOptions = {}): Promise<Product> {
    return this.#write("PUT", id, fields, images, options);
  }

  /** Change a product: a JSON merge patch, in which null removes. A new image is not needed. */
  patch(id: string, changes: ProductChanges, images: Images = {}, options: WriteOptions = {}): Promise<Product> {
    return this.#write("PATCH", id, changes, images, options);
  }

  /** Delete a product. */
  async delete(id: string, { wait, signal }: WriteOptions = {}): Promise<void> {
    await this.#call("DELETE", path(id), { query: { wait }, signal });
  }

  /** Send what shoppers did with results, up to 1,000 events. The response names those that are not kept. */
  sendEvents(events: object[], signal?: AbortSignal): Promise<SentEvents> {
    return this.#json("POST", "/v1/events", { body: JSON.stringify(events), type: "application/json", signal });
  }

  /** Remove every trace of a visitor; return the number of events and searches. */
  deleteVisitor(visitor: string, signal?: AbortSignal): Promise<{ events: number; searches: number }> {
    return this.#json("DELETE", `/v1/visitors/${encodeURIComponent(visitor)}`, { signal });
  }

  /** Delete up to 1,000 products. */
  deleteMany(ids: string[], { wait, signal }: WriteOptions = {}): Promise<Deleted> {
    const body = JSON.stringify({ ids });
    return this.#json("POST", "/v1/products:delete", { query: { wait }, body, type: "application/json", signal });
  }

  /** Yield every product of the catalogue, `limit` at a time; `filter` and `category` select some. */
  async *products(options: { limit?: number; filter?: object; category?: string } = {}): AsyncGenerator<Product> {
    let cursor: string | null = null;
    do {
      const page: { products: Product[]; next_cursor: string | null } = await this.#json("GET", "/v1/products", {
        query: { limit: 500, ...options, cursor },
      });
      yield* page.products;
      cursor = page.next_cursor;
    } while (cursor !== null);
  }

  /**
   * Import a feed, and yield the lines of its response: the import, the outcome of each row, the import again.
   * @param feed its text or file; the gateway recognises it by its first bytes
   * @param query `sync`, `mapping`, `name`, `wait` and others
   */
  async *importFeed(feed: BodyInit, query: Query = {}, signal?: AbortSignal): AsyncGenerator<ImportLine> {
    const type = "application/octet-stream";
    const response = await this.#call("POST", "/v1/products:import", { query, body: feed, type, signal });
    for await (const line of lines(response)) yield JSON.parse(line) as ImportLine;
  }

  #photo<T>(address: string, photo: Blob | string, options: Query, signal?: AbortSignal): Promise<T> {
    if (typeof photo === "string") {
      const body = JSON.stringify({ image_url: photo, ...options });
      return this.#json("POST", address, { body, type: "application/json", signal });
    }
    return this.#json("POST", address, { query: options, body: photo, type: "application/octet-stream", signal });
  }

  #write(method: string, id: string, fields: object, { image, images = [] }: Images, options: WriteOptions) {
    const query = { wait: options.wait };
    const { signal } = options;
    if (image === undefined && images.length === 0) {
      const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
      return this.#json<Product>(method, path(id), { query, body: JSON.stringify(fields), type, signal });
    }
    const form = new FormData();
    if (image !== undefined) form.append("image", image, "image");
    for (const photo of images) form.append("images", photo, "image");
    form.append("product", JSON.stringify(fields));
    return this.#json<Product>(method, path(id), { query, body: form, signal });
  }

  async #json<T>(method: string, address: string, call: Call): Promise<T> {
    return (await this.#call(method, address, call)).json() as Promise<T>;
  }

  async #call(method: string, address: string, { query = {}, body, type, signal }: Call): Promise<Response> {
    const headers = new Headers();
    if (type !== undefined) headers.set("Content-Type", type);
    if (this.#key !== undefined) headers.set("Authorization", `Bearer ${this.#key}`);
    const response = await this.#fetch(`${this.#base}${address}${queryString(query)}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
    if (!response.ok) throw await Problem.of(response);
    return response;
  }
}

/** Return the path of a product. Every character of its id is encoded, slashes too. */
const path = (id: string): string => `/v1/products/${encodeURIComponent(id)}`;

/** Return options as a query string has them: objects as JSON, boxes with commas. */
function queryString(query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== false) parameters.set(name, text(name, value));
  }
  return parameters.size > 0 ? `?${parameters}` : "";
}

function text(name: string, value: unknown): string {
  if (name === "box" && typeof value === "object" && value !== null && "width" in value) {
    const { x, y, width, height } = value as { x: number; y: number; width: number; height: number };
    return [x, y, Math.min(1, x + width), Math.min(1, y + height)].join(",");
  }
  if (name === "box" && Array.isArray(value)) return value.join(",");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Yield the lines of a response as they arrive. */
async function* lines(response: Response): AsyncGenerator<string> {
  if (response.body === null) return;
  const decoder = new TextDecoder();
  let rest = "";
  for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
    const pieces = (rest + decoder.decode(part, { stream: true })).split("\n");
    rest = pieces.pop() ?? "";
    yield* pieces.filter((line) => line !== "");
  }
  if (rest !== "") yield rest;
}
