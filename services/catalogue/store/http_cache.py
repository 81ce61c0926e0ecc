"""What web servers said of products' images when they were last fetched, so that the next request asks for changes
only.

The entry of a product's main image is under its key, that of another image under `cache_id`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.catalogue.documents.product_document import Document
from services.catalogue.store.mongo.bulk_write import upsert
from services.catalogue.store.mongo.connection import Connection
from services.catalogue.store.mongo.driver import Collection
from services.catalogue.store.pictures import additional_filters, picture_id
from services.contracts.domain.catalogues import within
from services.contracts.images.fetch import Validators

SEEN_IMAGES = "seen_images"


@dataclass(frozen=True, slots=True)
class CachedImage:
    """An image as it was fetched: its URL, the hash of its bytes, and the server's validators."""

    url: str
    sha256: str
    validators: Validators


def cache_id(key: str, url: str) -> str:
    """Return the `_id` of the entry of an image that is not the product's main one."""
    return picture_id(key, hashlib.sha256(url.encode()).hexdigest())


class HttpCache:
    """The cache of one catalogue: one document per image, apart from the products, since no search needs it."""

    def __init__(self, connection: Connection, catalogue: str) -> None:
        self._connection = connection
        self._name = within(SEEN_IMAGES, catalogue)

    @property
    def _entries(self) -> Collection:
        return self._connection.collection(self._name)

    async def get_many(self, names: Sequence[str]) -> dict[str, CachedImage]:
        """Return the entries of images, by products' keys and `cache_id`s; unknown ones are missing."""
        async with self._connection.call():
            documents = await self._entries.find({"_id": {"$in": list(names)}}).to_list(length=None)
        return {str(document["_id"]): _read(document) for document in documents}

    async def put_many(self, images: Mapping[str, CachedImage]) -> None:
        """Store entries under products' keys and `cache_id`s; earlier ones are replaced."""
        documents = {name: _document(name, image) for name, image in images.items()}
        async with self._connection.call():
            await upsert(self._entries, documents)

    async def remove(self, keys: Sequence[str]) -> None:
        """Remove all entries of products."""
        async with self._connection.call():
            await self._entries.delete_many({"_id": {"$in": list(keys)}})
            for filter_ in additional_filters(dict.fromkeys(keys, ())):
                await self._entries.delete_many(filter_)


def _document(name: str, image: CachedImage) -> Document:
    validators = image.validators
    return {
        "_id": name,
        "url": image.url,
        "sha256": image.sha256,
        "etag": validators.etag,
        "modified": validators.last_modified,
    }


def _read(document: Mapping[str, Any]) -> CachedImage:
    validators = Validators(document.get("etag"), document.get("modified"))
    return CachedImage(str(document.get("url")), str(document.get("sha256")), validators)
