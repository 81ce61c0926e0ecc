"""What web servers said of products' images when they were last fetched, to ask them next time for changes only.

What is known of a product's main image stands under its key, of a further one under `further_id`.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.catalogue.documents.product_document import Document
from services.catalogue.store.bulk_write import upsert
from services.catalogue.store.errors import database_call
from services.catalogue.store.pictures import further_ids, picture_id
from services.contracts.images.fetch import Validators

SEEN_IMAGES = "seen_images"


@dataclass(frozen=True, slots=True)
class SeenImage:
    """An image as it was fetched: its URL, its bytes' hash, and by what its server tells whether it has changed."""

    url: str
    sha256: str
    validators: Validators


def further_id(key: str, url: str) -> str:
    """Return under which `_id` it is remembered what was said of a further image."""
    return picture_id(key, hashlib.sha256(url.encode()).hexdigest())


class SeenImages(ABC):
    """The part of `ProductStore` that remembers them: a document an image, beside the products, for a search needs none."""

    address: str
    _timeout_s: float

    @abstractmethod
    def _collection(self, name: str) -> Any:
        """Return a collection of the database."""

    async def recall(self, keys: Sequence[str]) -> dict[str, SeenImage]:
        """Return what is remembered of images, by products' keys and `further_id`s."""
        async with database_call(self.address, self._timeout_s):
            found = await self._collection(SEEN_IMAGES).find({"_id": {"$in": list(keys)}}).to_list(length=None)
        return {str(document["_id"]): _read(document) for document in found}

    async def remember(self, images: Mapping[str, SeenImage]) -> None:
        """Remember images under products' keys and `further_id`s, each in the place of an earlier one."""
        documents = {key: _document(key, image) for key, image in images.items()}
        async with database_call(self.address, self._timeout_s):
            await upsert(self._collection(SEEN_IMAGES), documents)

    async def _forget(self, keys: Sequence[str]) -> None:
        """Forget products that are gone."""
        await self._collection(SEEN_IMAGES).delete_many({"_id": {"$in": list(keys)}})
        for filter_ in further_ids(dict.fromkeys(keys, ())):
            await self._collection(SEEN_IMAGES).delete_many(filter_)


def _document(key: str, image: SeenImage) -> Document:
    told = image.validators
    return {"_id": key, "url": image.url, "sha256": image.sha256, "etag": told.etag, "modified": told.last_modified}


def _read(document: Mapping[str, Any]) -> SeenImage:
    told = Validators(document.get("etag"), document.get("modified"))
    return SeenImage(str(document.get("url")), str(document.get("sha256")), told)
