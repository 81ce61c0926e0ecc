"""The products in MongoDB. The only module that imports Motor, so that another driver can take its place."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import structlog
from bson.objectid import ObjectId
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import PyMongoError

from services.catalogue.bulk import PutReport, Refused, upsert
from services.catalogue.changes import ChangeFeed, Token
from services.catalogue.documents import (
    MARKER_PREFIX,
    BrokenDocument,
    Document,
    Record,
    from_document,
    key_variants,
    to_document,
)
from services.catalogue.faults import database_call, shown_address
from services.catalogue.product import Product, StoredImage
from services.contracts.errors import CatalogueUnavailable

PRODUCTS = "products"
IMAGES = "images"
# Every document that Lookalike writes has this field, and none of the older form.
OLD_FORM = {"category_source": None}
OLD_FORM_CHECK_S = 10.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """By what an import knows a product that has not changed."""

    image_sha256: str | None
    feed_sha256: str | None
    model: str | None
    category_source: str


class ProductStore:
    """The catalogue's products, and the pictures that no web server of the shop has.

    Every method raises CatalogueUnavailable when the database is away, does not answer within the deadline, or refuses.
    Nothing is connected before the first call, so a service can start while its database is down.
    """

    def __init__(
        self, url: str, database: str = "lookalike", *, timeout_s: float = 10.0, connect_timeout_s: float = 2.0
    ) -> None:
        """Remember where the database is.

        Args:
            url: MongoDB's connection string.
            database: the database's name.
            timeout_s: deadline of one call, in seconds; of a scan, that of one batch.
            connect_timeout_s: how long a server is looked for, in seconds.
        """
        self.address = shown_address(url)
        self._url = url
        self._database = database
        self._timeout_s = timeout_s
        self._connect_timeout_ms = int(connect_timeout_s * 1000)
        self._client: Any = None
        self._indexed = False
        self._old_forms = True
        self._old_forms_known_until = 0.0

    async def connect(self) -> None:
        """Make the client. No server is asked for yet.

        Raises:
            CatalogueUnavailable: the URL is not valid.
        """
        limit_ms = self._connect_timeout_ms
        try:
            self._client = AsyncIOMotorClient(
                self._url,
                appname="lookalike",
                tz_aware=True,
                connectTimeoutMS=limit_ms,
                serverSelectionTimeoutMS=limit_ms,
            )
        except (PyMongoError, ValueError):
            raise CatalogueUnavailable(f"MONGO_URL (hosts: {self.address}) is not a valid MongoDB address") from None

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _collection(self, name: str) -> Any:
        if self._client is None:
            raise RuntimeError("the store is not connected: call connect() first")
        return self._client[self._database][name]

    @property
    def _products(self) -> Any:
        return self._collection(PRODUCTS)

    @property
    def _images(self) -> Any:
        return self._collection(IMAGES)

    async def ping(self) -> None:
        """Return when the database answers."""
        with database_call(self.address, self._timeout_s):
            await self._products.database.command("ping")

    async def put(self, product: Product) -> None:
        """Write one product, in the place of what stands under its key.

        Raises:
            ValueError: the product cannot be stored: its key, its vector, or its size.
        """
        report = await self.put_many([product])
        if report.failures:
            raise ValueError(report.failures[0].reason)

    async def put_many(self, products: Iterable[Product]) -> PutReport:
        """Write products in bulk, each in the place of what stands under its key; of a key given twice, the last.

        A product that cannot be stored is reported, and does not hold up the others.
        """
        documents: dict[str, Document] = {}
        failures: list[Refused] = []
        for product in products:
            try:
                documents[product.key] = to_document(product)
            except ValueError as error:
                failures.append(Refused(product.key, str(error)))
        with database_call(self.address, self._timeout_s):
            report = await upsert(self._products, documents)
        if report.written:
            await self._ensure_indexes()
            await self._remove_old_forms(list(documents.keys() - {failure.key for failure in report.failures}))
        return PutReport(report.written, (*failures, *report.failures))

    async def get(self, key: str) -> Product | None:
        """Return the product of a key, from a document of either form; None when there is none that is whole."""
        with database_call(self.address, self._timeout_s):
            document = await self._products.find_one({"_id": key}) or await self._products.find_one(_old_forms([key]))
        record = None if document is None else _read(document)
        return record.product if isinstance(record, Record) and record.product.key == key else None

    async def delete(self, key: str) -> bool:
        """Remove a product, in whatever form it stands, and its picture. Returns whether there was one."""
        with database_call(self.address, self._timeout_s):
            gone = int((await self._products.delete_one({"_id": key})).deleted_count)
            await self._images.delete_one({"_id": key})
        if not gone:
            self._old_forms_known_until = 0.0  # only an older document can be it: look now
        return await self._remove_old_forms([key]) + gone > 0

    async def fingerprints(self, keys: Sequence[str]) -> dict[str, Fingerprint]:
        """Return what is known of those of the keys that Lookalike has written."""
        fields = {"image_sha256": 1, "feed_sha256": 1, "model": 1, "category_source": 1}
        with database_call(self.address, self._timeout_s):
            documents = await self._products.find({"_id": {"$in": list(keys)}}, fields).to_list(length=None)
        return {
            str(found["_id"]): Fingerprint(
                found.get("image_sha256"),
                found.get("feed_sha256"),
                found.get("model"),
                found.get("category_source") or "unknown",
            )
            for found in documents
        }

    async def count(self) -> int:
        """Return the number of documents, from the collection's own counter."""
        with database_call(self.address, self._timeout_s):
            return int(await self._products.estimated_document_count())

    async def put_images(self, images: Sequence[tuple[str, StoredImage]]) -> PutReport:
        """Keep pictures under their products' keys, each in the place of an earlier one."""
        documents: dict[str, Document] = {
            key: {"_id": key, "content_type": image.content_type, "data": image.data, "sha256": image.sha256}
            for key, image in images
        }
        with database_call(self.address, self._timeout_s):
            return await upsert(self._images, documents)

    async def get_image(self, key: str) -> StoredImage | None:
        """Return the picture kept under a key, or None."""
        with database_call(self.address, self._timeout_s):
            found = await self._images.find_one({"_id": key})
        return None if found is None else StoredImage(str(found["content_type"]), bytes(found["data"]))

    async def keys(self, batch: int = 5000) -> AsyncIterator[list[str]]:
        """Yield the keys of all products, `batch` at a time; a key that stands in two documents comes twice."""
        async for documents in self._batches({"_id": 1, "id": 1}, batch):
            yield [str(found["_id"] if found.get("id") is None else found["id"]) for found in documents]

    async def scan(self, batch: int = 1000) -> AsyncIterator[list[Record | BrokenDocument]]:
        """Yield every document, `batch` at a time: the product in it, or what is wrong with it."""
        async for documents in self._batches(None, batch):
            yield [_read(document) for document in documents]

    async def read(self, document_ids: Sequence[Any]) -> list[Record | BrokenDocument]:
        """Return the documents of these `_id`s as they are now; those that are gone are missing in the answer."""
        with database_call(self.address, self._timeout_s):
            found = await self._products.find({"_id": {"$in": list(document_ids)}}).to_list(length=None)
        return [_read(document) for document in found]

    async def _batches(self, fields: dict[str, int] | None, batch: int) -> AsyncIterator[list[Document]]:
        cursor = self._products.find({}, fields, batch_size=batch)
        try:
            while True:
                with database_call(self.address, self._timeout_s):
                    documents = await cursor.to_list(length=batch)
                if not documents:
                    return
                yield [found for found in documents if not str(found["_id"]).startswith(MARKER_PREFIX)]
        finally:
            await cursor.close()

    async def watch(self, after: Token | None = None, *, wait_s: float = 0.5, poll_s: float = 0.1) -> ChangeFeed:
        """Open the change stream of the products.

        Args:
            after: the token to resume from; from now on when None.
            wait_s: how long the server may wait for a change before it answers without one, in seconds.
            poll_s: the least time between two questions to a server that does not wait, in seconds.

        Raises:
            HistoryLost: the server no longer knows the token.
        """
        collection = self._products.delegate
        with database_call(self.address, self._timeout_s):
            stream = await asyncio.to_thread(
                collection.watch, resume_after=after, max_await_time_ms=int(wait_s * 1000), batch_size=1000
            )
        return ChangeFeed(stream, self.address, poll_s)

    async def put_marker(self) -> str:
        """Write a marker into the change stream and return its name; `remove_marker` takes it out again.

        It stands among the products because a stand-in for MongoDB streams the changes of one collection only.
        """
        marker = MARKER_PREFIX + secrets.token_hex(12)
        with database_call(self.address, self._timeout_s):
            await self._products.insert_one(
                {"_id": marker, "category_source": "unknown", "written_at": datetime.now(UTC)}
            )
        return marker

    async def remove_markers(self, markers: Iterable[str]) -> None:
        """Take markers out of the collection."""
        with database_call(self.address, self._timeout_s):
            await self._products.delete_many({"_id": {"$in": list(markers)}})

    async def _ensure_indexes(self) -> None:
        """Make the indexes by which older documents are found. A user who may not make any goes without."""
        if self._indexed:
            return
        self._indexed = True
        try:
            with database_call(self.address, self._timeout_s):
                await self._products.create_index("id")
                await self._products.create_index("category_source")
        except CatalogueUnavailable as error:
            log.warning("no_database_index", reason=error.detail)

    async def _remove_old_forms(self, keys: Sequence[str]) -> int:
        """Remove older documents of these keys. Whether there are any at all is looked up every ten seconds only."""
        with database_call(self.address, self._timeout_s):
            if time.monotonic() > self._old_forms_known_until:
                self._old_forms = await self._products.find_one(OLD_FORM, {"_id": 1}) is not None
                self._old_forms_known_until = time.monotonic() + OLD_FORM_CHECK_S
            if not self._old_forms:
                return 0
            found = await self._products.find(_old_forms(keys), {"_id": 1}).to_list(length=None)
            ids = [document["_id"] for document in found if document["_id"] not in keys]
            return int((await self._products.delete_many({"_id": {"$in": ids}})).deleted_count) if ids else 0


def _old_forms(keys: Iterable[str]) -> Document:
    """Return the filter of older documents with these keys: as `id`, or as `_id` where they have none."""
    by_id = {"id": {"$in": [variant for key in keys for variant in key_variants(key)]}, **OLD_FORM}
    bare = [ObjectId(key) for key in keys if ObjectId.is_valid(key)]
    return {"$or": [by_id, {"_id": {"$in": bare}, "id": None, **OLD_FORM}]} if bare else by_id


def _read(document: Document) -> Record | BrokenDocument:
    try:
        return from_document(document)
    except BrokenDocument as error:
        return error
