"""Product ↔ MongoDB document: the form that Lookalike writes, and the older one it goes on reading.

Lookalike's: `{_id: key, id: key, Category, vector: <float32 vector binary>, model, url, …}`. Further images are in `images` (see
`further_images.py`), vectors of a further model, while there is one, in `embeddings`, by the model's name (see `embeddings.py`).
The older: `{_id: ObjectId, id, Category, vector: [64 numbers]}`; `id` a string or a number, or missing.
"""

import contextlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Literal, cast, get_args
from urllib.parse import unquote

from bson.objectid import ObjectId

from services.catalogue.documents.embeddings import read_embeddings, read_prediction, stored_embeddings
from services.catalogue.documents.images import read_images, stored_images
from services.catalogue.documents.vectors import read_vector, stored_vector
from services.catalogue.product import (
    MAX_KEY_LENGTH,
    Attributes,
    Product,
    unit_vector,
)
from services.contracts.domain.filters import AttributeValue

Document = dict[str, Any]
CategorySource = Literal["feed", "mapping", "network", "unknown"]
# Documents with this prefix in their `_id` are the index's own notes in the change stream, not products.
MARKER_PREFIX = "~sync/"
NAMES_KEPT = 4096  # names of attributes, in the forms that they have here and there


class BrokenDocument(ValueError):
    """A document that is no product. `document_id` is its `_id` as text, `reason` what is wrong with it."""

    def __init__(self, document_id: str, reason: str) -> None:
        super().__init__(f"document {document_id}: {reason}")
        self.document_id = document_id
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Record:
    """A product with the `_id` (as text) of the document it stands in; the two differ in documents of the older form.

    `faults` say which of the further images in the document cannot be used, and why: the product does without them.
    """

    document_id: str
    product: Product
    faults: tuple[str, ...] = ()

    @property
    def is_old_form(self) -> bool:
        """Whether Lookalike did not write the document: its `_id` is not the product's key."""
        return self.document_id != self.product.key


def to_document(product: Product) -> Document:
    """Return the document of a product. Every field is always there, so that setting them all replaces an older state;
    but for the vectors of further models, which say themselves whether they still belong to the product.

    Raises:
        ValueError: the key is empty, too long or reserved, there are too many images; InvalidVector where a vector has
            no direction.
    """
    return {
        "_id": checked_key(product.key),
        "id": product.key,
        "Category": int(product.category),
        "vector": stored_vector(product.vector),
        "model": product.model,
        "url": product.url,
        "image_url": product.image_url,
        "title": product.title,
        "attributes": {_stored_name(name): value for name, value in _attributes(product.attributes).items()},
        "category_source": product.category_source,
        "prediction": None
        if product.prediction is None
        else {"category": product.prediction.category, "probability": product.prediction.probability},
        "image_sha256": product.image_sha256,
        "feed_sha256": product.feed_sha256,
        "updated_at": product.updated_at or datetime.now(UTC),
        **({"embeddings": stored_embeddings(product.embeddings)} if product.embeddings else {}),
        "images": stored_images(product.images),
    }


def checked_key(key: str) -> str:
    """Return the key.

    Raises:
        ValueError: it is empty, longer than 256 characters, holds a NUL, or starts with the index's own prefix.
    """
    if not 0 < len(key) <= MAX_KEY_LENGTH:
        raise ValueError(f"a product's id has 1 to {MAX_KEY_LENGTH} characters, this one {len(key)}")
    if "\0" in key or key.startswith(MARKER_PREFIX):
        raise ValueError(f"a product's id may not hold a NUL character or start with {MARKER_PREFIX!r}")
    return key


def from_document(document: Mapping[str, Any], dimension: int | None = None) -> Record:
    """Read a document of either form; the vector comes back at unit length.

    Args:
        document: as the database gives it.
        dimension: the length that the vector has to have; any when None.

    Raises:
        BrokenDocument: no usable key, category or vector.
    """
    document_id = str(document.get("_id"))
    try:
        vector = unit_vector(read_vector(document.get("vector")), dimension)
        images, faults = read_images(document.get("images"), len(vector))
        product = Product(
            key=_key(document),
            category=_category(document.get("Category")),
            vector=vector,
            model=_text(document.get("model")),
            url=_text(document.get("url")),
            image_url=_text(document.get("image_url")),
            title=_text(document.get("title")),
            attributes={_shown_name(name): value for name, value in _attributes(document.get("attributes")).items()},
            category_source=_category_source(document.get("category_source")),
            prediction=read_prediction(document.get("prediction")),
            image_sha256=_text(document.get("image_sha256")),
            feed_sha256=_text(document.get("feed_sha256")),
            updated_at=_time(document.get("updated_at")),
            embeddings=read_embeddings(document.get("embeddings")),
            images=images,
        )
    except ValueError as error:
        raise BrokenDocument(document_id, str(error)) from None
    return Record(document_id, product, faults)


def read_document(document: Mapping[str, Any]) -> Record | BrokenDocument:
    """Return the product in a document, or what is wrong with it."""
    try:
        return from_document(document)
    except BrokenDocument as error:
        return error


def _key(document: Mapping[str, Any]) -> str:
    value = document.get("id")
    if value is None:
        value = document.get("_id")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, (bool, dict, list, float)) or value is None:
        raise ValueError(f"the id is {value!r}, neither text nor a whole number")
    return checked_key(str(value))


def key_variants(key: str) -> list[str | int]:
    """Return the forms in which an older document may hold a key as `id`: as text, and as a number where it is one."""
    is_number = key.isascii() and key.isdigit() and str(int(key)) == key and int(key) < 2**63
    return [key, int(key)] if is_number else [key]


def id_variants(document_id: str) -> list[Any]:
    """Return what the `_id` of a document may be that is this as text."""
    objects: list[Any] = [ObjectId(document_id)] if ObjectId.is_valid(document_id) else []
    return [*key_variants(document_id), *objects]


def _category(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("Category is missing" if value is None else f"Category is {value!r}, not a category's id")
    return int(value)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _time(value: Any) -> datetime | None:
    if isinstance(value, str):  # what the stand-in for MongoDB makes of a date that replaces another
        with contextlib.suppress(ValueError):
            value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _category_source(value: Any) -> CategorySource:
    return cast(CategorySource, value) if value in get_args(CategorySource) else "unknown"


@lru_cache(NAMES_KEPT)
def _stored_name(name: str) -> str:
    """Return an attribute's name as MongoDB takes it in every place: no dot, no NUL, no dollar in front."""
    escaped = name.replace("%", "%25").replace(".", "%2E").replace("\0", "%00")
    return "%24" + escaped[1:] if escaped.startswith("$") else escaped


_shown_name = lru_cache(NAMES_KEPT)(unquote)


def _attributes(value: Any) -> Attributes:
    """Return what can be shown and filtered by: texts, numbers, booleans and lists of them; the rest is left out."""
    if not isinstance(value, Mapping):
        return {}
    kept: dict[str, AttributeValue | list[AttributeValue]] = {}
    for name, item in value.items():
        if isinstance(item, (list, tuple)):
            kept[str(name)] = [scalar for scalar in map(_scalar, item) if scalar is not None]
        elif (scalar := _scalar(item)) is not None:
            kept[str(name)] = scalar
    return kept


def _scalar(value: Any) -> AttributeValue | None:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value) if -(2**63) <= value < 2**63 else float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime | date):
        return value.isoformat()
    return None
