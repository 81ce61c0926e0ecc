"""What a change of models needs of the database: the note of the models, products without a vector, vectors put beside."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import bson
from bson.raw_bson import RawBSONDocument
from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError

from services.catalogue.documents.embeddings import FIELD, read_embeddings, stored_embedding
from services.catalogue.documents.images import read_images
from services.catalogue.documents.product_document import (
    BrokenDocument,
    Document,
    Record,
    read_document,
    to_document,
)
from services.catalogue.documents.vectors import read_vector
from services.catalogue.product import Embedded, InvalidVector
from services.catalogue.store.connection import Collection, Connection
from services.catalogue.store.markers import is_marker
from services.catalogue.store.model_note import ModelNote
from services.catalogue.store.notes import NOTES
from services.catalogue.store.products import ProductCollection

MODELS = "models"
# What tells which vectors a document has. All of them come along: the stand-in for MongoDB cannot leave out inner fields.
VECTOR_FIELDS = {"model": 1, "image_sha256": 1, "vector": 1, "images": 1, FIELD: 1}


@dataclass(frozen=True, slots=True)
class Entry:
    """A document that is to get a vector: its `_id` as the database has it, and what is in it."""

    document_id: Any
    found: Record | BrokenDocument


@dataclass(frozen=True, slots=True)
class Retired:
    """What became of some documents: how many there were, how many were changed, how many have no vector that serves."""

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
        """Return the note of the models; an empty one when there is none."""
        async with self._connection.call():
            found = await self._notes.find_one({"_id": MODELS}) or {}
        return ModelNote(*(found.get(name) for name in ("active", "candidate", "previous")))

    async def replace_note(self, old: ModelNote, new: ModelNote) -> bool:
        """Put a note in the place of the one that was read. Returns whether it was still there: nobody's change is lost."""
        changed = {**asdict(new), "changed_at": datetime.now(UTC).isoformat()}
        async with self._connection.call():
            try:
                done = await self._notes.update_one(
                    {"_id": MODELS, **asdict(old)}, {"$set": changed}, upsert=old == ModelNote()
                )
            except DuplicateKeyError:  # there is a note after all
                return False
        return bool(done.matched_count or done.upserted_id)

    async def written_with(self, expected: str, unversioned: str | None) -> str | None:
        """Return the model that most products' own vectors are of; None where there are no products, or nobody can say.

        Args:
            expected: what the answer probably is. Where the first document agrees the others are not counted.
            unversioned: the model of documents that name none; None where it is not known.
        """
        products = {"vector": {"$exists": True}}
        async with self._connection.call():
            one = await self._documents.find_one(products, {"model": 1})
            if one is None or one.get("model") == expected:
                return None if one is None else expected
            groups = [{"$match": products}, {"$group": {"_id": "$model", "count": {"$sum": 1}}}]
            found = await self._documents.aggregate(groups).to_list(length=None)
        counts: Counter[str | None] = Counter()
        for group in found:
            counts[group["_id"] or unversioned] += group["count"]
        return counts.most_common(1)[0][0] if counts else None

    async def missing_vectors(
        self, model: str, dimension: int, unversioned: str, batch: int = 1000
    ) -> AsyncIterator[list[Any]]:
        """Yield the `_id`s, as the database has them, of documents without a model's vectors, some at a time.

        Args:
            model: whose vectors.
            dimension: how many numbers they have.
            unversioned: the model of documents that name none.
            batch: documents read at a time.
        """
        async for documents in self._products.batches(VECTOR_FIELDS, batch):
            found = [one for one in documents if not is_marker(one)]
            yield [one["_id"] for one in found if not _has_vectors(one, model, dimension, unversioned)]

    async def entries(self, document_ids: Sequence[Any]) -> list[Entry]:
        """Return the documents of these `_id`s; those that are gone are missing in the answer."""
        async with self._connection.call():
            found = await self._documents.find({"_id": {"$in": list(document_ids)}}).to_list(length=None)
        return [Entry(one["_id"], read_document(one)) for one in found]

    async def put_embeddings(self, model: str, seen: Sequence[tuple[Any, Embedded]]) -> int:
        """Put a model's vectors beside those that documents have, each by the document's `_id`.

        A product whose main image is another by now keeps what it has. Returns how many documents took them.
        """
        name = f"{FIELD}.{model}"
        operations = [
            UpdateOne({"_id": document_id, "image_sha256": one.image_sha256}, _setting({name: stored_embedding(one)}))
            for document_id, one in seen
        ]
        if not operations:
            return 0
        async with self._connection.call():
            done = await self._documents.bulk_write(operations, ordered=False)
        return int(done.matched_count)

    async def retire(self, model: str, serving: str, batch: int = 500) -> AsyncIterator[Retired]:
        """Take a model's vectors out of all documents, some at a time, and yield what became of them.

        Where they are a document's own, those of `serving` take their place, if it has them of all its images.
        """
        async for documents in self._products.batches(None, batch):
            found = [one for one in documents if not is_marker(one)]
            done = [_retired(one, model, serving) for one in found]
            changes = [change for change in done if isinstance(change, UpdateOne)]
            if changes:
                async with self._connection.call():
                    await self._documents.bulk_write(changes, ordered=False)
            yield Retired(len(found), len(changes), done.count("unseen"))


def _setting(fields: Document) -> Document:
    """Return an update that sets fields; encoded here, once, so that the driver does not encode the vectors again."""
    return {"$set": RawBSONDocument(bson.encode(fields))}


def _retired(document: Document, model: str, serving: str) -> UpdateOne | Literal["unseen"] | None:
    """Return how a document is rid of a model's vectors; None where it stays, `unseen` where it has no others."""
    beside = document.get(FIELD)
    if document.get("model") != model:
        has = isinstance(beside, Mapping) and model in beside
        return UpdateOne({"_id": document["_id"]}, {"$unset": {f"{FIELD}.{model}": ""}}) if has else None
    record = read_document(document)
    seen = record.product.seen_by(serving) if isinstance(record, Record) else None
    if seen is None:
        return "unseen"
    if not isinstance(record, Record) or len(seen.images) < len(record.product.images):
        return None
    whole = to_document(seen)
    as_it_was = {name: document.get(name) for name in ("_id", "model", "image_sha256", "category_source")}
    fields = {name: whole[name] for name in ("vector", "model", "Category", "prediction", "images")}
    return UpdateOne(as_it_was, {**_setting(fields), "$unset": {f"{FIELD}.{serving}": ""}})


def _has_vectors(document: Mapping[str, Any], model: str, dimension: int, unversioned: str) -> bool:
    if (document.get("model") or unversioned) == model:
        return True
    beside = document.get(FIELD)
    seen = read_embeddings({model: beside.get(model)}).get(model) if isinstance(beside, Mapping) else None
    if seen is None or len(seen.vector) != dimension or seen.image_sha256 != document.get("image_sha256"):
        return False
    return seen.images.keys() >= _hashes(document)


def _hashes(document: Mapping[str, Any]) -> set[str]:
    """Return the hashes of the further images that a document has vectors of."""
    try:
        images, _ = read_images(document.get("images"), len(read_vector(document.get("vector"))))
    except InvalidVector:
        return set()
    return {image.sha256 for image in images if image.sha256 is not None}
