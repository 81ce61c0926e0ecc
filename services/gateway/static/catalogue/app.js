/** The catalogue page: what the search holds, read again every few seconds. */

import { Api, cataloguePath, Failure } from "../shared/api.js";
import { pageConfig } from "../shared/config.js";
import { fill, h } from "../shared/dom.js";
import { loadStrings } from "../shared/strings.js";
import { DemandPanel } from "./demand.js";
import { doctorPanel } from "./doctor.js";
import { importPanel } from "./imports.js";
import { Inspector } from "./inspector.js";
import { keyForm } from "./key.js";
import { frame } from "./layout.js";
import { categoryPanel, errorPanel, figures } from "./overview.js";
import { RulesPanel } from "./rules.js";
import { SamplePanel } from "./samples.js";
import { texts } from "./texts.js";

/** @import { CatalogueStatus, Examination } from "../types.js" */

const INTERVAL_S = 5;
const KEY = "lookalike.admin-key";
const config = pageConfig();
const root = config.root ?? "";
const path = root + cataloguePath(config.catalogue);
const gateway = location.origin + path;
const language = "en";
const t = await loadStrings(language);

class CataloguePage {
  constructor() {
    this.key = storedKey();
    this.page = frame({ root, path, forgetKey: () => this.forgetKey() });
    this.api = new Api(gateway, { key: this.key ?? config.key ?? null });
    this.samples = new SamplePanel({ t, language, gateway, currency: config.currency ?? null, api: this.api });
    this.inspector = new Inspector(
      { t, language, gateway, currency: config.currency ?? null, api: this.api },
      (product, note) => this.samples.product(product, note),
    );
    this.rules = new RulesPanel(
      { t, language, gateway, currency: config.currency ?? null, api: this.api },
      (product, note) => this.samples.product(product, note),
    );
    this.demand = config.features?.events
      ? new DemandPanel({ t, language, gateway, currency: null, api: this.api })
      : null;
    this.parts = { figures: h("div"), error: h("div"), categories: h("div"), imports: h("div"), doctor: h("div") };
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
    this.isShown = false;
    /** When the examination that is shown ended; undefined before anything is shown. @type {string|null|undefined} */
    this.examinedAt = undefined;
  }

  async start() {
    await this.poll();
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.poll());
  }

  /** Read once, and again after the interval. A hidden page waits until it is visible. @returns {Promise<void>} */
  async poll() {
    clearTimeout(this.timer);
    try {
      this.show(await new Api(gateway, { key: this.key }).catalogue());
    } catch (error) {
      if (error instanceof Failure && ["unauthorised", "forbidden"].includes(error.code)) return this.showKeyForm();
      this.page.showStatus(false, texts.paused);
      const detail = error instanceof Failure ? error.detail : "";
      if (!this.isShown) fill(this.page.body, h("p", { class: "muted", role: "alert" }, detail || texts.paused));
    }
    if (document.visibilityState === "visible") this.timer = setTimeout(() => this.poll(), INTERVAL_S * 1000);
  }

  /** @param {CatalogueStatus} status */
  show(status) {
    const { parts } = this;
    this.page.showStatus(true, texts.live(INTERVAL_S), this.key !== null);
    fill(parts.figures, figures(status, { language }));
    fill(parts.error, errorPanel(status));
    fill(parts.categories, categoryPanel(status, { language }));
    fill(parts.imports, importPanel(status.last_import, { language }));
    this.showFindings(status.last_examination);
    if (this.isShown) return;
    this.isShown = true;
    const panels = [this.demand?.element ?? null, this.rules.element, this.inspector.element, this.samples.element];
    fill(this.page.body, ...Object.values(parts), ...panels);
    this.demand?.load();
    this.rules.load();
    this.samples.load();
  }

  /**
   * Draw a new report only, so that examples which the visitor has opened stay open.
   * @param {Examination|null} report
   */
  showFindings(report) {
    const finishedAt = report?.finished_at ?? null;
    if (this.examinedAt === finishedAt) return;
    this.examinedAt = finishedAt;
    fill(this.parts.doctor, doctorPanel(report, { language }));
  }

  showKeyForm() {
    const isWrong = this.key !== null;
    this.isShown = false;
    this.page.showStatus(false, "");
    fill(this.page.body, keyForm({ isWrong, onKey: (key) => this.useKey(key) }));
    this.page.body.querySelector("input")?.focus();
  }

  /** @param {string} key */
  useKey(key) {
    this.key = key;
    this.api.key = key;
    sessionStorage.setItem(KEY, key);
    return this.poll();
  }

  forgetKey() {
    this.key = null;
    this.api.key = config.key ?? null;
    sessionStorage.removeItem(KEY);
    return this.poll();
  }
}

/** @returns {string|null} the admin key that this tab keeps; null if there is none or storage is disabled */
function storedKey() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

new CataloguePage().start();
