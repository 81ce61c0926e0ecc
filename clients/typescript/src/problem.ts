/** The errors of calls. */

/** The error at one place of the request; `pointer` is a JSON Pointer such as `#/filter/price`. */
export interface FieldError {
  pointer: string;
  detail: string;
}

interface ProblemDocument {
  type?: string;
  title?: string;
  detail?: string;
  errors?: FieldError[];
  request_id?: string | null;
}

/** The gateway's response is an error (RFC 9457). `slug` names its kind, such as `invalid-image`. */
export class Problem extends Error {
  readonly status: number;
  readonly slug: string;
  readonly title: string;
  readonly errors: FieldError[];
  readonly requestId: string | null;
  /** The seconds to wait before another try; null if another try does not help. */
  readonly retryAfterS: number | null;

  constructor(status: number, document: ProblemDocument, retryAfter: string | null = null) {
    super(document.detail ?? `the gateway answered ${status}`);
    this.name = "Problem";
    this.status = status;
    this.slug = document.type?.split("/").pop() || `http-${status}`;
    this.title = document.title ?? "";
    this.errors = document.errors ?? [];
    this.requestId = document.request_id ?? null;
    this.retryAfterS = retryAfter && /^\d+$/.test(retryAfter) ? Number(retryAfter) : null;
  }

  /** Return the error of a response that is not a success. */
  static async of(response: Response): Promise<Problem> {
    const document = (await response.json().catch(() => ({}))) as ProblemDocument;
    return new Problem(response.status, document ?? {}, response.headers.get("Retry-After"));
  }
}
