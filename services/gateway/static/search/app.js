/** The search page: connects the views with the address, the API and the visit. */

import { Api, cataloguePath, Failure } from "../shared/api.js";
import { pageConfig } from "../shared/config.js";
import { debounce, fill, h, safeUrl } from "../shared/dom.js";
import { consent, Reporter, visitor } from "../shared/events.js";
import { choices, garmentChips } from "../shared/garments.js";
import { openPhoto, PhotoError, toThumbnail, toUpload, WHOLE } from "../shared/photo.js";
import { applyColours } from "../shared/shop.js";
import { loadStrings } from "../shared/strings.js";
import { newSearch, packPhoto, read, write } from "./address.js";
import { Bar } from "./bar.js";
import { hasLiveCamera, takePhoto } from "./camera.js";
import { listenForPhotos } from "./dropzone.js";
import { frame } from "./layout.js";
import { notice, refusalOf } from "./notices.js";
import { ResultsView } from "./results.js";
import { Search } from "./search.js";
import { SidePanel } from "./sidepanel.js";
import { startView } from "./start.js";
import { entryId, entryOf, openSubject, visitThumbnail } from "./subject.js";
import { newId, Visit } from "./visit.js";
import { showVisit } from "./visitbar.js";

/**
 * @import { AnySearchResponse, Box, Garment, Message, PageState, PhotoSubject, Product, Result, Subject } from "../types.js"
 * @import { SearchContext } from "../types.js"
 */

const config = pageConfig();
const shop = config.shop ?? { name: "Lookalike" };
const language = document.documentElement.lang || "en";
applyColours(shop);
const t = await loadStrings(language, shop.strings);
const root = config.root ?? "";
const path = root + cataloguePath(config.catalogue);
const gateway = location.origin + path;
/** @type {SearchContext} */
const context = {
  t,
  gateway,
  path,
  language,
  currency: config.currency ?? null,
  features: config.features ?? {},
  shop,
};
/** How long the frame must rest before its part of the photo is searched with, in milliseconds. */
const CROP_DELAY_MS = 250;
/** Side of the picture in the bar, in pixels. */
const BAR_SIDE = 96;
/** The copy of a photo that a shared link carries. */
const SHARED_PHOTO = { side: 160, type: "image/webp", quality: 0.7 };

class App {
  #api = new Api(gateway, { key: config.key ?? null });
  #visit = new Visit(sessionStorage, path);
  #search = new Search(this.#api, context.features);
  #page = frame({ t, path, shop, onHome: () => this.#restart() });
  #results = new ResultsView({
    ...context,
    onLike: (result) => this.#like(result),
    onChange: (change) => this.#change(change),
    onRetry: () => this.#run(),
    onNewSearch: () => this.#restart(),
    loadLook: context.features.look ? async () => this.#subject && this.#search.look(this.#subject) : null,
    announce: this.#page.announce,
    reporter: context.features.events ? new Reporter(this.#api, visitor) : null,
  });
  #side = new SidePanel({
    ...context,
    onCrop: debounce((box, category) => this.#crop(box, category), CROP_DELAY_MS),
    onShare: () => this.#shareLink(),
    onNewSearch: () => this.#restart(),
    onFilter: (filter) => this.#change({ filter }),
  });
  #bar = new Bar({
    t,
    onAdjust: (isOpen) => this.#side.element.classList.toggle("open", isOpen),
    onFilters: () => this.#side.openFilters(),
    onNewSearch: () => this.#restart(),
  });
  #work = h("div", { class: "work" }, this.#bar.element, this.#side.element, this.#results.element);
  #state = read(location);
  /** @type {Subject|null} */
  #subject = null;
  /** The file that is being opened, so that the same file given twice is one search. @type {string|null} */
  #opening = null;
  /** Products of earlier results, for the panel of "more like this". @type {Map<string, Product>} */
  #products = new Map();
  /** The part of the photo that was searched with. @type {Box} */
  #shownBox = { ...WHOLE };
  /** Whether the next results take the focus. */
  #focusResults = false;

  start() {
    listenForPhotos({
      t,
      onFile: (file) => this.#searchFile(file),
      onUrl: (url) => this.#searchUrl(url),
      onNothing: () => this.#fail("noImageDropped"),
    });
    window.addEventListener("popstate", () => this.#route());
    if (config.missing) this.#fail("unknown-catalogue");
    else this.#route();
  }

  // What the visitor does

  /** @param {Blob} file */
  async #searchFile(file) {
    const name = file instanceof File ? [file.name, file.size, file.lastModified].join("|") : newId();
    if (name === this.#opening) {
      this.#page.announce(t.query.repeated);
      return;
    }
    this.#opening = name;
    this.#showWork();
    this.#clear();
    this.#results.wait(t.results.searching);
    try {
      const photo = await openPhoto(file);
      if (this.#opening !== name) return;
      const query = { kind: /** @type {const} */ ("visit"), id: newId() };
      this.#visit.photos.set(query.id, photo);
      // Stored before the address names it, so that a reload at any time finds the photo.
      this.#visit.add({ id: query.id, kind: "photo", label: t.query.photo, thumbnail: visitThumbnail(photo), query });
      await this.#go(newSearch(query));
    } catch (error) {
      if (this.#opening === name) this.#fail(error instanceof PhotoError ? error.code : "damaged");
    } finally {
      if (this.#opening === name) this.#opening = null;
    }
  }

  /** @param {string} address */
  async #searchUrl(address) {
    const url = safeUrl(address);
    if (!url) return this.#fail("noImageDropped");
    if (new URL(url).origin === location.origin) return this.#searchOwnImage(url);
    if (!context.features.urls) return this.#fail("image-url-refused");
    return this.#go(newSearch({ kind: "url", url }));
  }

  /**
   * Search with an image of this very page that was dragged: the server need not fetch it from itself.
   * @param {string} url
   */
  async #searchOwnImage(url) {
    const response = await fetch(url).catch(() => null);
    const image = response?.ok ? await response.blob().catch(() => null) : null;
    return image ? this.#searchFile(image) : this.#fail("image-url-failed");
  }

  async #useCamera() {
    const photo = await takePhoto(t);
    if (photo) await this.#searchFile(photo);
  }

  /** @param {Product|Result} product */
  #like(product) {
    const state = newSearch({ kind: "like", id: product.id });
    // A result of a search in all catalogues opens in its own.
    if (product.catalogue) return location.assign(root + cataloguePath(product.catalogue) + write(state));
    this.#products.set(product.id, product);
    this.#focusResults = true;
    this.#go(state);
    return window.scrollTo({ top: 0 });
  }

  /** @param {Partial<PageState>} change */
  #change(change) {
    this.#go({ ...this.#state, ...change });
  }

  /** @param {Box} box @param {string|null} [category] of the garment in the box */
  #crop(box, category = null) {
    if (!this.#subject?.photo) return;
    this.#subject.box = box;
    this.#subject.isFramed = true;
    this.#subject.prior = category;
    this.#subject.upload = null;
    history.replaceState(null, "", path + write({ ...this.#state, category: null }));
    this.#state = read(location);
    this.#run();
  }

  #restart() {
    this.#search.cancel();
    this.#go(newSearch({ kind: "start" }));
    this.#page.main.querySelector("h1")?.focus();
  }

  #shareLink() {
    const { query } = this.#state;
    if (query.kind !== "visit" || !this.#subject?.photo)
      return { url: location.href, hasPhoto: query.kind === "photo" };
    const { photo, box } = this.#subject;
    const data = packPhoto(toThumbnail(photo, SHARED_PHOTO.side, { ...SHARED_PHOTO, box }));
    return { url: gateway + write({ ...this.#state, query: { kind: "photo", data } }), hasPhoto: true };
  }

  // The address

  /** @param {PageState} state */
  #go(state) {
    const address = path + write(state);
    if (address !== location.pathname + location.search + location.hash) history.pushState(null, "", address);
    return this.#route();
  }

  async #route() {
    const state = read(location);
    this.#state = state;
    const { query } = state;
    if (query.kind === "start") return this.#showStart();
    try {
      if (JSON.stringify(this.#subject?.query) !== JSON.stringify(query)) {
        this.#subject = await openSubject(query, { visit: this.#visit, products: this.#products, t });
      }
    } catch (error) {
      return this.#fail(error instanceof PhotoError ? error.code : "damaged");
    }
    if (!this.#subject) return this.#showStart(t.notices.lostVisit);
    this.#showWork();
    this.#work.classList.remove("alone");
    this.#side.show(this.#subject);
    this.#showBar(this.#subject);
    this.#shownBox = this.#subject.photo ? this.#subject.box : { ...WHOLE };
    if (this.#subject.photo) this.#showGarments(this.#subject);
    else this.#results.showGarments(null);
    return this.#run();
  }

  /** @param {Subject} subject */
  #showBar(subject) {
    const { photo, product, thumbnail } = subject;
    if (photo) return this.#bar.show(toThumbnail(photo, BAR_SIDE, { box: subject.box }));
    return this.#bar.show(safeUrl(thumbnail ?? product?.image_url, gateway));
  }

  // The search

  async #run() {
    const subject = this.#subject;
    const state = this.#state;
    const { frame } = this.#side;
    if (!subject) return;
    if (subject.photo && !subject.upload) subject.upload = await toUpload(subject.photo, subject.box);
    if (this.#subject !== subject) return;
    if (this.#search.isInProgress(subject, state)) {
      this.#page.announce(t.query.repeated);
      return;
    }
    if (!this.#search.isCached(subject, state)) this.#results.wait(t.results.searching);
    try {
      const response = await this.#search.run(subject, state);
      if (this.#state === state) this.#show(response, subject, state, frame);
    } catch (error) {
      const failure = error instanceof Failure ? error : new Failure("other");
      if (failure.code === "aborted" || this.#state !== state) return;
      const isAlone = subject.query.kind === "like" && !subject.product;
      this.#work.classList.toggle("alone", isAlone);
      if (isAlone) this.#bar.clear();
      this.#results.fail(failure);
    }
  }

  /**
   * @param {AnySearchResponse} response @param {Subject} subject @param {PageState} state
   * @param {Box|null} frame as it was when the search began
   */
  #show(response, subject, state, frame) {
    for (const result of response.results) this.#products.set(result.id, result);
    this.#results.show(response, state, subject.photo ? null : (subject.product?.attributes ?? null));
    if (subject.photo) this.#showCrop(subject, response, frame);
    const isRefused = refusalOf(response.outcome, context) !== null && !state.category;
    const facets = isRefused ? [] : (response.facets ?? []);
    const isOffered = this.#side.showFilters(facets, state.filter, response.total ?? null);
    this.#bar.showFilters(isOffered, Object.keys(state.filter).length);
    this.#visit.add(entryOf(subject, response, context));
    whenIdle(() => {
      this.#drawVisit();
      this.#loadDetails(subject, response);
    });
    if (this.#focusResults) this.#results.focus();
    this.#focusResults = false;
  }

  /**
   * Show which part of the photo was searched with. A frame that the shopper has moved meanwhile stays where it is.
   * @param {PhotoSubject} subject @param {AnySearchResponse} response @param {Box|null} frame
   */
  #showCrop(subject, { crop }, frame) {
    const box = crop?.box ?? subject.box;
    if (this.#side.frame === frame) this.#side.showCrop(box);
    this.#bar.show(toThumbnail(subject.photo, BAR_SIDE, { box }));
    this.#shownBox = box;
    this.#showGarments(subject);
  }

  /** @param {PhotoSubject} subject whose garments are shown, once they are known */
  #showGarments(subject) {
    const garments = subject.found ?? [];
    const onChoose = (/** @type {Box} */ box, /** @type {string|null} */ category) => {
      this.#side.showCrop(box);
      this.#crop(box, category);
    };
    if (subject.found) this.#side.propose(garments);
    return this.#results.showGarments(garmentChips(garments, this.#shownBox, { photo: subject.photo, t, onChoose }));
  }

  /**
   * Load what the results do not need: the product of a shared link, the photo's garments.
   * @param {Subject} subject @param {AnySearchResponse} response
   */
  async #loadDetails(subject, response) {
    if (subject.query.kind === "like" && !subject.photo && !subject.product) await this.#loadProduct(subject, response);
    if (!subject.photo || subject.found) return;
    /** @type {Garment[]} */
    const garments = response.garments ?? (await this.#search.garments(subject));
    subject.found = choices(garments);
    if (this.#subject !== subject) return;
    this.#showGarments(subject);
    const surest = surestOf(subject.found);
    if (surest && !subject.isFramed && !this.#state.category && refusalOf(response.outcome, context))
      this.#crop(surest.box, surest.category.name);
  }

  /** @param {Exclude<Subject, {photo: object}>} subject @param {AnySearchResponse} response */
  async #loadProduct(subject, response) {
    if (subject.query.kind !== "like") return;
    const product = await this.#api.product(subject.query.id).catch(() => null);
    if (!product || this.#subject !== subject) return;
    Object.assign(subject, { product, label: product.title ?? subject.label });
    this.#side.show(subject);
    this.#showBar(subject);
    // If the visitor has cleared the visit meanwhile, it stays cleared.
    if (this.#visit.find(entryId(subject.query))) this.#visit.add(entryOf(subject, response, context));
    this.#drawVisit();
  }

  /** @param {string} code of a failure that trying again does not mend */
  #fail(code) {
    this.#showWork();
    this.#clear();
    this.#work.classList.add("alone");
    this.#results.fail({ code }, { canRetry: false });
  }

  #clear() {
    this.#subject = null;
    this.#side.clear();
    this.#bar.clear();
    this.#results.showGarments(null);
  }

  // The views

  /** @param {Message|null} [message] stands above the view */
  #showStart(message = null) {
    this.#subject = null;
    document.title = shop.name;
    const view = startView({
      ...context,
      hasUrls: Boolean(context.features.urls),
      onFile: (file) => this.#searchFile(file),
      onUrl: (url) => this.#searchUrl(url),
      onLike: (product) => this.#like(product),
      onCamera: hasLiveCamera() && !isTouch ? () => this.#useCamera() : null,
      loadSamples: () => this.#search.samples(shop.starters ?? []),
    });
    fill(this.#page.main, message && h("div", { class: "banner" }, notice(message, "alert")), view);
    this.#drawVisit();
  }

  #showWork() {
    if (this.#page.main.firstElementChild !== this.#work) fill(this.#page.main, this.#work);
  }

  #drawVisit() {
    const onClear = () => {
      this.#visit.clear();
      this.#page.announce(t.visit.cleared);
      this.#drawVisit();
    };
    const onOpen = (/** @type {import("../types.js").Entry} */ entry) => this.#go(newSearch(entry.query));
    showVisit(this.#page.visit, this.#visit.entries, { t, onOpen, onClear });
  }
}

/**
 * Return the garment to search with where the whole photo is refused: the surest of an outfit. Several garments of one
 * kind may be parts of one that is not searched, as a dress is.
 * @param {Garment[]} garments the surest first
 */
const surestOf = (garments) => (new Set(garments.map(({ category }) => category.name)).size > 1 ? garments[0] : null);

/** A phone's own camera takes better photos than a page. */
const isTouch = matchMedia("(pointer: coarse)").matches;

/** Run later, once the results are on the screen. @param {() => void} work */
function whenIdle(work) {
  if ("requestIdleCallback" in globalThis) requestIdleCallback(work, { timeout: 400 });
  else setTimeout(work, 0);
}

Object.assign(globalThis, { lookalike: { consent } });
new App().start();
