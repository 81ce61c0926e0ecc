/** The search page: ties the views to the address, the API and the visit. */

import { Api, pathOf } from "../shared/api.js";
import { debounce, fill, h, safeUrl } from "../shared/dom.js";
import { fromDataUrl, openPhoto, PhotoError, toThumb, toUpload, WHOLE } from "../shared/photo.js";
import { words } from "../shared/strings.js";
import { PAGE_SIZE, packPhoto, read, unpackPhoto, write } from "./address.js";
import { hasLiveCamera, takePhoto } from "./camera.js";
import { listenForPhotos } from "./intake.js";
import { frame } from "./layout.js";
import { ResultsView } from "./results.js";
import { Search } from "./search.js";
import { SidePanel } from "./side.js";
import { fileButton, startView } from "./start.js";
import { newId, Visit } from "./visit.js";
import { showVisit } from "./visitbar.js";

const config = JSON.parse(document.querySelector('meta[name="lookalike"]').content);
const language = document.documentElement.lang || "en";
const t = words(language);
const path = pathOf(config.catalogue);
const gateway = location.origin + path;
/** Longest side of the copy of a photo that the visit keeps, in pixels. */
const THUMB_SIDE = 360;
const context = { t, gateway, path, language, currency: config.currency ?? null, features: config.features ?? {} };

class App {
  constructor() {
    this.api = new Api(gateway);
    this.visit = new Visit(sessionStorage, path);
    this.search = new Search(this.api, context.features);
    this.page = frame(context);
    this.results = new ResultsView({
      ...context,
      onLike: (product) => this.like(product),
      onView: (change) => this.change(change),
      onRetry: () => this.run(),
      onAnother: () => this.restart(),
      announce: this.page.announce,
    });
    this.side = new SidePanel({
      ...context,
      onCrop: debounce((box) => this.crop(box), 250),
      onShare: () => this.shareLink(),
      onAnother: () => this.restart(),
      onFilter: (filter) => this.change({ filter }),
    });
    this.work = h("div", { class: "work" }, this.side.element, this.results.element);
    this.view = read(location);
    this.subject = null;
    /** What is being opened and searched for, so that the same file given twice is one search. */
    this.opening = null;
    /** @type {Map<string, any>} products known from results, for the panel of "more like this" */
    this.known = new Map();
  }

  start() {
    listenForPhotos({
      t,
      onFile: (file) => this.file(file),
      onUrl: (url) => this.address(url),
      onNothing: () => this.fail("noImageDropped"),
    });
    window.addEventListener("popstate", () => this.route());
    this.page.home.addEventListener("click", (event) => {
      event.preventDefault();
      this.restart();
    });
    this.route();
  }

  // What the visitor does

  async file(file) {
    const turn = [file.name, file.size, file.lastModified].join("|");
    if (file.name && turn === this.opening) return this.page.announce(t.query.again);
    this.opening = turn;
    this.showWork();
    this.side.clear();
    this.results.wait(t.results.searching);
    try {
      const photo = await openPhoto(file);
      if (this.opening !== turn) return undefined;
      const query = { kind: "visit", id: newId() };
      this.visit.photos.set(query.id, photo);
      // Kept before the address names it: a reload finds the photo, however early it comes.
      this.visit.add({ id: query.id, kind: "photo", label: t.query.photo, thumb: toThumb(photo, THUMB_SIDE), query });
      await this.go({ query, category: null, filter: {}, k: PAGE_SIZE });
    } catch (error) {
      if (this.opening === turn) this.fail(error instanceof PhotoError ? error.code : "damaged");
    } finally {
      if (this.opening === turn) this.opening = null;
    }
    return undefined;
  }

  async address(url) {
    const parsed = safeUrl(url);
    if (parsed && new URL(parsed).origin === location.origin) return this.own(parsed);
    if (!parsed || !context.features.urls) return this.fail(parsed ? "image-url-refused" : "noImageDropped");
    return this.go({ query: { kind: "url", url: parsed }, category: null, filter: {}, k: PAGE_SIZE });
  }

  /** A picture of this very page, dragged: no need to ask the server to fetch it from itself. */
  async own(url) {
    try {
      const response = await fetch(url);
      if (response.ok) return this.file(await response.blob());
    } catch {
      // Said below.
    }
    return this.fail("image-url-failed");
  }

  async camera() {
    const photo = await takePhoto(t);
    if (photo) await this.file(photo);
  }

  like(product) {
    // A product that was found among those of all catalogues is shown in its own.
    if (product.catalogue)
      return location.assign(
        pathOf(product.catalogue) +
          write({ ...this.view, query: { kind: "like", id: product.id }, category: null, filter: {}, k: PAGE_SIZE }),
      );
    this.known.set(product.id, product);
    this.focusResults = true;
    this.go({ query: { kind: "like", id: product.id }, category: null, filter: {}, k: PAGE_SIZE });
    window.scrollTo({ top: 0 });
    return undefined;
  }

  change(change) {
    this.go({ ...this.view, ...change });
  }

  crop(box) {
    this.subject.box = box;
    this.subject.upload = null;
    history.replaceState(null, "", path + write({ ...this.view, category: null }));
    this.view = read(location);
    this.run();
  }

  restart() {
    this.search.cancel();
    this.go({ query: { kind: "start" }, category: null, filter: {}, k: PAGE_SIZE });
    this.page.main.querySelector("h1")?.focus();
  }

  async shareLink() {
    const { query } = this.view;
    if (query.kind !== "visit") return { url: location.href, photo: query.kind === "photo" };
    const data = packPhoto(
      toThumb(this.subject.photo, 160, { box: this.subject.box, type: "image/webp", quality: 0.7 }),
    );
    return { url: gateway + write({ ...this.view, query: { kind: "photo", data } }), photo: true };
  }

  // The address

  go(view) {
    const address = path + write(view);
    if (address !== location.pathname + location.search + location.hash) history.pushState(null, "", address);
    return this.route();
  }

  async route() {
    this.view = read(location);
    const { query } = this.view;
    if (query.kind === "start") return this.showStart();
    try {
      const known = this.subject && JSON.stringify(this.subject.query) === JSON.stringify(query);
      if (!known) this.subject = await this.subjectOf(query);
    } catch (error) {
      return this.fail(error instanceof PhotoError ? error.code : "damaged");
    }
    if (!this.subject) return this.showStart(t.notices.lostVisit);
    this.showWork();
    this.side.show(this.subject);
    return this.run();
  }

  async subjectOf(query) {
    if (query.kind === "url") return { query, label: query.url, thumb: query.url };
    if (query.kind === "like")
      return { query, product: this.known.get(query.id) ?? null, label: this.known.get(query.id)?.title ?? query.id };
    const data = query.kind === "photo" ? unpackPhoto(query.data) : this.visit.find(query.id)?.thumb;
    const kept = this.visit.photos.get(query.kind === "photo" ? query.data : query.id);
    if (!kept && !data) return null;
    const photo = kept ?? (await openPhoto(fromDataUrl(data)));
    return {
      query,
      photo,
      thumb: data ?? toThumb(photo, THUMB_SIDE),
      box: { ...WHOLE },
      upload: null,
      label: t.query.photo,
    };
  }

  // The search

  async run() {
    const { subject, view } = this;
    if (subject.photo && !subject.upload) subject.upload = await toUpload(subject.photo, subject.box);
    if (this.subject !== subject) return;
    if (this.search.isUnderWay(subject, view)) return this.page.announce(t.query.again);
    if (!this.search.knows(subject, view)) this.results.wait(t.results.searching);
    try {
      const answer = await this.search.ask(subject, view);
      if (this.view === view) this.show(answer, subject, view);
    } catch (failure) {
      if (failure.code !== "aborted" && this.view === view) this.results.fail(failure);
    }
  }

  show(answer, subject, view) {
    for (const result of answer.results) this.known.set(result.id, result);
    this.results.show(answer, view);
    this.side.showFilters(answer.facets ?? [], view.filter);
    this.remember(subject, answer);
    whenIdle(() => {
      this.drawVisit();
      this.enrich(subject, answer);
    });
    if (this.focusResults) this.results.focus();
    this.focusResults = false;
  }

  remember(subject, answer) {
    const { query } = subject;
    const thumb = subject.thumb ?? safeUrl(subject.product?.image_url, gateway);
    const label = subject.photo ? `${t.query.photo}: ${answer.category.name}` : subject.label;
    this.visit.add({ id: entryId(query), kind: subject.photo ? "photo" : query.kind, label, thumb, query });
  }

  async enrich(subject, answer) {
    if (subject.query.kind === "like" && !subject.product) {
      subject.product = await this.api.product(subject.query.id).catch(() => null);
      if (subject.product && this.subject === subject) this.introduce(subject, answer);
    }
    const found = answer.garments ?? (subject.photo ? await this.search.garments(subject) : []);
    if (this.subject === subject) this.side.propose(found);
  }

  /** The product's title and picture have come. What the visitor has forgotten meanwhile stays forgotten. */
  introduce(subject, answer) {
    subject.label = subject.product.title ?? subject.label;
    this.side.show(subject);
    if (this.visit.find(entryId(subject.query))) this.remember(subject, answer);
    this.drawVisit();
  }

  fail(code) {
    this.showWork();
    this.subject = null;
    this.side.clear();
    this.results.fail({ code }, { retry: false });
  }

  // The views

  showStart(notice = null) {
    this.subject = null;
    document.title = t.brand;
    const camera = () =>
      hasLiveCamera()
        ? this.page.cameraButton(() => this.camera())
        : fileButton(t.start.camera, (file) => this.file(file), {
            className: "button",
            capture: "environment",
            iconName: "camera",
          });
    const view = startView({
      ...context,
      urls: context.features.urls,
      onFile: (file) => this.file(file),
      onUrl: (url) => this.address(url),
      onLike: (product) => this.like(product),
      camera,
      loadSamples: () => this.search.samples(),
    });
    fill(this.page.main, notice && this.page.banner(notice), view);
    this.drawVisit();
  }

  showWork() {
    if (this.page.main.firstElementChild !== this.work) fill(this.page.main, this.work);
  }

  drawVisit() {
    const onClear = () => {
      this.visit.clear();
      this.page.announce(t.visit.nothing);
      this.drawVisit();
    };
    showVisit(this.page.visit, this.visit.entries, {
      t,
      onOpen: (entry) => this.go({ query: entry.query, category: null, filter: {}, k: PAGE_SIZE }),
      onClear,
    });
  }
}

/** @param {import("./address.js").Query} query */
const entryId = (query) =>
  query.kind === "visit" ? query.id : `${query.kind}:${query.id ?? query.url ?? query.data.slice(0, 24)}`;

/** Later, once what the visitor waits for is on the screen. */
const whenIdle = (work) => (globalThis.requestIdleCallback ?? setTimeout)(work, { timeout: 400 });

new App().start();
