/** The searches of this visit, kept in the tab's session storage and nowhere else. */

/** @import { Entry, Photo } from "../types.js" */

const KEY = "lookalike.visit";
const MAX_ENTRIES = 12;

export class Visit {
  #storage;
  #key;

  /**
   * @param {Pick<Storage, "getItem"|"setItem">} storage
   * @param {string} [path] the catalogue's: each has its own visit
   */
  constructor(storage, path = "") {
    this.#storage = storage;
    this.#key = KEY + path;
    /** Decoded photos by the query's id or data, as long as the page lives. @type {Map<string, Photo>} */
    this.photos = new Map();
    /** Newest first. @type {Entry[]} */
    this.entries = this.#load();
  }

  /** @returns {Entry[]} none if storage is disabled or holds something else */
  #load() {
    try {
      const entries = JSON.parse(this.#storage.getItem(this.#key) ?? "[]");
      return Array.isArray(entries) ? entries.filter((entry) => entry && typeof entry.id === "string") : [];
    } catch {
      return [];
    }
  }

  /** Put an entry first. An entry with the same id is replaced. @param {Entry} entry */
  add(entry) {
    this.entries = [entry, ...this.entries.filter((other) => other.id !== entry.id)].slice(0, MAX_ENTRIES);
    this.#save();
  }

  /** @param {string} id */
  find(id) {
    return this.entries.find((entry) => entry.id === id);
  }

  clear() {
    this.entries = [];
    this.photos.clear();
    this.#save();
  }

  /** Store as many entries as fit. If storage is full or disabled, the others stay in memory. */
  #save() {
    for (let count = this.entries.length; count >= 0; count -= 1) {
      try {
        this.#storage.setItem(this.#key, JSON.stringify(this.entries.slice(0, count)));
        return;
      } catch {
        // Fewer entries may fit.
      }
    }
  }
}

/** Return a random id: eight hexadecimal digits. */
export const newId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(4)), (byte) => byte.toString(16).padStart(2, "0")).join("");
