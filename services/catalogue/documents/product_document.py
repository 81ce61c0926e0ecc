"""Product ↔ MongoDB document: the form that Lookalike writes, and the older forms that it goes on reading.

Written (schema 2): `{_id: key, id: key, schema: 2, Category, vector: <float32 vector binary>, model, url, title,
attributes, group, category_source, images, image_sha256, embeddings, feed_sha256, updated_at, created_at,
revision}`. `vector` is the main image's by `model`; for `images` see `images.py`, for `embeddings` see `embeddings.py`.
`image_sha256` repeats the main image's hash: updates are made on condition of it, and the stand-in for MongoDB cannot
look into a list. `revision` is another text after each write; the stand-in compares times too coarsely for that.
Before schema 2: `image_url` and `image_sha256` are the main image, `prediction` is that of the document's own model.
Legacy documents, which Lookalike did not write: `{_id: ObjectId, id, Category, vector: [64 numbers]}`; `id` is a
string or a number, or missing.
"""

import contextlib
import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal, cast, get_args

from bson.objectid import ObjectId

from services.catalogue.documents.embeddings import FIELD as EMBEDDINGS
from services.catalogue.documents.embeddings import entry_name, read_embeddings, read_prediction, stored_embeddings
from services.catalogue.documents.images import SCHEMA, read_images, stored_images
from services.catalogue.documents.names import shown_name, stored_name
from services.catalogue.documents.vectors import read_vector, stored_vector
from services.catalogue.product import (
    MAX_KEY_LENGTH,
    Attributes,
    Prediction,
    Product,
    ProductEmbedding,
    unit_vector,
)
from services.contracts.domain.filtering.filters import AttributeValue

Document = dict[str, Any]
CategorySource = Literal["feed", "mapping", "network", "unknown"]
# Documents with this prefix in their `_id` are the index's own notes in the change stream, not products.
MARKER_PREFIX = "~sync/"


# Fields of documents before schema 2 that the images and embeddings have taken the place of.
FORMER_FIELDS = ("image_url", "prediction")
CREATED_AT = "created_at"  # a later write leaves it as it is


class BrokenDocument(ValueError):
    """A document that is no product. `document_id` is its `_id` as text, `reason` says why."""

    def __init__(self, document_id: str, reason: str) -> None:
        super().__init__(f"document {document_id}: {reason}")
        self.document_id = document_id
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Record:
    """A product with the `_id` (as text) of its document; the two differ in legacy documents.

    `faults` say which additional images in the document cannot be used, and why: the product does without them.
    """

    document_id: str
    product: Product
    faults: tuple[str, ...] = ()


def to_document(product: Product) -> Document:
    """Return the document of a product. All fields are present, so that setting them all replaces an older state.
    Embeddings of models that the product does not have are to be left as they are.

    Raises:
        ValueError: the key is empty, too long or reserved, or there are too many images; InvalidVector where a vector
            has no direction.
    """
    return {
        "_id": checked_key(product.key),
        "id": product.key,
        "schema": SCHEMA,
        "Category": int(product.category),
        "vector": stored_vector(product.vector),
        "model": product.model,
        "url": product.url,
        "title": product.title,
        "attributes": {stored_name(name): value for name, value in _attributes(product.attributes).items()},
        "group": product.group,
        "category_source": product.category_source,
        "images": stored_images(product.images),
        "image_sha256": product.images[0].sha256,
        EMBEDDINGS: stored_embeddings(product.embeddings, product.model),
        "feed_sha256": product.feed_sha256,
        "updated_at": product.updated_at or datetime.now(UTC),
        CREATED_AT: product.created_at,
        "revision": secrets.token_hex(8),
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
    """Read a document of any form; vectors come back at unit length.

    Args:
        document: as the database returns it.
        dimension: the length that the vector must have; None for any.

    Raises:
        BrokenDocument: no usable key, category or vector.
    """
    document_id = str(document.get("_id"))
    try:
        own = read_images(document, unit_vector(read_vector(document.get("vector")), dimension))
        model = _text(document.get("model"))
        embedding = ProductEmbedding(own.vectors, _own_prediction(document))
        product = Product(
            key=_key(document),
            category=_category(document.get("Category")),
            embeddings={**read_embeddings(document.get(EMBEDDINGS), without=model), model: embedding},
            model=model,
            images=own.images,
            url=_text(document.get("url")),
            title=_text(document.get("title")),
            attributes={shown_name(name): value for name, value in _attributes(document.get("attributes")).items()},
            group=_text(document.get("group")),
            category_source=_category_source(document.get("category_source")),
            feed_sha256=_text(document.get("feed_sha256")),
            updated_at=_time(document.get("updated_at")),
            created_at=_time(document.get(CREATED_AT)),
        )
    except ValueError as error:
        raise BrokenDocument(document_id, str(error)) from None
    return Record(document_id, product, own.faults)


def _own_prediction(document: Mapping[str, Any]) -> Prediction | None:
    """Return the prediction of the document's own model."""
    if document.get("schema") is None:
        return read_prediction(document.get("prediction"))
    embeddings = document.get(EMBEDDINGS)
    own = embeddings.get(entry_name(_text(document.get("model")))) if isinstance(embeddings, Mapping) else None
    return read_prediction(own.get("prediction")) if isinstance(own, Mapping) else None


def read_document(document: Mapping[str, Any]) -> Record | BrokenDocument:
    """Return the record of a document, or the error if it is broken."""
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
    """Return the forms in which a legacy document may hold a key as `id`: as text, and as a number where it is one."""
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
