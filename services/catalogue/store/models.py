"""The models of a catalogue: their note, products without a model's vectors, and writing and removing vectors."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import bson
from bson.raw_bson import RawBSONDocument
from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError

from services.catalogue.documents.embeddings import FIELD as EMBEDDINGS
from services.catalogue.documents.embeddings import entry_name, read_embedding, stored_embedding
from services.catalogue.documents.images import listed_images, read_images
from services.catalogue.documents.product_document import (
    FORMER_FIELDS,
    BrokenDocument,
    Document,
    Record,
    read_document,
    to_document,
)
from services.catalogue.documents.vectors import read_vector
from services.catalogue.product import InvalidVector, Product, ProductEmbedding, ProductImage, unit_vector
from services.catalogue.store.markers import is_marker
from services.catalogue.store.model_note import ModelNote
from services.catalogue.store.mongo.connection import Connection
from services.catalogue.store.mongo.driver import Collection
from services.catalogue.store.notes import NOTES
from services.catalogue.store.products import ProductCollection

MODELS = "models"
# The fields with a document's vectors. The vectors are read too: the stand-in for MongoDB cannot leave out inner
# fields.
VECTOR_FIELDS = {
    "schema": 1,
    "model": 1,
    "image_url": 1,
    "image_sha256": 1,
    "vector": 1,
    "images": 1,
    EMBEDDINGS: 1,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A document with its `_id` as the database has it."""

    document_id: Any
    content: Record | BrokenDocument


@dataclass(frozen=True, slots=True)
class Retired:
    """The result of a retirement: numbers of documents read, changed, and left without a vector of the active model."""

    documents: int
    changed: int
    unseen: int


class CatalogueModels:
    """The note of the models, which all catalogues share, and the vectors of one catalogue's products."""

    def __init__(self, connection: Connection, products: ProductCollection) -> None:
        self._connection = connection
        self._products = products

    @property
    def _notes(self) -> Collection:
        """The collection of the default catalogue: the note is about all of them."""
        return self._connection.collection(NOTES)

    @property
    def _documents(self) -> Collection:
        return self._products.collection

    async def note(self) -> ModelNote:
        """Return the note of the models; an empty one if there is none."""
        async with self._connection.call():
            note = await self._notes.find_one({"_id": MODELS}) or {}
        return ModelNote(*(note.get(name) for name in ("active", "candidate", "previous")))

    async def replace_note(self, old: ModelNote, new: ModelNote) -> bool:
        """Replace the note that was read.

        Returns False if it has changed since: no change of another process is lost.
        """
        changed = {**asdict(new), "changed_at": datetime.now(UTC).isoformat()}
        async with self._connection.call():
            try:
                result = await self._notes.update_one(
                    {"_id": MODELS, **asdict(old)}, {"$set": changed}, upsert=old == ModelNote()
                )
            except DuplicateKeyError:  # there is a note by now
                return False
        return bool(result.matched_count or result.upserted_id)

    async def written_with(self, expected: str, unversioned: str | None) -> str | None:
        """Return the model that most products' own vectors are of; None without products, or if it is not known.

        Args:
            expected: the probable model. If the first document is of it, the others are not counted.
            unversioned: the model of documents that do not name one; None if it is not known.
        """
        products = {"vector": {"$exists": True}}
        async with self._connection.call():
            document = await self._documents.find_one(products, {"model": 1})
            if document is None or document.get("model") == expected:
                return None if document is None else expected
            stages: list[Document] = [{"$match": products}, {"$group": {"_id": "$model", "count": {"$sum": 1}}}]
            groups = await self._connection.aggregate(self._documents, stages)
        counts: Counter[str | None] = Counter()
        for group in groups:
            counts[group["_id"] or unversioned] += group["count"]
        return counts.most_common(1)[0][0] if counts else None

    async def missing_vectors(
        self, model: str, dimension: int, unversioned: str, batch: int = 1000
    ) -> AsyncIterator[list[Any]]:
        """Yield the `_id`s, as the database has them, of documents without a model's vectors, some at a time.

        Args:
            model: the model.
            dimension: the length of its vectors.
            unversioned: the model of documents that do not name one.
            batch: documents read at a time.
        """
        async for documents in self._products.batches(VECTOR_FIELDS, batch):
            products = [document for document in documents if not is_marker(document)]
            yield [
                document["_id"] for document in products if not _has_vectors(document, model, dimension, unversioned)
            ]

    async def entries(self, document_ids: Sequence[Any]) -> list[Entry]:
        """Return the documents of these `_id`s; deleted ones are missing."""
        async with self._connection.call():
            documents = await self._documents.find({"_id": {"$in": list(document_ids)}}).to_list(length=None)
        return [Entry(document["_id"], read_document(document)) for document in documents]

    async def put_embeddings(self, model: str, embeddings: Sequence[tuple[Any, ProductEmbedding]]) -> int:
        """Write a model's embeddings into documents, each by the document's `_id`.

        A product that has another main image by now, or whose own model this is, stays as it is. Returns the number of
        documents that were updated.
        """
        operations = [
            UpdateOne(
                {"_id": document_id, "image_sha256": embedding.images[0].sha256, "model": {"$nin": [model]}},
                _setting({_field(model): stored_embedding(embedding)}),
            )
            for document_id, embedding in embeddings
        ]
        if not operations:
            return 0
        async with self._connection.call():
            result = await self._documents.bulk_write(operations, ordered=False)
        return int(result.matched_count)

    async def retire(self, model: str, serving: str, batch: int = 500) -> AsyncIterator[Retired]:
        """Remove a model's vectors from all documents, some at a time, and yield the counts.

        A document whose own model it is becomes one of `serving`, if that model has vectors of all its images.
        """
        async for documents in self._products.batches(None, batch):
            products = [document for document in documents if not is_marker(document)]
            steps = [_retirement(document, model, serving) for document in products]
            changes = [step for step in steps if isinstance(step, UpdateOne)]
            if changes:
                async with self._connection.call():
                    await self._documents.bulk_write(changes, ordered=False)
            yield Retired(len(products), len(changes), steps.count("unseen"))


def _field(model: str) -> str:
    return f"{EMBEDDINGS}.{entry_name(model)}"


def _setting(fields: Document) -> Document:
    """Return an update that sets fields; encoded here, once, so that the driver does not encode the vectors again."""
    return {"$set": RawBSONDocument(bson.encode(fields))}


def _retirement(document: Document, model: str, serving: str) -> UpdateOne | Literal["unseen"] | None:
    """Return the update that removes a model's vectors; None for a document that stays as it is, `unseen` for one
    without vectors of `serving`.
    """
    embeddings = document.get(EMBEDDINGS)
    if document.get("model") != model:
        has_entry = isinstance(embeddings, Mapping) and entry_name(model) in embeddings
        return UpdateOne({"_id": document["_id"]}, {"$unset": {_field(model): ""}}) if has_entry else None
    record = read_document(document)
    product = record.product.embedded_by(serving) if isinstance(record, Record) else None
    if product is None:
        return "unseen"
    if not isinstance(record, Record) or len(product.images) < len(record.product.images):
        return None
    return _as_of(serving, model, document, product)


def _as_of(serving: str, retired: str, document: Document, product: Product) -> UpdateOne:
    """Return the update that makes `serving` a document's own model, unless the document changes meanwhile."""
    stored = to_document(product)
    unchanged = {name: document.get(name) for name in ("_id", "model", "image_sha256", "category_source")}
    fields = {name: stored[name] for name in ("schema", "vector", "model", "Category", "images", "image_sha256")}
    fields[_field(serving)] = stored[EMBEDDINGS][entry_name(serving)]
    removed = (_field(retired), *FORMER_FIELDS)
    return UpdateOne(unchanged, {**_setting(fields), "$unset": dict.fromkeys(removed, "")})


def _has_vectors(document: Mapping[str, Any], model: str, dimension: int, unversioned: str) -> bool:
    if (document.get("model") or unversioned) == model:
        return True
    entries = document.get(EMBEDDINGS)
    embedding = read_embedding(entries.get(entry_name(model))) if isinstance(entries, Mapping) else None
    main, *others = listed_images(document)
    if embedding is None or len(embedding.images[0].vector) != dimension or not embedding.is_of(main):
        return False
    hashes = {image.sha256 for image in _usable(document, others) if image.sha256 is not None}
    return {image.sha256 for image in embedding.images} >= hashes


def _usable(document: Mapping[str, Any], images: Sequence[ProductImage]) -> Sequence[ProductImage]:
    """Return those of a document's additional images that have a vector of its own model."""
    if not images:
        return images
    try:
        return read_images(document, unit_vector(read_vector(document.get("vector")))).images[1:]
    except InvalidVector:
        return ()
