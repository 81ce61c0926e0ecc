/** Searches: one at a time. Responses stay in memory, so that going back shows them at once. */

import { visitor } from "../shared/events.js";
import { toUpload } from "../shared/photo.js";

/** @import { Api } from "../shared/api.js" */
/** @import { AnySearchResponse, Features, Garment, Look, PageState, PhotoSubject, Product, Subject } from "../types.js" */

const MAX_RESPONSES = 30;
/** Products on the first view, in rows; they are chosen from more that are drawn at random. */
const STARTERS = 8;
const ROW = 4;
const DRAWN = 40;
const NOT_TO_START_FROM = ["Innerwear"];

export class Search {
  #api;
  #features;
  /** @type {Map<string, AnySearchResponse>} */
  #responses = new Map();
  /** @type {{key: string, abort: AbortController}|null} */
  #current = null;
  /** The latest look. @type {{key: string, response: Promise<Look>}|null} */
  #look = null;

  /** @param {Api} api @param {Features} features */
  constructor(api, features) {
    this.#api = api;
    this.#features = features;
  }

  /** Whether the response is in memory. @param {Subject} subject @param {PageState} state */
  isCached(subject, state) {
    return this.#responses.has(keyOf(subject, state));
  }

  /** Whether this very search is in progress. @param {Subject} subject @param {PageState} state */
  isInProgress(subject, state) {
    return this.#current?.key === keyOf(subject, state);
  }

  cancel() {
    this.#current?.abort.abort();
    this.#current = null;
  }

  /**
   * Search; a search in progress is cancelled.
   * @param {Subject} subject a photo has its `upload` @param {PageState} state @returns {Promise<AnySearchResponse>}
   * @throws {import("../shared/api.js").Failure} with the code `aborted` if another search cancelled it
   */
  async run(subject, state) {
    const key = keyOf(subject, state);
    this.cancel();
    const cached = this.#responses.get(key);
    if (cached) return cached;
    const call = { key, abort: new AbortController() };
    this.#current = call;
    try {
      const response = await this.#send(subject, state, call.abort.signal);
      this.#cache(key, response);
      return response;
    } finally {
      if (this.#current === call) this.#current = null;
    }
  }

  /** @param {Subject} subject @param {PageState} state @param {AbortSignal} signal */
  #send(subject, { k, category, filter }, signal) {
    const { query } = subject;
    const options = {
      k,
      category,
      filter,
      ...(this.#features.facets ? { facets: true } : {}),
      ...(this.#features.events ? { visitor: visitor() } : {}),
      ...(subject.photo && subject.isFramed ? { crop: /** @type {const} */ ("none"), prior: subject.prior } : {}),
    };
    if (query.kind === "like") return this.#api.similar(query.id, options, signal);
    if (query.kind === "url") return this.#api.searchUrl(query.url, options, signal);
    return this.#api.searchPhoto(uploadOf(subject), options, signal);
  }

  /** @param {string} key @param {AnySearchResponse} response */
  #cache(key, response) {
    this.#responses.set(key, response);
    const [oldest] = this.#responses.keys();
    if (this.#responses.size > MAX_RESPONSES && oldest !== undefined) this.#responses.delete(oldest);
  }

  /**
   * Return what completes the look of a subject, whose search has ended. It is loaded once.
   * @param {Subject} subject @returns {Promise<Look>}
   * @throws {import("../shared/api.js").Failure}
   */
  look(subject) {
    const key = subjectKey(subject);
    if (this.#look?.key === key) return this.#look.response;
    const response = this.#loadLook(subject);
    this.#look = { key, response };
    response.catch(() => {
      if (this.#look?.response === response) this.#look = null;
    });
    return response;
  }

  /** @param {Subject} subject @returns {Promise<Look>} */
  #loadLook(subject) {
    const { query } = subject;
    if (query.kind === "like") return this.#api.look(query.id);
    if (query.kind === "url") return this.#api.lookOfUrl(query.url);
    return this.#api.lookOfPhoto(uploadOf(subject));
  }

  /**
   * Return the garments of the whole photo, also when a part is searched with. They are detected once for each photo.
   * @param {PhotoSubject} subject @returns {Promise<Garment[]>} none if the gateway has no detector or fails
   */
  async garments(subject) {
    if (!this.#features.detect) return [];
    subject.garments ??= this.#detect(subject);
    return subject.garments;
  }

  /** @param {PhotoSubject} subject */
  async #detect({ photo }) {
    const upload = await toUpload(photo);
    return this.#api.detect(upload).then(
      (response) => response.garments,
      () => [],
    );
  }

  /**
   * Return a few products to start from: those that the shop names, or some of each category with a picture.
   * @param {string[]} ids @returns {Promise<Product[]>}
   */
  async samples(ids) {
    if (ids.length > 0) {
      const products = await Promise.all(ids.slice(0, STARTERS).map((id) => this.#api.product(id).catch(() => null)));
      return products.filter((product) => product !== null);
    }
    return this.#features.sample ? mixed(await this.#api.sample(DRAWN)) : [];
  }
}

/** Return products of as many categories as there are, without underwear. @param {Product[]} products */
function mixed(products) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  const ranked = products
    .filter(({ category, image_url: url }) => url && !NOT_TO_START_FROM.includes(category))
    .map((product) => {
      const place = counts.get(product.category) ?? 0;
      counts.set(product.category, place + 1);
      return { product, place };
    })
    .sort((a, b) => a.place - b.place)
    .map(({ product }) => product);
  return ranked.slice(0, ranked.length < STARTERS ? ranked.length - (ranked.length % ROW) : STARTERS);
}

/** @param {Subject} subject @returns {Blob} */
function uploadOf(subject) {
  const upload = subject.photo && subject.upload;
  if (!upload) throw new TypeError("a photo is searched with before its upload is made");
  return upload;
}

/** @param {Subject} subject */
const subjectKey = (subject) =>
  JSON.stringify([subject.query, subject.photo ? [subject.box, subject.isFramed, subject.prior] : null]);

/** @param {Subject} subject @param {PageState} state */
const keyOf = (subject, { category, filter, k }) => JSON.stringify([subjectKey(subject), category, filter, k]);
