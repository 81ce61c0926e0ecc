"""The errors of the domain. `web/problems.py` turns each into an HTTP response."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from services.contracts.domain.choices import choices, field_names, unknown_name

# The limits that refuse requests, as metrics and logs name them.
Limit = Literal[
    "client-quota",
    "key-quota",
    "places",
    "client-places",
    "body-bytes",
    "client-body-bytes",
    "capacity",
    "large-pictures",
    "events",
    "events-quota",
]

# Pydantic's errors whose messages are for programmers: they name its terms, or classes.
UNKNOWN_FIELD = frozenset({"extra_forbidden", "unexpected_keyword_argument"})
OBJECT = "it has to be an object, with fields in {}"
SENTENCES = dict.fromkeys(("model_type", "model_attributes_type", "dataclass_type", "dict_type"), OBJECT) | {
    "list_type": "it has to be a list, in []",
}


class LookalikeError(Exception):
    """Base class of the errors whose text is meant for the caller, who may be anyone.

    The text therefore has no addresses, paths and names of machines. `inside` has such facts for the log and for
    commands. `slug` names the problem type (RFC 9457), `status` is the HTTP status, `retry_after_s` the Retry-After
    header in seconds, `remedy` what the caller can do. `closes` is whether the connection ends with the response.
    `extra` becomes extension members of the problem document.
    """

    slug: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    retry_after_s: int | None = None
    remedy: ClassVar[str] = "Search the gateway's log for the request_id."
    closes: ClassVar[bool] = False

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra: Mapping[str, Any] = extra
        self.inside: Mapping[str, str] = {}


class InvalidRequest(LookalikeError):
    slug, status, title = "invalid-request", 422, "The request is not valid"
    remedy = "Correct the places that `errors` names."


class InvalidImage(LookalikeError):
    slug, status, title = "invalid-image", 422, "The image cannot be read"
    remedy = "The file is empty, damaged or cut short: send it again."


class ImageTooLarge(LookalikeError):
    slug, status, title = "image-too-large", 413, "The image is too large"
    remedy = "Make the image smaller."


class UnsupportedImage(LookalikeError):
    slug, status, title = "unsupported-image", 415, "The image format is not supported"
    remedy = "Convert the image to an accepted format: JPEG, PNG, WebP, GIF, BMP or AVIF."


class RequestTimeout(LookalikeError):
    slug, status, title = "request-timeout", 408, "The request did not arrive in time"
    remedy = "Send the request again over a faster connection, or with a smaller body."
    closes = True


class AmbiguousLength(LookalikeError):
    slug, status, title = "ambiguous-length", 400, "The length of the request is ambiguous"
    remedy = "Send one of Content-Length and Transfer-Encoding, once."
    closes = True


class RequestTooLarge(LookalikeError):
    slug, status, title = "request-too-large", 413, "The request is too large"
    remedy = "Send less in one request; send images as files rather than as text."


class ImageUrlRefused(LookalikeError):
    slug, status, title = "image-url-refused", 422, "The image URL may not be fetched"
    remedy = "Use a public http(s) URL; the installation may not fetch images at all (GATEWAY_FETCH_ENABLED)."


class ImageUrlFailed(LookalikeError):
    slug, status, title = "image-url-failed", 422, "No image could be fetched from the image URL"
    remedy = "Check the URL: it returned an error, or its host is unknown."


class ImageServerUnavailable(ImageUrlFailed):
    """The image's server fails temporarily. `wait_s`: the seconds to wait by its Retry-After header, if it sent one."""

    def __init__(self, detail: str, wait_s: float | None = None) -> None:
        super().__init__(detail)
        self.wait_s = wait_s


class FeedTooLarge(LookalikeError):
    slug, status, title = "feed-too-large", 413, "The feed is too large"
    remedy = "Send the feed in parts, or use lookalike import."


class InvalidFeed(LookalikeError):
    slug, status, title = "invalid-feed", 422, "The feed cannot be read"
    remedy = "Correct the feed's header or its compression."


class NoRoom(LookalikeError):
    slug, status, title = "no-room", 507, "There is not enough space for the feed"
    remedy = "Free space on the gateway's disk."


class PreconditionFailed(LookalikeError):
    slug, status, title = "precondition-failed", 412, "The stored state is another one"
    remedy = "Read it again, and send its ETag in If-Match."


class ImportConflict(LookalikeError):
    slug, status, title = "import-under-way", 409, "Another import is running"
    remedy = "Wait for the import in `import_id`, or cancel it."
    retry_after_s = 5


class UnknownImport(LookalikeError):
    slug, status, title = "unknown-import", 404, "There is no such import"
    remedy = "Correct the id."


class NotFound(LookalikeError):
    slug, status, title = "not-found", 404, "This address does not exist"
    remedy = "Correct the path: see /docs."


class MethodNotAllowed(LookalikeError):
    slug, status, title = "method-not-allowed", 405, "This address does not support the method"
    remedy = "Use one of the methods in the header Allow."


class UnknownProduct(LookalikeError):
    slug, status, title = "unknown-product", 404, "There is no such product"
    remedy = "Correct the id; a product that was just written is searchable within a second."


class UnknownCategory(LookalikeError):
    slug, status, title = "unknown-category", 404, "There is no such category"
    remedy = "Use a name or an id from /v1/categories."


class UnknownCatalogue(LookalikeError):
    slug, status, title = "unknown-catalogue", 404, "There is no such catalogue"
    remedy = "Use a name from /v1/catalogues."


class UnknownModel(LookalikeError):
    slug, status, title = "unknown-model", 404, "There is no such model"
    remedy = "Use a model from /v1/stats."


class PageExpired(LookalikeError):
    slug, status, title = "page-expired", 410, "The page is no longer available"
    remedy = "Search again from the first page, without `engine`."


class CategoryElsewhere(LookalikeError):
    slug, status, title = "category-elsewhere", 421, "Another index node holds this category"


class Unauthorised(LookalikeError):
    slug, status, title = "unauthorised", 401, "A valid key is required"
    remedy = "Send a valid key: Authorization: Bearer …"


class Forbidden(LookalikeError):
    slug, status, title = "forbidden", 403, "The key does not allow this"
    remedy = "Use a key whose scopes, catalogues and origins allow the call."


class UnknownHost(LookalikeError):
    slug, status, title = "unknown-host", 400, "This host name is not served here"
    remedy = "Use a host name of GATEWAY_ALLOWED_HOSTS, or add this one."


class TooManyRequests(LookalikeError):
    """`limit`: which limit was reached, for metrics and logs; `retry_after_s`: the seconds to wait; default: 1."""

    slug, status, title = "too-many-requests", 429, "Too many requests"
    remedy = "Wait for the seconds in Retry-After."
    retry_after_s = 1

    def __init__(self, detail: str, retry_after_s: int = 1, *, limit: Limit | None = None) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s
        self.inside = {} if limit is None else {"limit": limit}


class IndexNotReady(LookalikeError):
    slug, status, title = "index-not-ready", 503, "The index is not ready"
    remedy = "Wait for the seconds in Retry-After, and try again."
    retry_after_s = 2


class EmbeddingUnavailable(LookalikeError):
    slug, status, title = "embedding-unavailable", 503, "The embedding network is not available"
    remedy = "Wait for the seconds in Retry-After, and try again."
    retry_after_s = 2


class DetectorUnavailable(LookalikeError):
    slug, status, title = "detector-unavailable", 503, "Garment detection is not available"
    remedy = "Install a detector; all other calls work without one."
    retry_after_s = 5


class CatalogueUnavailable(LookalikeError):
    """`address`: the hosts of the database, for the log."""

    slug, status, title = "catalogue-unavailable", 503, "The catalogue's database is not available"
    remedy = "Wait for the seconds in Retry-After, and try again; searches go on without the database."
    retry_after_s = 5

    def __init__(self, detail: str, address: str | None = None) -> None:
        super().__init__(detail)
        self.inside = {} if address is None else {"database": address}


class EventsOff(LookalikeError):
    slug, status, title = "events-off", 409, "The installation keeps no events"
    remedy = "Set GATEWAY_EVENTS_ENABLED=true, after the page on events and consent (docs/events.md)."


class ModelIndexMismatch(LookalikeError):
    slug, status, title = "model-index-mismatch", 503, "The query and the index come from different models"
    remedy = "Wait for the seconds in Retry-After, and try again."
    retry_after_s = 2


class UpstreamTimeout(LookalikeError):
    slug, status, title = "upstream-timeout", 504, "A service did not respond in time"
    remedy = "Wait for the seconds in Retry-After, and try again."
    retry_after_s = 1


class DimensionMismatch(InvalidRequest):
    """A vector's dimension is not the model's."""


def _concrete(cls: type[LookalikeError]) -> list[type[LookalikeError]]:
    return [cls, *(c for sub in cls.__subclasses__() for c in _concrete(sub))]


def error_types() -> dict[str, type[LookalikeError]]:
    """Return the error class of each problem slug: the base class if several classes share the slug."""
    types: dict[str, type[LookalikeError]] = {}
    for cls in _concrete(LookalikeError):
        types.setdefault(cls.slug, cls)
    return types


def validation_message(item: Mapping[str, Any], model: object = None) -> str:
    """Return the message of a pydantic error in plain words.

    Args:
        item: the error.
        model: the type that was validated; it says which values a missing field may have, and which fields there are.
    """
    kind = item.get("type")
    if kind == "missing":
        values = choices(model, item["loc"])
        return f"it is missing; give {', '.join(values[:-1])} or {values[-1]}" if len(values) > 1 else "it is missing"
    if kind in UNKNOWN_FIELD:
        *place, name = item["loc"]
        names = field_names(model, place)
        return unknown_name(str(name), names) if names else "there is no such field"
    text = SENTENCES.get(str(kind)) or str(item["msg"]).removeprefix("Value error, ")
    return re.sub(r"^Input should be\b", "it has to be", text)
