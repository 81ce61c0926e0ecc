// Types of the API and of what the modules pass to one another. Nothing here is served.
import type { components } from "lookalike-api";
import type { Api } from "./shared/api.js";
import type { strings } from "./shared/strings/en.js";

type Schemas = components["schemas"];

// The API. `lookalike-api` is generated from docs/openapi.json; see tools/javascript.
export type SearchResponse = Schemas["SearchResponse"];
/** A search by photo or address, or by product: the latter predicts no category. */
export type AnySearchResponse = Schemas["SimilarResponse"] &
  Partial<Pick<SearchResponse, "probabilities" | "crop">> & {
    /** Garments that the photo shows, if the search proposes them. */
    garments?: Garment[];
  };
export type Result = Schemas["SearchResult"];
export type Similarity = Schemas["Similarity"];
export type Product = Schemas["ProductSummary"];
/** A product as the catalogue stores it. */
export type ProductDetails = Schemas["ProductResponse"];
export type Import = Schemas["ImportResponse"];
export type Attributes = Product["attributes"];
/** Products of other categories that go with a product, or with the garments of a photo. */
export type Look = Schemas["LookResponse"];
export type Facet = Schemas["Facet"];
export type FacetValue = Schemas["FacetValue"];
export type Garment = Schemas["GarmentBox"];
/** A part of a picture, as fractions of its sides. */
export type Box = Schemas["Box"];
export type Sample = Schemas["SampleResponse"];
/** Which parts of two pictures make them alike. */
export type Explanation = Schemas["ExplanationResponse"];
export type Garments = Schemas["GarmentsResponse"];

/** The API types `sync` as an object of any shape: these are the fields that the page shows. */
export interface Sync {
  state: string;
  lag_seconds: number | null;
  applied: number;
  skipped: number;
  skipped_images: number;
  other_models: number;
  last_error: string | null;
}
/** A row of a feed that an import rejected. */
export type RejectedRow = Schemas["RejectedRowSummary"];
/** Summary of an import: its counts by name, and these. */
export interface ImportSummary {
  [count: string]: unknown;
  source?: string;
  finished_at?: string;
  status: string;
  rejected_rows?: RejectedRow[];
}
/** What `lookalike doctor` reports. */
export interface Examination {
  finished_at: string;
  findings: Record<string, Finding>;
}
export interface Finding {
  count: number;
  examples: string[];
}
export type CatalogueStatus = Omit<Schemas["CatalogueResponse"], "sync" | "last_import" | "last_examination"> & {
  sync: Sync;
  last_import: ImportSummary | null;
  last_examination: Examination | null;
};
/** What shoppers did not find. */
export type Demand = Schemas["DemandResponse"];
export type DemandCluster = Schemas["DemandCluster"];
/** A shop's rules for the order of results. */
export type Rules = Schemas["Merchandising"];
export type Rule = Schemas["Rule"];
/** Results in the plain order and by the rules. */
export type Preview = Schemas["PreviewResponse"];
/** A problem of RFC 9457. */
export type Problem = Schemas["Problem"];

// A search's options.
export type AttributeValue = FacetValue["value"];
export interface Range {
  gte?: number;
  lte?: number;
}
/** Conditions by attribute: a value, a list of values, or a range. */
export type Filter = Record<string, AttributeValue | AttributeValue[] | Range>;
export interface SearchOptions {
  k?: number;
  category?: string | null;
  /** Whether the search may look at one garment of the photo. Default: auto. */
  crop?: "auto" | "none";
  /** The widget passes the JSON that its attribute holds. */
  filter?: Filter | string | null;
  /** The category that a detector has found in the part of the photo. */
  prior?: string | null;
  min_score?: string | null;
  /** An opaque id of the shopper, with their consent. */
  visitor?: string | null;
  facets?: boolean;
}

// The pages.
/** A text with a count: one form for each plural category of the language. */
export type Plural = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };
type Translated<T> = T extends string
  ? string
  : T extends { other: string; one: string }
    ? Plural
    : { [Name in keyof T]: Translated<T[Name]> };
/** The shoppers' texts in one language. `language` may be a longer tag than that of the file, such as `de-AT`. */
export type Strings = Translated<typeof strings>;
/** A sentence with its heading. */
export interface Message {
  title: string;
  text: string;
}
/** What the gateway offers. */
export interface Features {
  urls?: boolean;
  facets?: boolean;
  sample?: boolean;
  detect?: boolean;
  /** Whether the gateway keeps events. */
  events?: boolean;
  /** Whether the page shows what completes a look. */
  look?: boolean;
}
/** What the gateway writes into a page. */
export interface PageConfig {
  /** The path before the gateway's paths, such as `/lookalike`. */
  root?: string;
  catalogue?: string;
  currency?: string | null;
  /** The search key that the pages send, where keys are required. */
  key?: string | null;
  features?: Features;
  /** Whether there is no page at this address. */
  missing?: boolean;
  shop?: Shop;
}
/** What a shop says of itself in its page file: docs/page.md. */
export interface Shop {
  name: string;
  logo?: string | null;
  colours?: Record<string, string>;
  links?: { text: string; url: string }[];
  /** Ids of the products on the first view. */
  starters?: string[];
  /** The shop's own texts, by language. */
  strings?: Record<string, object>;
}
/** What most views need. */
export interface Context {
  t: Strings;
  /** The gateway's address, with the catalogue's path. */
  gateway: string;
  language: string;
  currency: string | null;
}
export interface SearchContext extends Context {
  path: string;
  features: Features;
  shop: Shop;
}
export interface CatalogueContext extends Context {
  api: Api;
}
/** A style as one tile: the nearest product, its other variants, and the products that have the same picture. */
export interface Tile<Shown extends Product = Product> {
  result: Shown;
  variants: Shown[];
  offers: Shown[];
}

/** A file that the browser has decoded. */
export interface Photo {
  picture: HTMLCanvasElement;
  format: string;
  note: "animated" | "large" | null;
}

/** What the visitor searches for, as the page's address names it. */
export type Query =
  | { kind: "start" }
  | { kind: "visit"; id: string }
  | { kind: "photo"; data: string }
  | { kind: "url"; url: string }
  | { kind: "like"; id: string };
/** What the page shows. */
export interface PageState {
  query: Query;
  category: string | null;
  filter: Filter;
  k: number;
}
/**
 * A photo that is searched with; `upload` is the JPEG of the part in `box`, once it is made. `isFramed`: the visitor has
 * chosen the part, which may be the whole photo. `prior`: the category of the chosen garment.
 */
export interface PhotoSubject {
  query: Query & { kind: "visit" | "photo" };
  photo: Photo;
  box: Box;
  isFramed: boolean;
  prior: string | null;
  upload: Blob | null;
  garments?: Promise<Garment[]>;
  /** Those of the garments that can be chosen, once they are known. */
  found?: Garment[];
  label: string;
  thumbnail: string;
  product?: undefined;
}
export interface UrlSubject {
  query: Query & { kind: "url" };
  photo?: undefined;
  label: string;
  thumbnail: string;
  product?: undefined;
}
/** A product that is searched with; null until its own data are here. */
export interface ProductSubject {
  query: Query & { kind: "like" };
  photo?: undefined;
  label: string;
  thumbnail?: undefined;
  product: Product | null;
}
export type Subject = PhotoSubject | UrlSubject | ProductSubject;
/** A search of this visit. */
export interface Entry {
  id: string;
  kind: "photo" | "url" | "like";
  label: string;
  thumbnail: string | null;
  query: Query;
}

declare global {
  /** Swagger UI, which the documentation's page loads. */
  function SwaggerUIBundle(options: object): unknown;
}
