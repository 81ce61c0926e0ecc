"""Reading many products: the whole catalogue, some documents, and what changes."""

import asyncio
import contextlib
import secrets
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
from pymongo import ReadPreference
from pymongo.errors import DuplicateKeyError

from services.catalogue.documents.product_document import MARKER_PREFIX, BrokenDocument, Document, Record, read_document
from services.catalogue.store.change_feed import ChangeFeed, Token
from services.catalogue.store.errors import database_call
from services.contracts.domain.errors import CatalogueUnavailable

IDENTITY = "identity"
FORGOTTEN_AFTER = timedelta(days=1)  # no scan takes longer


class ProductReader(ABC):
    """The part of `ProductStore` that the index lives on."""

    address: str
    _timeout_s: float
    _scan_timeout_s: float

    @property
    @abstractmethod
    def _products(self) -> Any:
        """The collection."""

    @property
    def _latest(self) -> Any:
        """The collection as it is now: a secondary member of the replica set may be behind what the stream has told."""
        return self._products.with_options(read_preference=ReadPreference.PRIMARY)

    @property
    @abstractmethod
    def _notes(self) -> Any:
        """The collection of what is noted about the catalogue."""

    async def keys(self, batch: int = 5000) -> AsyncIterator[list[str]]:
        """Yield the keys of all products, `batch` at a time; a key that stands in two documents comes twice."""
        async for documents in self._batches({"_id": 1, "id": 1}, batch):
            products = [found for found in documents if not _is_marker(found)]
            yield [str(found["_id"] if found.get("id") is None else found["id"]) for found in products]

    async def scan(self, batch: int = 1000) -> AsyncGenerator[list[Record | BrokenDocument], None]:
        """Yield every document, `batch` at a time: the product in it, or what is wrong with it.

        A marker, which is the newest document when it begins, has to be among them: some servers that are started anew
        say that a reading is at its end instead of that they know nothing of it.

        Raises:
            CatalogueUnavailable: the database is away, or broke off before the end.
        """
        marker = await self.put_marker()
        passed = [marker]
        whole = False
        try:
            async for documents in self._batches(None, batch):
                markers = [found for found in documents if _is_marker(found)]
                whole = whole or any(found["_id"] == marker for found in markers)
                passed += [found["_id"] for found in markers if _is_forgotten(found)]
                yield await asyncio.to_thread(_read_all, [found for found in documents if not _is_marker(found)])
        finally:
            with contextlib.suppress(CatalogueUnavailable):  # a later scan removes them
                await self.remove_markers(passed)
        if not whole:
            raise CatalogueUnavailable(f"the catalogue's database at {self.address} broke off while it was read")

    async def read(self, document_ids: Sequence[Any]) -> list[Record | BrokenDocument]:
        """Return the documents of these `_id`s as they are now; those that are gone are missing in the answer."""
        async with database_call(self.address, self._timeout_s):
            found = await self._latest.find({"_id": {"$in": list(document_ids)}}).to_list(length=None)
        return await asyncio.to_thread(_read_all, found)

    async def _batches(self, fields: dict[str, int] | None, batch: int) -> AsyncIterator[list[Document]]:
        async with database_call(self.address, self._timeout_s):
            await self._products.database.command("ping")  # so that a server that is away is found out soon
        cursor = self._latest.find({}, fields, batch_size=batch)
        try:
            while True:
                async with database_call(self.address, self._scan_timeout_s):
                    with pymongo.timeout(self._scan_timeout_s):  # in the place of the client's socket timeout
                        documents = await cursor.to_list(length=batch)
                if not documents:
                    return
                yield documents
        finally:
            await cursor.close()

    async def watch(self, after: Token | None = None, *, wait_s: float = 0.1, poll_s: float = 0.1) -> ChangeFeed:
        """Open the change stream of the products.

        Args:
            after: the token to go on after, an invalidation's too; from now on when None.
            wait_s: how long the server may wait for a change before it answers without one, in seconds.
            poll_s: the least time between two questions to a server that does not wait, in seconds.

        Raises:
            HistoryLost: the server no longer knows the token.
            NoChangeStreams: the server has none.
        """
        collection = self._products.delegate
        async with database_call(self.address, self._timeout_s):
            stream = await asyncio.to_thread(
                collection.watch,
                full_document="updateLookup",
                start_after=after,
                max_await_time_ms=int(wait_s * 1000),
                batch_size=1000,
            )
        return ChangeFeed(stream, self.address, poll_s)

    async def identity(self) -> str:
        """Return what tells this catalogue's database from every other, a copy apart: whoever first asks writes it down."""
        async with database_call(self.address, self._timeout_s):
            noted = await self._notes.find_one({"_id": IDENTITY})
            if noted is None:
                with contextlib.suppress(DuplicateKeyError):  # somebody else was faster
                    await self._notes.insert_one({"_id": IDENTITY, "value": secrets.token_hex(16)})
                noted = await self._notes.find_one({"_id": IDENTITY})
        return str(noted["value"])

    async def put_marker(self) -> str:
        """Write a marker into the change stream and return its name; `remove_marker` takes it out again.

        It stands among the products because a stand-in for MongoDB streams the changes of one collection only.
        """
        marker = MARKER_PREFIX + secrets.token_hex(12)
        async with database_call(self.address, self._timeout_s):
            await self._products.insert_one(
                {"_id": marker, "category_source": "unknown", "written_at": datetime.now(UTC)}
            )
        return marker

    async def remove_markers(self, markers: Iterable[str]) -> None:
        """Take markers out of the collection."""
        async with database_call(self.address, self._timeout_s):
            await self._products.delete_many({"_id": {"$in": list(markers)}})


def _is_marker(document: Document) -> bool:
    return str(document["_id"]).startswith(MARKER_PREFIX)


def _is_forgotten(marker: Document) -> bool:
    """Whether whoever wrote a marker must have been ended before it was taken out."""
    written_at = marker.get("written_at")
    return not isinstance(written_at, datetime) or written_at < datetime.now(UTC) - FORGOTTEN_AFTER


def _read_all(documents: Sequence[Document]) -> list[Record | BrokenDocument]:
    return [read_document(document) for document in documents]
