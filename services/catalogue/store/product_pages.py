"""The products of a catalogue in the order of their documents' `_id`s, page by page.

A page begins after the last `_id` of the page before it, so the list is stable while products are written: a product
that exists from the first page to the last is listed once. MongoDB compares `_id`s of one type only, so the types
follow each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bson.objectid import ObjectId
from pymongo import ASCENDING

from services.catalogue.documents.product_document import Document, Record, read_document
from services.catalogue.product import Product
from services.catalogue.store.legacy_documents import legacy_filter
from services.catalogue.store.markers import is_marker
from services.catalogue.store.mongo.driver import Collection
from services.catalogue.threads import to_the_end

Kind = Literal["text", "object", "number"]
# Text last: a product that gets its key as `_id` during the list may come twice, but is not missed.
KINDS: tuple[Kind, ...] = ("object", "number", "text")
_LEAST: dict[Kind, Any] = {"text": "", "object": ObjectId("0" * 24), "number": float("-inf")}


@dataclass(frozen=True)
class ListPosition:
    """A place between two documents: after the `_id` `last`, which is of this type; None before the first one."""

    kind: Kind = "object"
    last: str | int | float | None = None

    @property
    def condition(self) -> Document:
        """The condition on `_id` of the documents of this type after the place.

        Raises:
            ValueError: `last` is not of this type.
        """
        if self.last is None:
            return {"$gte": _LEAST[self.kind]}
        if self.kind == "object":
            if not ObjectId.is_valid(str(self.last)):
                raise ValueError(f"{self.last!r} is not an ObjectId")
            return {"$gt": ObjectId(str(self.last))}
        if isinstance(self.last, str) != (self.kind == "text"):
            raise ValueError(f"{self.last!r} is not of the type {self.kind}")
        return {"$gt": self.last}

    def next_kind(self) -> "ListPosition | None":
        """Return the place before the documents of the next type; None after the last type."""
        following = KINDS[KINDS.index(self.kind) + 1 :]
        return ListPosition(following[0]) if following else None

    def after(self, document_id: Any) -> "ListPosition":
        """Return the place after a document of this type."""
        return ListPosition(self.kind, str(document_id) if self.kind == "object" else document_id)


@dataclass(frozen=True)
class ProductPage:
    """Products, each with the place after it, and the place where the next page begins; None after the last page."""

    products: tuple[tuple[Product, ListPosition], ...]
    following: ListPosition | None


async def read_page(products: Collection, position: ListPosition, limit: int) -> ProductPage:
    """Return the products of the next documents after a place; fewer than `limit` if some are not products.

    Args:
        products: the collection.
        position: the place.
        limit: the number of documents to read.

    Raises:
        ValueError: the place is not valid.
    """
    cursor = products.find({"_id": position.condition}).sort("_id", ASCENDING).limit(limit)
    documents = await cursor.to_list(length=None)
    following = position.next_kind() if len(documents) < limit else position.after(documents[-1]["_id"])
    read = await to_the_end(_read, [document for document in documents if not is_marker(document)])
    outranked = await outranked_documents(products, [record for _, record in read])
    listed = [
        (record.product, position.after(document_id))
        for document_id, record in read
        if record.document_id not in outranked
    ]
    return ProductPage(tuple(listed), following)


def _read(documents: Sequence[Document]) -> list[tuple[Any, Record]]:
    """Return the records of documents that are products, with their `_id`s."""
    pairs = [(document["_id"], read_document(document)) for document in documents]
    return [(document_id, record) for document_id, record in pairs if isinstance(record, Record)]


async def outranked_documents(products: Collection, records: Sequence[Record]) -> set[str]:
    """Return the ids of the documents that another document of the same product takes the place of.

    As in the index: the document whose `_id` is the product's key counts; of others, the one with the greatest `_id`.
    """
    legacy = [record for record in records if record.document_id != record.product.key]
    if not legacy:
        return set()
    keys = sorted({record.product.key for record in legacy})
    own = await products.find({"_id": {"$in": keys}, "id": {"$in": [*keys, None]}}, {"_id": 1}).to_list(length=None)
    rivals = await products.find(legacy_filter(keys), {"_id": 1, "id": 1}).to_list(length=None)
    best: dict[str, str] = {}
    for rival in rivals:
        document_id = str(rival["_id"])
        key = document_id if rival.get("id") is None else str(rival["id"])
        best[key] = max(best.get(key, ""), document_id)
    owned = {str(document["_id"]) for document in own}
    return {
        record.document_id
        for record in legacy
        if record.product.key in owned or best.get(record.product.key, record.document_id) != record.document_id
    }
