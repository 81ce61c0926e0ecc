"""The product documents of a catalogue: single ones, all of them, and their changes."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Any

import pymongo
import structlog
from pymongo import ReadPreference
from pymongo.errors import DuplicateKeyError

from services.catalogue.documents.embeddings import FIELD as EMBEDDINGS
from services.catalogue.documents.fingerprint import FINGERPRINT_FIELDS, Fingerprint, read_fingerprint
from services.catalogue.documents.names import stored_name
from services.catalogue.documents.product_document import (
    CREATED_AT,
    FORMER_FIELDS,
    BrokenDocument,
    Document,
    Record,
    read_document,
    to_document,
)
from services.catalogue.product import Product
from services.catalogue.store.change_feed import ChangeFeed, Token, is_of_router
from services.catalogue.store.http_cache import HttpCache
from services.catalogue.store.legacy_documents import LegacyDocuments, legacy_filter
from services.catalogue.store.markers import delete_markers, is_abandoned, is_marker, write_marker
from services.catalogue.store.mongo.bulk_write import PutReport, Refused, update_unchanged, upsert
from services.catalogue.store.mongo.connection import Connection
from services.catalogue.store.mongo.driver import Collection
from services.catalogue.store.notes import IDENTITY, NOTES
from services.catalogue.store.pictures import PictureCollection
from services.catalogue.store.product_pages import ListPosition, ProductPage, outranked_documents, read_page
from services.contracts.domain.catalogues import within
from services.contracts.domain.errors import CatalogueUnavailable

PRODUCTS = "products"
KEPT = (CREATED_AT,)
log = structlog.get_logger()


class ProductCollection:
    """The products of one catalogue. A product's pictures and cache entries are removed with it."""

    def __init__(
        self, connection: Connection, catalogue: str, pictures: PictureCollection, http_cache: HttpCache
    ) -> None:
        self._connection = connection
        self._catalogue = catalogue
        self._pictures = pictures
        self._http_cache = http_cache
        self._legacy = LegacyDocuments()
        self._indexed = False

    @property
    def collection(self) -> Collection:
        """The collection."""
        return self._connection.collection(within(PRODUCTS, self._catalogue))

    @property
    def _primary(self) -> Collection:
        """The collection on the primary: a secondary may be behind what the change stream has delivered."""
        return self.collection.with_options(read_preference=ReadPreference.PRIMARY)

    async def put(self, product: Product) -> None:
        """Write one product; an existing one with its key is replaced.

        Raises:
            ValueError: the product cannot be stored: its key, its vector, or its size.
        """
        report = await self.put_many([product])
        if report.failures:
            raise ValueError(report.failures[0].reason)

    async def put_many(self, products: Iterable[Product], *, probably_new: bool = False) -> PutReport:
        """Write products in bulk; existing ones with their keys are replaced. If a key occurs twice, the last one
        counts.

        A product that cannot be stored is reported and does not prevent the others from being written.

        Args:
            products: the products.
            probably_new: whether the keys are thought to be new, which saves the server work. The result is the same.
        """
        documents: dict[str, Document] = {}
        failures: list[Refused] = []
        for product in products:
            try:
                documents[product.key] = to_document(product)
            except ValueError as error:
                failures.append(Refused(product.key, str(error)))
        async with self._connection.call():
            report = await upsert(
                self.collection, documents, probably_new=probably_new, merged=EMBEDDINGS, unset=FORMER_FIELDS, kept=KEPT
            )
        if report.written:
            await self._ensure_indexes()
            await self._remove_legacy(list(documents.keys() - {failure.key for failure in report.failures}))
        return PutReport(report.written, (*failures, *report.failures))

    async def replace(self, product: Product, revision: str | None) -> bool:
        """Write a product unless it has changed or gone since it was read; return whether it was written.

        Args:
            product: the new state.
            revision: of the state that was read (`get_revision`).

        Raises:
            ValueError: as `put`.
        """
        document, read = to_document(product), {"revision": revision}
        async with self._connection.call():
            products = self.collection
            written = await update_unchanged(
                products, document, read, merged=EMBEDDINGS, unset=FORMER_FIELDS, kept=KEPT
            )
            is_legacy = not written and await products.find_one({"_id": product.key}, {"_id": 1}) is None
            is_legacy = is_legacy and await products.find_one(legacy_filter([product.key]), {"_id": 1}) is not None
        if is_legacy:
            await self.put(product)
        elif written:
            await self._remove_legacy([product.key])
        return written or is_legacy

    async def lacking(self, attributes: Iterable[str]) -> list[str]:
        """Return those of some attributes that no product has, in alphabetical order."""
        names = {name: "group" if name == "group" else f"attributes.{stored_name(name)}" for name in sorted(attributes)}
        async with self._connection.call():
            stored = {
                name: await self.collection.find_one({field: {"$exists": True, "$ne": None}}, {"_id": 1})
                for name, field in names.items()
            }
        return [name for name, document in stored.items() if document is None]

    async def get(self, key: str) -> Product | None:
        """Return the product of a key, or None if there is none or its document is broken."""
        return (await self.get_revision(key))[0]

    async def get_revision(self, key: str) -> tuple[Product | None, str | None]:
        """Return the product of a key, as `get`, and the revision of its document, which every write changes."""
        async with self._connection.call():
            products = self.collection
            document = await products.find_one({"_id": key}) or await products.find_one(legacy_filter([key]))
        if document is None or not isinstance(record := read_document(document), Record) or record.product.key != key:
            return None, None
        return record.product, document.get("revision")

    async def delete(self, key: str) -> bool:
        """Remove a product with its pictures. Returns whether there was one."""
        async with self._connection.call():
            # The stand-in for MongoDB takes a text of 24 hexadecimal digits for an ObjectId too: hence the `id`.
            own = {"_id": key, "id": {"$in": [key, None]}}
            deleted = int((await self.collection.delete_one(own)).deleted_count)
        await self._remove_traces([key])
        if not deleted:
            self._legacy.check_now()  # it can only be a legacy document
        return await self._remove_legacy([key]) + deleted > 0

    async def delete_many(self, keys: Sequence[str], *, written_before: datetime | None = None) -> int:
        """Remove products with their pictures. Returns how many documents were removed.

        Args:
            keys: the products' keys.
            written_before: products that were written since then stay.
        """
        own: Document = {"_id": {"$in": list(keys)}, "id": {"$in": [*keys, None]}}
        if written_before is not None:
            own["$or"] = [{"updated_at": {"$lt": written_before}}, {"updated_at": None}]
        async with self._connection.call():
            deleted = int((await self.collection.delete_many(own)).deleted_count)
            left = await self.collection.find({"_id": {"$in": list(keys)}}, {"_id": 1}).to_list(length=None)
        removed = sorted(set(keys) - {document["_id"] for document in left})
        await self._remove_traces(removed)
        if deleted < len(removed):
            self._legacy.check_now()  # the others can only be legacy documents
        return deleted + await self._remove_legacy(removed)

    async def fingerprints(self, keys: Sequence[str]) -> dict[str, Fingerprint]:
        """Return the fingerprints of products that Lookalike has written; unknown keys are missing."""
        async with self._connection.call():
            cursor = self.collection.find({"_id": {"$in": list(keys)}}, FINGERPRINT_FIELDS)
            documents = await cursor.to_list(length=None)
        return {str(document["_id"]): read_fingerprint(document) for document in documents}

    async def count(self) -> int:
        """Return the number of documents, from the collection's own counter."""
        async with self._connection.call():
            return int(await self.collection.estimated_document_count())

    async def keys(self, batch: int = 5000) -> AsyncIterator[list[str]]:
        """Yield the keys of all products, `batch` at a time; a key that two documents have comes twice."""
        async for documents in self.batches({"_id": 1, "id": 1}, batch):
            products = [document for document in documents if not is_marker(document)]
            yield [str(product["_id"] if product.get("id") is None else product["id"]) for product in products]

    async def scan(self, batch: int = 1000) -> AsyncGenerator[list[Record | BrokenDocument], None]:
        """Yield every document, `batch` at a time: its record, or the error if it is broken.

        A marker that is written first has to be among the documents: some servers that restart report the end of a
        cursor that they no longer know.

        Raises:
            CatalogueUnavailable: the database is unavailable, or the scan broke off before the end.
        """
        marker = await self.put_marker()
        markers = [marker]
        complete = False
        try:
            async for documents in self.batches(None, batch):
                passed = [document for document in documents if is_marker(document)]
                complete = complete or any(document["_id"] == marker for document in passed)
                markers += [document["_id"] for document in passed if is_abandoned(document)]
                yield await asyncio.to_thread(
                    _read_all, [document for document in documents if not is_marker(document)]
                )
        finally:
            with contextlib.suppress(CatalogueUnavailable):  # a later scan removes them
                await self.remove_markers(markers)
        if not complete:
            raise CatalogueUnavailable("the catalogue's database broke off during a scan", self._connection.address)

    async def page(self, position: ListPosition, limit: int) -> ProductPage:
        """Return the products of the next `limit` documents after a place in the list of all.

        Raises:
            ValueError: the place is not valid.
        """
        async with self._connection.scan_call():
            return await read_page(self._primary, position, limit)

    async def all(self, batch: int = 1000) -> AsyncIterator[list[Product]]:
        """Yield every product once, several at a time. Raises as `scan`."""
        async for documents in self.scan(batch):
            records = [document for document in documents if isinstance(document, Record)]
            async with self._connection.scan_call():
                outranked = await outranked_documents(self._primary, records)
            yield [record.product for record in records if record.document_id not in outranked]

    async def read(self, document_ids: Sequence[Any]) -> list[Record | BrokenDocument]:
        """Return the documents of these `_id`s as they are now; deleted ones are missing."""
        async with self._connection.call():
            documents = await self._primary.find({"_id": {"$in": list(document_ids)}}).to_list(length=None)
        return await asyncio.to_thread(_read_all, documents)

    async def batches(self, fields: dict[str, int] | None, batch: int) -> AsyncIterator[list[Document]]:
        """Yield every document of the collection, markers too, `batch` at a time, with these fields."""
        await self._connection.ping()  # finds out soon that a server is unavailable
        cursor = self._primary.find({}, fields, batch_size=batch)
        try:
            while True:
                async with self._connection.scan_call():
                    with pymongo.timeout(self._connection.scan_timeout_s):  # replaces the client's socket timeout
                        documents = await cursor.to_list(length=batch)
                if not documents:
                    return
                yield documents
        finally:
            await cursor.close()

    async def watch(self, after: Token | None = None, *, poll_s: float = 0.1) -> ChangeFeed:
        """Open the change stream of the products.

        Args:
            after: the token to resume after, an invalidation's too; None to begin now.
            poll_s: the time between two requests without changes, in seconds. The server waits so long for a change.

        Raises:
            HistoryLost: the server no longer knows the token.
            NoChangeStreams: the server has no change streams.
        """
        collection = self._connection.blocking_collection(within(PRODUCTS, self._catalogue))
        async with self._connection.call():
            stream = await asyncio.to_thread(
                collection.watch,
                full_document="updateLookup",
                start_after=after,
                max_await_time_ms=int(poll_s * 1000),
                batch_size=1000,
            )
            is_sharded = await asyncio.to_thread(is_of_router, collection.database.client)
        return ChangeFeed(stream, self._connection.address, poll_s, is_sharded=is_sharded)

    async def identity(self) -> str:
        """Return what tells this catalogue's database from every other except a copy. The first caller creates it."""
        notes = self._connection.collection(within(NOTES, self._catalogue))
        async with self._connection.call():
            note = await notes.find_one({"_id": IDENTITY})
            if note is None:
                with contextlib.suppress(DuplicateKeyError):  # another process was faster
                    await notes.insert_one({"_id": IDENTITY, "value": secrets.token_hex(16)})
                note = await notes.find_one({"_id": IDENTITY})
        return str(note["value"])

    async def put_marker(self) -> str:
        """Write a marker into the change stream and return its name; `remove_markers` removes it."""
        async with self._connection.call():
            return await write_marker(self.collection)

    async def remove_markers(self, markers: Iterable[str]) -> None:
        """Remove markers from the collection."""
        async with self._connection.call():
            await delete_markers(self.collection, markers)

    async def _ensure_indexes(self) -> None:
        """Create the indexes that find legacy documents. A user who may not create any works without."""
        if self._indexed:
            return
        self._indexed = True
        try:
            async with self._connection.call():
                await self.collection.create_index("id")
                await self.collection.create_index("category_source")
        except CatalogueUnavailable as error:
            log.warning("no_database_index", reason=error.detail)

    async def _remove_traces(self, keys: Sequence[str]) -> None:
        """Remove what other collections hold of products."""
        await self._http_cache.remove(keys)
        await self._pictures.remove(keys)

    async def _remove_legacy(self, keys: Sequence[str]) -> int:
        async with self._connection.call():
            return await self._legacy.remove(self.collection, keys)


def _read_all(documents: Sequence[Document]) -> list[Record | BrokenDocument]:
    return [read_document(document) for document in documents]
