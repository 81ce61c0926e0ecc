/** The catalogue page: what the search holds, read again every few seconds. */

import { Api, Failure, pathOf } from "../shared/api.js";
import { fill, h } from "../shared/dom.js";
import { words } from "../shared/strings.js";
import { doctorPanel } from "./doctor.js";
import { importPanel } from "./imports.js";
import { keyForm } from "./key.js";
import { frame } from "./layout.js";
import { categoryPanel, errorPanel, figures } from "./overview.js";
import { SamplePanel } from "./samples.js";

const EVERY_S = 5;
const KEY = "lookalike.admin-key";
const config = JSON.parse(document.querySelector('meta[name="lookalike"]').content);
const path = pathOf(config.catalogue);
const gateway = location.origin + path;
const language = document.documentElement.lang || "en";
const t = words(language);

class Catalogue {
  constructor() {
    this.key = read();
    this.page = frame({ t, path, forget: () => this.forget() });
    this.samples = new SamplePanel({ t, language, gateway, currency: config.currency ?? null, api: new Api(gateway) });
    this.parts = { figures: h("div"), error: h("div"), categories: h("div"), imports: h("div"), doctor: h("div") };
    this.timer = 0;
    this.shown = false;
    /** @type {string|null|undefined} */
    this.examined = undefined;
  }

  async start() {
    await this.poll();
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.poll());
  }

  /** Read once, and again in a while. A hidden page waits until it is seen. */
  async poll() {
    clearTimeout(this.timer);
    try {
      this.show(await new Api(gateway, { key: this.key }).call("/v1/catalogue"));
    } catch (failure) {
      if (failure instanceof Failure && failure.code === "unauthorised") return this.ask();
      this.page.live(false, t.catalogue.paused);
      if (!this.shown)
        fill(this.page.body, h("p", { class: "muted", role: "alert" }, failure.detail || t.catalogue.paused));
    }
    if (document.visibilityState === "visible") this.timer = setTimeout(() => this.poll(), EVERY_S * 1000);
    return undefined;
  }

  show(facts) {
    const { figures: numbers, error, categories, imports, doctor } = this.parts;
    this.page.live(true, t.catalogue.live(EVERY_S), this.key !== null);
    fill(numbers, figures(facts, { t, language }));
    fill(error, errorPanel(facts, { t }));
    fill(categories, categoryPanel(facts, { t, language }));
    fill(imports, importPanel(facts.last_import, { t, language }));
    this.showFindings(doctor, facts.last_examination);
    if (this.shown) return;
    this.shown = true;
    fill(this.page.body, numbers, error, categories, imports, doctor, this.samples.element);
    this.samples.load();
  }

  /** Drawn again only when there is a new report, so that examples which somebody has opened stay open. */
  showFindings(place, report) {
    const at = report?.finished_at ?? null;
    if (this.examined === at) return;
    this.examined = at;
    fill(place, doctorPanel(report, { t, language }));
  }

  ask() {
    const wrong = this.key !== null;
    this.shown = false;
    this.page.live(false, "");
    fill(this.page.body, keyForm({ t, wrong, onKey: (key) => this.use(key) }));
    this.page.body.querySelector("input").focus();
  }

  use(key) {
    this.key = key;
    sessionStorage.setItem(KEY, key);
    return this.poll();
  }

  forget() {
    this.key = null;
    sessionStorage.removeItem(KEY);
    return this.poll();
  }
}

function read() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

new Catalogue().start();
