/** The texts of the engineers' pages, in English only. */

const CATEGORY_CONFLICTS = "Products whose category in the feed is not the predicted one";

export const texts = {
  nav: { search: "Search page", catalogue: "Catalogue", api: "API", label: "Lookalike", theme: "Dark or light" },
  title: "Catalogue",
  lead: "What the search holds, and how it follows the database.",
  key: "Admin key",
  keyHint: "This installation requires its admin key. The key stays in this tab.",
  keyGo: "Open",
  keyForget: "Forget the key",
  keyWrong: "The key is wrong.",
  /** @param {number} seconds */
  live: (seconds) => `Live: updated every ${seconds} seconds`,
  paused: "Not live: the server cannot be reached. Trying again.",
  products: "Searchable products",
  model: "Model",
  lag: "Behind the database",
  lagNone: "unknown",
  /** @param {string} value */
  seconds: (value) => `${value} s`,
  state: "Sync",
  states: {
    starting: "Starting",
    loading: "Loading",
    following: "Following",
    polling: "Polling",
    reconnecting: "Reconnecting",
    rebuilding: "Rebuilding",
  },
  applied: "Changes applied",
  skipped: "Documents skipped",
  skippedImages: "Images skipped",
  otherModels: "Products of another model",
  uptime: "Gateway uptime",
  lastError: "Last sync error",
  categories: "Products by category",
  category: "Category",
  count: "Products",
  share: "Share",
  sample: "A sample with its nearest neighbours",
  sampleNote: "Each row shows a product and its nearest neighbours. Odd rows suggest wrong pictures or categories.",
  sampleNew: "Another sample",
  sampleEmpty: "There are no products yet. Import some: lookalike import SOURCE",
  neighboursNone: "No neighbours",
  import: "Last import",
  importSource: "Source",
  importAt: "Finished",
  rejected: "Rejected rows",
  rejectedNone: "No row was rejected.",
  importStatus: "Status",
  importStatuses: { done: "Done", interrupted: "Interrupted", cancelled: "Cancelled", failed: "Failed" },
  doctor: "Findings of lookalike doctor",
  doctorNone: "The catalogue has not been examined yet. Run: lookalike doctor",
  /** @param {string} when */
  doctorAt: (when) => `Examined ${when}`,
  doctorHealthy: "No problems found.",
  findings: {
    broken: "Documents that are not products",
    broken_images: "Additional images whose vector cannot be used",
    not_embedded: "Products without a vector",
    other_model: "Products with a vector of another model",
    unknown_category: "Products in a category that the model does not have",
    category_conflicts: CATEGORY_CONFLICTS,
    /** In reports of version 0.1. */
    disagreeing: CATEGORY_CONFLICTS,
    duplicates: "Images that several products have",
    empty_categories: "Categories without a product",
    dead_images: "Image URLs that do not return an image",
    dead_pages: "Product URLs that do not return a page",
  },
  demand: "What shoppers did not find",
  demandNote: "Searches of the last 30 days without a close match, or without a click.",
  demandCsv: "Download as CSV",
  demandEmpty: "No searches have been kept in this time.",
  /** @param {string} unmet @param {string} searches */
  demandCount: (unmet, searches) => `${unmet} of ${searches} searches.`,
  demandNoClicks: "No clicks are known: let the shop send events.",
  demandCut: "Only the latest searches of a large log are counted.",
  demandClusters: "Wanted most",
  demandColumns: [
    { name: "Looks like" },
    { name: "Category" },
    { name: "Searches", isNumber: true },
    { name: "No close match", isNumber: true },
    { name: "No click", isNumber: true },
    { name: "Gap", isNumber: true },
    { name: "Nearest products" },
  ],
  demandDays: "Searches by day and outcome",
  demandDayColumns: [
    { name: "Day" },
    { name: "Searches", isNumber: true },
    { name: "Ok", isNumber: true },
    { name: "No close match", isNumber: true },
    { name: "Other clothing", isNumber: true },
    { name: "No clothing", isNumber: true },
    { name: "No click", isNumber: true },
  ],
  rules: "Merchandising rules",
  rulesNote: "How the shop changes the order of results. The API and lookalike rules change them.",
  rulesEmpty: "There are no rules: results have the plain order. Write some: lookalike rules set FILE",
  rulesStock: {
    hide: "Products out of stock are left out of results.",
    show: "Products out of stock are results like all others.",
  },
  rulesList: "Rules, the first before the others",
  rulesColumns: [
    { name: "Rule" },
    { name: "Effect" },
    { name: "Products" },
    { name: "Searches in" },
    { name: "When" },
    { name: "State" },
  ],
  rulesAll: "all",
  rulesAlways: "always",
  /** @param {string} when */
  rulesFrom: (when) => `from ${when}`,
  /** @param {string} when */
  rulesUntil: (when) => `until ${when}`,
  rulesActions: { boost: "Boost by", bury: "Bury by", pin: "Pin", hide: "Hide" },
  /** @param {string} id @param {number} place */
  rulesPin: (id, place) => `${id} to place ${place}`,
  rulesStates: { on: "In force", off: "Switched off", later: "Not yet", ended: "Ended" },
  rulesApart: "Garments that no look has together",
  rulesApartColumns: [{ name: "Rule" }, { name: "One garment" }, { name: "The other" }],
  previewId: "Preview similar products of",
  previewGo: "Preview",
  previewPlain: "Plain order",
  previewRuled: "By the rules",
  /** @param {number} place @param {number|null} before null: it was not among the first ones */
  previewFrom: (place, before) => (before === null ? `${place}, not among these before` : `${place}, before ${before}`),
  /** @param {number} place @param {number} after */
  previewTo: (place, after) => `${place}, now ${after}`,
  /** @param {number} place */
  previewGone: (place) => `${place}, now hidden or below these`,
  inspect: "One product",
  inspectNote: "How the catalogue holds a product, and why searches find it or not.",
  inspectId: "Id of the product",
  inspectGo: "Look up",
  inspectYes: "Yes:",
  inspectNo: "No:",
  inspectNeighbours: "Its nearest neighbours",
  inspectTry: "Search with a photo of it",
  inspectUnreadable: "The photo cannot be read.",
  inspectUnknown: "The catalogue has no product with this id: it was never imported, was rejected, or was deleted.",
  inspectStored: "The catalogue has it.",
  /** @param {string|null} model */
  inspectModel: (model) => `It has a vector of the active model, ${model}.`,
  /** @param {string|null} own @param {string|null} model */
  inspectOtherModel: (own, model) =>
    `It has a vector of ${own ?? "no model"}, and searches use ${model}. Run: lookalike models embed`,
  inspectIndexed: "The index has it: searches in its category can return it.",
  inspectNotIndexed: "The index does not have it. It follows within a second; otherwise run: lookalike doctor",
  /** @param {string} category @param {string} source */
  inspectCategory: (category, source) => `Its category is ${category}, by the ${source}.`,
  /** @param {string} predicted @param {string} category */
  inspectPredicted: (predicted, category) =>
    `The network takes its picture for ${predicted}: a photo like it searches there, and not in ${category}.`,
  /** @param {string} outcome */
  inspectRefused: (outcome) => `The network sees no garment of these categories in the photo (${outcome}).`,
  /** @param {string} searched @param {string} category */
  inspectElsewhere: (searched, category) => `The photo searches in ${searched}; the product is in ${category}.`,
  /** @param {number} count @param {number} score */
  inspectFar: (count, score) =>
    `It is not among the first ${count}, the last of which has the score ${score.toFixed(3)}.`,
  /** @param {number} place @param {number} score @param {number} best */
  inspectPlace: (place, score, best) =>
    `It is number ${place}, with the score ${score.toFixed(3)}. The first has ${best.toFixed(3)}.`,
  /** @param {string} when @param {string} source @param {string} id */
  inspectImported: (when, source, id) => `An import last changed it on ${when}: ${source} (${id}).`,
  /** @param {string} when */
  inspectImportedOnce: (when) => `An import last changed it on ${when}; the last 50 imports do not include it.`,
  /** @param {string} when */
  inspectWritten: (when) => `A request for this product last changed it on ${when}.`,
  /** @param {string} when */
  inspectAdded: (when) => `It was added on ${when}.`,
  inspectNoHistory: "When it was last changed is not known: Lookalike has not written its document.",
  /** @param {string} source @param {string} when */
  inspectUnchanged: (source, when) => `The latest import, ${source}, ended on ${when} and did not change it.`,
  explain: "Why?",
  /** @param {string} title */
  explainOf: (title) => `Why is ${title} alike?`,
  explainWaiting: "Comparing the pictures part by part …",
  explainFailed: "The match cannot be explained.",
  /** @param {string} title @param {number} similarity */
  explainTitle: (title, similarity) => `Why ${title} is alike: cosine similarity ${similarity.toFixed(3)}`,
  explainNote: "The brighter a part of a picture, the more the similarity drops when it is covered.",
  explainQuery: "Searched picture",
  explainProduct: "Result",
  /** @param {string} name @param {string[]} parts */
  explainParts: (name, parts) => `${name}: ${parts.length > 0 ? `mostly ${parts.join(", ")}` : "no single part"}`,
  /** @param {number} row @param {number} column each 0 to 2 */
  explainPart: (row, column) => {
    const names = [["top", "", "bottom"][row], ["left", "", "right"][column]].filter(Boolean);
    return names.length > 0 ? names.join(" ") : "centre";
  },
  /** @param {number} count */
  categoriesEmpty: (count) => `${count === 1 ? "1 category is" : `${count} categories are`} empty`,
  /** @param {string} status @param {string} source @param {string} when @param {string} counts */
  importLine: (status, source, when, counts) => [status, source, when, counts].filter(Boolean).join(" · "),
  row: "Line",
  id: "Product",
  reason: "Reason",
};
