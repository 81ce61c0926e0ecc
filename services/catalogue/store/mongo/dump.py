"""Whole documents of a database as they are stored, for backups."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import ASCENDING

from services.catalogue.store.http_cache import SEEN_IMAGES
from services.catalogue.store.keys import KEYS
from services.catalogue.store.learned_orders import LEARNED_ORDERS
from services.catalogue.store.markers import is_marker
from services.catalogue.store.mongo.bulk_write import upsert
from services.catalogue.store.mongo.connection import Connection
from services.catalogue.store.mongo.driver import Collection
from services.catalogue.store.notes import NOTES, NOTES_OF_THE_RUN, is_of_the_run
from services.catalogue.store.pictures import IMAGES, RANGES_PER_FILTER, additional_filters
from services.catalogue.store.products import PRODUCTS
from services.contracts.domain.catalogues import DEFAULT_CATALOGUE, within

PAGE = RANGES_PER_FILTER  # documents
Raw = RawBSONDocument
Parts = Mapping[str, Sequence[Raw]]  # documents by collection


def collections_of(catalogue: str) -> tuple[str, ...]:
    """Return the names of a catalogue's collections; those that all catalogues share are the default one's."""
    names = tuple(within(name, catalogue) for name in (PRODUCTS, IMAGES, SEEN_IMAGES, LEARNED_ORDERS, NOTES))
    return (*names, KEYS) if catalogue == DEFAULT_CATALOGUE else names


class Dump:
    """Reads and writes the documents of one catalogue."""

    def __init__(self, connection: Connection, catalogue: str) -> None:
        self._connection = connection
        self._catalogue = catalogue
        self.collections = collections_of(catalogue)

    async def products(self) -> AsyncIterator[Parts]:
        """Yield all products with their pictures, a page at a time.

        A page holds the products as they are after its pictures were read: pictures are written before their product.
        If a product changed in between, both are read again.
        """
        images = within(IMAGES, self._catalogue)
        async for page in self._pages(within(PRODUCTS, self._catalogue)):
            products = [document for document in page if not is_marker(document)]  # type: ignore[arg-type]
            while products:
                pictures = await self._pictures([_key(document) for document in products])
                after = {document["_id"]: document for document in await self._read([d["_id"] for d in products])}
                same = [document for document in products if _is_same(document, after.get(document["_id"]))]
                keys = {_key(document) for document in same}
                yield {
                    images: [picture for picture in pictures if picture["_id"].split("\n")[0] in keys],
                    within(PRODUCTS, self._catalogue): same,
                }
                known = {document["_id"] for document in same}
                products = [document for document_id, document in after.items() if document_id not in known]

    async def others(self) -> AsyncIterator[Parts]:
        """Yield the documents of the other collections, a page at a time; the notes are the last."""
        for name in sorted(set(self.collections) - {within(part, self._catalogue) for part in (PRODUCTS, IMAGES)}):
            if name != within(NOTES, self._catalogue):
                async for page in self._pages(name):
                    yield {name: page}
        async for page in self._pages(within(NOTES, self._catalogue)):
            yield {within(NOTES, self._catalogue): [note for note in page if not is_of_the_run(note["_id"])]}

    async def is_empty(self) -> bool:
        """Return whether the catalogue has no product and no picture."""
        async with self._connection.call():
            for part in (PRODUCTS, IMAGES):
                async for document in self._raw(within(part, self._catalogue)).find({}, {"_id": 1}):
                    if not is_marker(document):
                        return False
        return True

    async def clear(self) -> None:
        """Remove all documents of the catalogue, except the notes about the running installation."""
        for name in self.collections:
            kept = {"$nor": NOTES_OF_THE_RUN} if name == within(NOTES, self._catalogue) else {}
            async with self._connection.scan_call():
                await self._connection.collection(name).delete_many(kept)

    async def write(self, name: str, documents: Sequence[Raw]) -> list[str]:
        """Write documents of a collection under their `_id`s; return why those that could not be stored were not.

        Raises:
            KeyError: the catalogue has no such collection.
        """
        if name not in self.collections:
            raise KeyError(name)
        async with self._connection.call():
            plain: dict[Any, Any] = {document["_id"]: dict(document.items()) for document in documents}
            report = await upsert(self._connection.collection(name), plain, probably_new=True)
        return [f"{failure.key}: {failure.reason}" for failure in report.failures]

    def _raw(self, name: str) -> Collection:
        options: CodecOptions[Any] = CodecOptions(document_class=RawBSONDocument, tz_aware=True)
        return self._connection.collection(name).with_options(codec_options=options)

    async def _pages(self, name: str) -> AsyncIterator[list[Raw]]:
        """Yield a collection's documents. In the order of `_id`, each one that stays in the collection comes once."""
        cursor = self._raw(name).find({}).sort("_id", ASCENDING).batch_size(PAGE)
        while True:
            async with self._connection.scan_call():
                page = await cursor.to_list(length=PAGE)
            if not page:
                return
            yield page

    async def _read(self, document_ids: Sequence[Any]) -> list[Raw]:
        async with self._connection.call():
            cursor = self._raw(within(PRODUCTS, self._catalogue)).find({"_id": {"$in": list(document_ids)}})
            documents: list[Raw] = await cursor.to_list(length=None)
        return documents

    async def _pictures(self, keys: Sequence[str]) -> list[Raw]:
        images, pictures = self._raw(within(IMAGES, self._catalogue)), list[Raw]()
        for part in ({"_id": {"$in": list(keys)}}, *additional_filters(dict.fromkeys(keys, ()))):
            async with self._connection.call():
                pictures += await images.find(part).to_list(length=None)
        return pictures


def _key(document: Raw) -> str:
    """Return the product's key, under which its pictures are."""
    return str(document["_id"] if document.get("id") is None else document["id"])


def _is_same(before: Raw, after: Raw | None) -> bool:
    return after is not None and before.raw == after.raw
