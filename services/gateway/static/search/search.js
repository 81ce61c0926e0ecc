/** Searches: one at a time, each answer kept so that going back is instant. */

import { toUpload } from "../shared/photo.js";

const KEPT = 30;

export class Search {
  /** @param {import("../shared/api.js").Api} api @param {Record<string, boolean>} features what the gateway offers */
  constructor(api, features) {
    this.api = api;
    this.features = features;
    this.answers = new Map();
    this.current = null;
  }

  #key(subject, view) {
    return JSON.stringify([subject.query, subject.box ?? null, view.category, view.filter, view.k]);
  }

  knows(subject, view) {
    return this.answers.has(this.#key(subject, view));
  }

  isUnderWay(subject, view) {
    return this.current?.key === this.#key(subject, view);
  }

  cancel() {
    this.current?.abort.abort();
    this.current = null;
  }

  /** @throws {import("../shared/api.js").Failure} with the code `aborted` when another search has taken its place */
  async ask(subject, view) {
    const key = this.#key(subject, view);
    this.cancel();
    if (this.answers.has(key)) return this.answers.get(key);
    const call = { key, abort: new AbortController() };
    this.current = call;
    try {
      const answer = await this.#send(subject, view, call.abort.signal);
      this.#keep(key, answer);
      return answer;
    } finally {
      if (this.current === call) this.current = null;
    }
  }

  #send({ query, upload }, view, signal) {
    const options = {
      k: view.k,
      category: view.category,
      filter: view.filter,
      ...(this.features.facets ? { facets: true } : {}),
    };
    if (query.kind === "like") return this.api.similar(query.id, options, signal);
    return query.kind === "url"
      ? this.api.searchUrl(query.url, options, signal)
      : this.api.searchPhoto(upload, options, signal);
  }

  #keep(key, answer) {
    this.answers.set(key, answer);
    if (this.answers.size > KEPT) this.answers.delete(this.answers.keys().next().value);
  }

  /** Garments in the whole photo, whatever part of it is searched with, where the gateway finds them; asked for once. */
  garments(subject) {
    if (!this.features.detect) return [];
    subject.garments ??= this.#detect(subject.photo);
    return subject.garments;
  }

  async #detect(photo) {
    const form = new FormData();
    form.append("image", await toUpload(photo), "photo.jpg");
    const answer = await this.api.call("/v1/detect", { method: "POST", body: form }).catch(() => ({}));
    return answer.garments ?? [];
  }

  /** A few products to start from. */
  async samples() {
    if (!this.features.sample) return [];
    return (await this.api.call("/v1/products?sample=8")).products;
  }
}
