/** Every text of the pages and the widget, in English. To translate, copy this file; docs/page.md says how. */

/** @param {number} count @param {string} singular @param {string} plural */
const noun = (count, singular, plural) => (count === 1 ? singular : plural);

/** @param {number} count */
const products = (count) => `${count} ${noun(count, "product", "products")}`;

const DAMAGED = {
  title: "The photo cannot be read",
  text: "The file seems to be damaged or incomplete. Try another photo.",
};
const TOO_SLOW = "The search takes too long";
const CATEGORY_CONFLICTS = "Products whose category in the feed is not the predicted one";
const LATER = "Try again in a moment.";

export const en = {
  brand: "Lookalike",
  skip: "Skip to the results",
  nav: { catalogue: "Catalogue", api: "API", theme: "Dark or light", home: "Lookalike: start again" },
  start: {
    title: "Find it by how it looks",
    lead: "Show us a photo of a garment. We find the products that look most like it.",
    drop: "Drop a photo here",
    choose: "Choose a photo",
    camera: "Take a photo",
    paste: "or paste one with Ctrl+V",
    url: "Address of a picture",
    urlHint: "https://…",
    urlGo: "Search",
    urlWrong: "Enter an address that starts with https://",
    samples: "Or start from one of these",
    /** @param {string} title */
    sample: (title) => `Find products like ${title}`,
    privacy: "Your browser makes the photo smaller before sending it. The shop does not store it.",
  },
  dropAnywhere: "Drop the photo anywhere",
  camera: {
    title: "Take a photo",
    snap: "Take the photo",
    cancel: "Cancel",
    video: "Live picture of the camera",
    waiting: "Waiting for the camera. Your browser may ask for permission.",
    denied: "The browser blocks the camera. Allow it in the settings for this page, or choose a photo instead.",
    none: "No camera was found. Choose a photo instead.",
    busy: "Another program is using the camera. Close it, or choose a photo instead.",
  },
  query: {
    heading: "What you are looking for",
    photo: "Your photo",
    url: "Picture at an address",
    missing: "The picture cannot be shown here.",
    newSearch: "New search",
    share: "Share",
    shared: "Link copied",
    sharedPhoto: "Link copied. It contains a small copy of your photo.",
    shareManual: "Copy this link:",
    animated: "An animated picture: only its first frame is used.",
    large: "A very large photo: it was made smaller before sending.",
    repeated: "This search is already in progress.",
  },
  crop: {
    label: "Part of the photo to search for",
    hint: "Drag the frame around one garment.",
    /** @param {string} category */
    found: (category) => `The search looks at the garment in the frame (${category}). To change it, drag the frame.`,
    edges: { left: "Left edge", right: "Right edge", top: "Top edge", bottom: "Bottom edge" },
    /** @param {number} percent */
    value: (percent) => `${percent} percent`,
    presets: "Search for",
    whole: "Whole photo",
    upper: "Upper part",
    lower: "Lower part",
    middle: "Middle",
    /** @param {string} name @param {number} percent */
    garment: (name, percent) => `${name}, ${percent} % sure`,
    garments: "Garments found in the photo",
  },
  category: {
    group: "Category",
    all: "All categories",
    fewer: "Fewer",
    /** @param {string} name @param {number} percent */
    sure: (name, percent) => `${name}, ${percent} percent sure`,
    /** @param {string} name */
    chosen: (name) => `${name}, chosen by you`,
  },
  filters: {
    heading: "Filters",
    clear: "Clear filters",
    /** @param {number} count */
    more: (count) => `Show ${count} more`,
    from: "From",
    to: "To",
    /** @param {string} value @param {number} count */
    option: (value, count) => `${value}, ${products(count)}`,
    /** @param {number} count */
    active: (count) => `${count} ${noun(count, "filter", "filters")} set`,
    yes: "Yes",
    no: "No",
  },
  results: {
    region: "Results",
    searching: "Searching the shop…",
    /** @param {string} category */
    heading: (category) => `Most alike in ${category}`,
    /** @param {number} count @param {string} category */
    count: (count, category) => `${products(count)} in ${category}`,
    /** @param {number} milliseconds */
    took: (milliseconds) => `${milliseconds} ms`,
    /** @param {number} count @param {string} category */
    announced: (count, category) => `${products(count)} found in ${category}, most alike first.`,
    /** @param {number} percent */
    alike: (percent) => `${percent} % alike`,
    /** @param {string} label @param {number} percent */
    similarity: (label, percent) => `${label} · ${percent} %`,
    /** By the API's label. */
    similarityLabels: {
      "nearly the same": "Nearly the same",
      "very alike": "Very alike",
      alike: "Alike",
      "somewhat alike": "Somewhat alike",
      "not alike": "Not alike",
    },
    like: "More like this",
    /** @param {string} title */
    likeOf: (title) => `More like this: ${title}`,
    more: "Show more",
    imageMissing: "The picture is no longer available",
    noImage: "No picture",
  },
  notices: {
    nothing: {
      title: "Nothing found",
      /** @param {string} category */
      text: (category) => `No product in ${category} matches. Try another category.`,
    },
    filtered: {
      title: "No product matches these filters",
      text: "This category has products, but none matches every filter.",
    },
    noClothing: {
      title: "We see no clothing here",
      text: "It seems to show something else. Move the frame around a garment, choose a category, or try another photo.",
      /** @param {string} category */
      anyway: (category) => `Show the closest in ${category} anyway`,
    },
    otherClothing: {
      title: "We do not search for this kind of clothing",
      text: "It seems to be a dress, a hat or another kind. Move the frame around another garment, or choose a category.",
    },
    notClose: {
      title: "No close match",
      text: "The shop has nothing very much like it. These products are the nearest.",
    },
    lostVisit: {
      title: "This photo is no longer here",
      text: "Photos are not stored, so this address works only in its own tab. “Share” makes a link that others can open.",
    },
    retry: "Try again",
    anotherPhoto: "Choose another photo",
    requestId: "Request",
    details: "Details from the shop's server",
  },
  /** By code: problem types of the API, then codes of the pages. */
  failures: {
    internal: {
      title: "Something went wrong in the shop's search",
      text: "Your photo is not the cause. Try again. If it happens again, send the shop the request number below.",
    },
    "invalid-image": DAMAGED,
    "image-too-large": { title: "The photo is too large", text: "Try a smaller one." },
    "unsupported-image": {
      title: "This picture format is not supported",
      text: "JPEG, PNG, WebP, GIF, BMP and AVIF work.",
    },
    "image-url-refused": {
      title: "The shop does not open this address",
      text: "Save the picture and choose it instead.",
    },
    "image-url-failed": {
      title: "There is no picture at this address",
      text: "It may have moved, or its site does not let others open it. Save the picture and choose it instead.",
    },
    "unknown-product": { title: "The shop no longer has this product", text: "Start a new search." },
    "unknown-catalogue": {
      title: "There is no such catalogue",
      text: "This search does not have it. Check the address.",
    },
    "unknown-category": { title: "There is no such category", text: "Choose another category." },
    "too-many-requests": { title: "Many people are searching", text: "Wait a second, then try again." },
    "index-not-ready": {
      title: "The search is starting up",
      text: "The shop's products are being loaded. Try again in a moment.",
    },
    "embedding-unavailable": {
      title: "Photo search is unavailable",
      text: "The service that looks at photos cannot be reached. Try again in a moment.",
    },
    "catalogue-unavailable": { title: "The catalogue is unavailable", text: LATER },
    "model-index-mismatch": { title: "The search is being updated", text: LATER },
    "upstream-timeout": { title: TOO_SLOW, text: LATER },
    "invalid-request": { title: "This search is not possible", text: "Change the filters or start a new search." },
    unauthorised: { title: "The key is wrong", text: "Check the key and enter it again." },
    forbidden: { title: "This page may not search here", text: "Its key does not allow it. Ask the shop." },
    other: { title: "That did not work", text: "Try again." },
    offline: {
      title: "You are offline",
      text: "The connection was lost. Your photo is still here: try again when you are back online.",
    },
    unreachable: {
      title: "The connection was lost",
      text: "The photo did not reach the shop. It is still here: try again.",
    },
    timeout: { title: TOO_SLOW, text: "No response came within 20 seconds. Try again in a moment." },
    garbled: { title: "The response cannot be read", text: "It was changed on its way from the shop. Try again." },
    empty: { title: "The file is empty", text: "It has 0 bytes. Choose another file." },
    heic: {
      title: "This browser cannot open HEIC photos",
      text: "Save it as a JPEG (on an iPhone: Settings, Camera, Formats, Most Compatible) or take a screenshot of it.",
    },
    pdf: { title: "This is a PDF, not a photo", text: "Take a screenshot of the page and choose that." },
    svg: { title: "This is a vector drawing, not a photo", text: "Choose a JPEG, PNG or WebP picture." },
    video: {
      title: "This is a video, not a photo",
      text: "Pause it where the garment is seen best and take a screenshot.",
    },
    tiff: { title: "This is a TIFF file", text: "Save it as JPEG or PNG first." },
    noPicture: { title: "This is not a picture", text: "Choose a JPEG, PNG, WebP, GIF, BMP or AVIF file." },
    damaged: DAMAGED,
    tooManyBytes: { title: "The file is too large", text: "It has more than 80 MB. Choose a smaller photo." },
    tooManyPixels: {
      title: "The photo has too many pixels",
      text: "It is too large for a browser to open. Choose a smaller one.",
    },
    unreadable: {
      title: "The file cannot be opened",
      text: "It may have been moved or deleted since you chose it.",
    },
    badLink: {
      title: "The link is damaged",
      text: "The photo in it cannot be read. Ask for a new link, or choose a photo.",
    },
    noImageDropped: { title: "That was not a photo", text: "Drop a picture file, or a picture from another page." },
  },
  visit: {
    heading: "Your searches",
    clear: "Forget them",
    note: "Only in this tab, until you close it.",
    /** @param {string} label */
    open: (label) => `Search again: ${label}`,
    cleared: "Your searches are forgotten.",
  },
  footer: { made: "Photos are not stored. Products open on the shop's own pages." },
  widget: {
    title: "Search by photo",
    lead: "Drop, paste or choose a photo of a garment.",
    choose: "Choose a photo",
    close: "Clear",
    results: "Products that look like it",
    noClothing: "The photo seems to show something else. Try another one, closer to the garment.",
    otherClothing: "It seems to be a dress, a hat or another kind. Try a photo of another garment.",
  },
  catalogue: {
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
    row: "Line",
    id: "Product",
    reason: "Reason",
  },
};
