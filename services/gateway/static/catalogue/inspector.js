/** One product: how the catalogue holds it, its neighbours, and why searches find it or not. */

import { Failure } from "../shared/api.js";
import { fill, h } from "../shared/dom.js";
import { fileInput } from "../shared/fileinput.js";
import { openPhoto, toThumbnail, toUpload, WHOLE } from "../shared/photo.js";
import { ExplanationPanel } from "./explanation.js";
import { texts } from "./texts.js";

/** @import { AnySearchResponse, CatalogueContext, Import, Product, ProductDetails, Result } from "../types.js" */
/**
 * A step on the way from the catalogue to a result. `isMet`: null for a remark.
 * @typedef {{text: string, isMet: boolean|null}} Check
 */

const NEIGHBOURS = 8;
/** How far down the results a photo's search is read. */
const REACH = 100;

export class Inspector {
  #context;
  #picture;
  #explanation;
  #body = h("div", { class: "inspection" });
  #input = h("input", { type: "text", id: "product-id", autocomplete: "off", spellcheck: "false", required: true });

  /**
   * @param {CatalogueContext} context
   * @param {(product: Product|Result, note: string) => HTMLElement} picture draws a product
   */
  constructor(context, picture) {
    this.#context = context;
    this.#picture = picture;
    this.#explanation = new ExplanationPanel(context);
    /** @param {SubmitEvent} event */
    const submit = (event) => {
      event.preventDefault();
      this.#inspect(this.#input.value.trim());
    };
    const form = h(
      "form",
      { class: "row", on: { submit } },
      h("label", { for: "product-id", class: "visually-hidden" }, texts.inspectId),
      this.#input,
      h("button", { class: "button primary", type: "submit" }, texts.inspectGo),
    );
    const note = h("p", { class: "muted" }, texts.inspectNote);
    this.element = h("section", { class: "panel" }, h("h2", {}, texts.inspect), note, form, this.#body);
  }

  /** @param {string} id */
  async #inspect(id) {
    if (!id) return;
    this.element.setAttribute("aria-busy", "true");
    this.#explanation.clear();
    const { api } = this.#context;
    const [product, similar, status, imports] = await Promise.all([
      settled(/** @type {Promise<ProductDetails>} */ (api.product(id))),
      settled(api.similar(id, { k: NEIGHBOURS })),
      settled(api.catalogue()),
      settled(api.imports()),
    ]);
    const model = status.value?.model ?? null;
    const checks = stateChecks(product, similar, model);
    if (product.value) checks.push(...historyChecks(product.value, imports.value ?? [], this.#context.language));
    const neighbours = similar.value?.results ?? [];
    fill(
      this.#body,
      h(
        "div",
        { class: "row-of-products" },
        product.value ? this.#picture(product.value, product.value.category) : h("p", { class: "muted" }, id),
        h("div", {}, checkList(checks), product.value && similar.value && this.#trial(product.value)),
      ),
      neighbours.length > 0 && h("h3", {}, texts.inspectNeighbours),
      neighbours.length > 0 &&
        h(
          "ul",
          { class: "neighbours" },
          neighbours.map((result) =>
            h(
              "li",
              {},
              this.#picture(result, result.score.toFixed(3)),
              product.value && this.#why(product.value, result),
            ),
          ),
        ),
      this.#explanation.element,
    );
    this.element.setAttribute("aria-busy", "false");
  }

  /** Return the button that explains a neighbour. @param {ProductDetails} product @param {Result} neighbour */
  #why(product, neighbour) {
    const explain = () =>
      this.#explanation.show(
        neighbour.title || neighbour.id,
        this.#context.api.explain(neighbour.id, product.id, neighbour.image_index),
        { query: product.image_url, product: neighbour.image_url },
      );
    return whyButton(neighbour, explain);
  }

  /**
   * Return the button that explains a photo's match.
   * @param {import("../types.js").Photo} photo @param {AnySearchResponse} response @param {Result|undefined} result
   */
  #whyPhoto(photo, response, result) {
    if (!result) return null;
    const box = response.crop?.box ?? WHOLE;
    const explain = () =>
      this.#explanation.show(
        result.title || result.id,
        toUpload(photo, box).then((part) => this.#context.api.explain(result.id, part, result.image_index)),
        { query: toThumbnail(photo, 480, { box }), product: result.image_url },
      );
    return whyButton(result, explain);
  }

  /** A photo that should find the product: where does it come? @param {ProductDetails} product */
  #trial(product) {
    const answer = h("div", { role: "status" });
    const input = fileInput(async (file) => {
      const { value: trial, error } = await settled(openPhoto(file).then((photo) => this.#search(photo)));
      const why = trial && this.#whyPhoto(trial.photo, trial.response, placed(product, trial.response));
      fill(answer, checkList(trial ? trialChecks(product, trial.response) : [failed(error)]), why);
    });
    const button = h(
      "button",
      { class: "button", type: "button", on: { click: () => input.click() } },
      texts.inspectTry,
    );
    return h("div", { class: "trial" }, button, input, answer);
  }

  /** @param {import("../types.js").Photo} photo */
  async #search(photo) {
    return { photo, response: await this.#context.api.searchPhoto(await toUpload(photo), { k: REACH }) };
  }
}

/**
 * @template T @param {Promise<T>} promise @returns {Promise<{value?: T, error?: unknown}>}
 */
const settled = (promise) =>
  promise.then(
    (value) => ({ value }),
    (error) => ({ error }),
  );

/** @param {unknown} error @returns {Check} */
const failed = (error) => ({
  text: error instanceof Failure ? error.detail || error.code : texts.inspectUnreadable,
  isMet: false,
});

/**
 * Return whether the catalogue and the index have a product.
 * @param {{value?: ProductDetails, error?: unknown}} product
 * @param {{value?: AnySearchResponse, error?: unknown}} similar
 * @param {string|null} model the active one
 * @returns {Check[]}
 */
export function stateChecks({ value: product, error }, similar, model) {
  if (!product) return [isGone(error) ? { text: texts.inspectUnknown, isMet: false } : failed(error)];
  const { prediction, category, model: own } = product;
  const isOfModel = model === null || own === model;
  /** @type {Check[]} */
  const checks = [{ text: texts.inspectStored, isMet: true }];
  checks.push({ text: isOfModel ? texts.inspectModel(own) : texts.inspectOtherModel(own, model), isMet: isOfModel });
  if (similar.value) checks.push({ text: texts.inspectIndexed, isMet: true });
  else checks.push(isGone(similar.error) ? { text: texts.inspectNotIndexed, isMet: false } : failed(similar.error));
  checks.push({ text: texts.inspectCategory(category, product.category_source), isMet: null });
  if (prediction && prediction.name !== category)
    checks.push({ text: texts.inspectPredicted(prediction.name, category), isMet: false });
  return checks;
}

/**
 * Return when a product was added, when and by which import it was last changed, and whether the latest import left it
 * unchanged.
 * @param {Pick<ProductDetails, "created_at"|"updated_at"|"updated_by">} product
 * @param {Pick<Import, "id"|"source"|"state"|"started_at"|"finished_at">[]} imports the latest first
 * @param {string} language
 * @returns {Check[]}
 */
export function historyChecks({ created_at: createdAt, updated_at: updatedAt, updated_by: by }, imports, language) {
  if (!updatedAt) return [{ text: texts.inspectNoHistory, isMet: null }];
  const time = toSecond(updatedAt);
  /** @param {string} text */
  const shown = (text) => new Date(text).toLocaleString(language);
  /** @type {Check[]} */
  const checks = createdAt ? [{ text: texts.inspectAdded(shown(createdAt)), isMet: null }] : [];
  if (by !== "import") return [...checks, { text: texts.inspectWritten(shown(updatedAt)), isMet: null }];
  const during = imports.find(
    ({ started_at: from, finished_at: to }) => toSecond(from) <= time && (!to || time <= toSecond(to)),
  );
  const when = shown(updatedAt);
  const text = during ? texts.inspectImported(when, during.source, during.id) : texts.inspectImportedOnce(when);
  checks.push({ text, isMet: null });
  const latest = imports.find(({ state }) => state === "done");
  if (latest?.finished_at && toSecond(latest.started_at) > time)
    checks.push({ text: texts.inspectUnchanged(latest.source, shown(latest.finished_at)), isMet: null });
  return checks;
}

/**
 * Return at which place a photo's search has a product, or why it has not.
 * @param {Pick<ProductDetails, "id"|"category">} product @param {AnySearchResponse} response of at most REACH results
 * @returns {Check[]}
 */
export function trialChecks({ id, category }, { outcome, category: searched, results }) {
  /** @type {Check[]} */
  const checks = [];
  if (outcome === "no_clothing" || outcome === "other_clothing")
    checks.push({ text: texts.inspectRefused(outcome), isMet: false });
  if (searched.name !== category) {
    checks.push({ text: texts.inspectElsewhere(searched.name, category), isMet: false });
    return checks;
  }
  const place = results.findIndex((result) => result.id === id);
  const best = results[0]?.score ?? 0;
  if (place < 0) checks.push({ text: texts.inspectFar(results.length, results.at(-1)?.score ?? 0), isMet: false });
  else checks.push({ text: texts.inspectPlace(place + 1, results[place]?.score ?? 0, best), isMet: true });
  return checks;
}

/** Return a product among a search's results. @param {Pick<ProductDetails, "id">} product @param {AnySearchResponse} response */
const placed = ({ id }, { results }) => results.find((result) => result.id === id);

/** @param {Result} result @param {() => void} explain */
function whyButton(result, explain) {
  const label = texts.explainOf(result.title || result.id);
  return h("button", { class: "link", type: "button", "aria-label": label, on: { click: explain } }, texts.explain);
}

/** Return a time in seconds, as products have it. @param {string} text */
const toSecond = (text) => Math.floor(Date.parse(text) / 1000);

/** @param {unknown} error */
const isGone = (error) => error instanceof Failure && error.status === 404;

/** @param {Check[]} checks */
function checkList(checks) {
  const marks = new Map([
    [true, texts.inspectYes],
    [false, texts.inspectNo],
  ]);
  const items = checks.map(({ text, isMet }) => {
    const mark = isMet === null ? null : h("span", { class: `check ${isMet ? "good" : "bad"}` }, marks.get(isMet), " ");
    return h("li", {}, mark, text);
  });
  return h("ul", { class: "checks" }, items);
}
