/** The shapes of responses and options. Fields that a newer gateway adds do no harm. */

export type Value = string | number | boolean;
export type Attributes = Record<string, Value | Value[]>;
/** Conditions on attributes: docs/api.md, "Filters". */
export type Filter = Record<string, unknown>;

/** A part of a photo, in fractions of its sides. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The options of every search; more than these may exist in a newer gateway. */
export interface SearchOptions {
  k?: number;
  offset?: number;
  filter?: Filter;
  min_score?: number;
  facets?: boolean;
  [option: string]: unknown;
}

/** The options of a search by photo. */
export interface PhotoOptions extends SearchOptions {
  category?: string;
  box?: Box | [number, number, number, number];
}

export interface Category {
  id: number;
  name: string;
  probability: number | null;
}

/** Calibrated similarity, 0 to 1: from 0.5 on it is a close match. */
export interface Similarity {
  value: number;
  label: string;
}

/** A product near the query; `score` is cosine similarity. */
export interface Result {
  id: string;
  url: string | null;
  image_url: string | null;
  title: string | null;
  category: string;
  attributes: Attributes;
  score: number;
  image_index: number;
  similarity: Similarity | null;
  catalogue?: string;
}

export interface SimilarResponse {
  outcome: "ok" | "no_close_match" | "other_clothing" | "no_clothing";
  category: Category;
  results: Result[];
  next_page: { k: number; offset: number } | null;
  facets: Record<string, unknown>[];
  model: string;
  request_id: string | null;
  timings_ms: Record<string, number>;
}

export interface SearchResponse extends SimilarResponse {
  probabilities: Record<string, number>;
}

export interface Garments {
  garments: { box: Box; category: Category }[];
  model: string;
  request_id: string | null;
}

/** A product as it is stored; `searchable` only after a write with `wait`. */
export interface Product {
  id: string;
  category: string;
  category_source: string;
  url: string | null;
  image_url: string | null;
  title: string | null;
  attributes: Attributes;
  model: string | null;
  images: { url: string | null }[];
  searchable?: boolean;
}

/** The fields of a product that a request may have. */
export interface ProductFields {
  title?: string;
  url?: string;
  image_url?: string;
  image_base64?: string;
  images?: ({ url: string } | { base64: string })[];
  category?: string | number;
  attributes?: Attributes;
}

/** A JSON merge patch (RFC 7396): null removes. */
export type ProductChanges = { [Field in keyof ProductFields]?: ProductFields[Field] | null } & {
  attributes?: Record<string, Value | Value[] | null> | null;
};

export interface Deleted {
  deleted: number;
  unknown: string[];
  searchable?: boolean;
}

/** A line of an import's response: the outcome of a row, or the import itself. */
export interface ImportLine {
  line?: number;
  id?: string;
  outcome?: string;
  reason?: string;
  import?: Record<string, unknown>;
}

/** What became of events: `rejected` has the indexes of those that are not kept. */
export interface SentEvents {
  accepted: number;
  duplicates: number;
  rejected: number[];
  errors: { pointer: string; detail: string }[];
}
