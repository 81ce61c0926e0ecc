/** The searches of this visit, kept in the tab's session storage and nowhere else. */

const KEY = "lookalike.visit";
const MOST = 12;

/** @typedef {{id: string, kind: "photo"|"url"|"like", label: string, thumb: string|null, query: import("./address.js").Query}} Entry */

export class Visit {
  /** @param {Storage} storage @param {string} [path] the catalogue's: each has a visit of its own */
  constructor(storage, path = "") {
    this.storage = storage;
    this.key = KEY + path;
    /** @type {Map<string, any>} decoded photos, as long as the page lives */
    this.photos = new Map();
    /** @type {Entry[]} newest first */
    this.entries = this.#load();
  }

  #load() {
    try {
      const entries = JSON.parse(this.storage.getItem(this.key) ?? "[]");
      return Array.isArray(entries) ? entries.filter((entry) => entry && typeof entry.id === "string") : [];
    } catch {
      return [];
    }
  }

  /** Put an entry first. One of the same id moves up. @param {Entry} entry */
  add(entry) {
    this.entries = [entry, ...this.entries.filter((other) => other.id !== entry.id)].slice(0, MOST);
    this.#save();
  }

  /** @param {string} id @returns {Entry|undefined} */
  find(id) {
    return this.entries.find((entry) => entry.id === id);
  }

  clear() {
    this.entries = [];
    this.photos.clear();
    this.#save();
  }

  /** Save; where the storage is full or forbidden, what fits, and the rest lives in memory. */
  #save() {
    for (let count = this.entries.length; count >= 0; count -= 1) {
      try {
        this.storage.setItem(this.key, JSON.stringify(this.entries.slice(0, count)));
        return;
      } catch {
        // Fewer entries may fit.
      }
    }
  }
}

/** A short id for an entry. */
export const newId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(4)), (byte) => byte.toString(16).padStart(2, "0")).join("");
