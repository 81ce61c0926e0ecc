// Types of the API and of what the modules pass to one another. Nothing here is served.
import type { components } from "lookalike-api";
import type { Api } from "./shared/api.js";
import type { en } from "./shared/strings/en.js";

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
export type Attributes = Product["attributes"];
export type Facet = Schemas["Facet"];
export type FacetValue = Schemas["FacetValue"];
export type Garment = Schemas["GarmentBox"];
/** A part of a picture, as fractions of its sides. */
export type Box = Schemas["Box"];
export type Sample = Schemas["SampleResponse"];
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
  min_score?: string | null;
  facets?: boolean;
}

// The pages.
export type Strings = typeof en;
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
}
export interface CatalogueContext extends Context {
  api: Api;
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
 * chosen the part, which may be the whole photo.
 */
export interface PhotoSubject {
  query: Query & { kind: "visit" | "photo" };
  photo: Photo;
  box: Box;
  isFramed: boolean;
  upload: Blob | null;
  garments?: Promise<Garment[]>;
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
