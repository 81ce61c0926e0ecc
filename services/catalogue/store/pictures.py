"""Keeping pictures that no web server of the shop has: a product's main one under its key, further ones beside it.

A further picture's `_id` is `<key>\\n<the first digits of its hash>`, so that those of one product are a range of the
index that every collection has, and go together. No key holds a line break: importer and gateway take printable ones.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.catalogue.documents.product_document import Document
from services.catalogue.product import StoredImage, picture_name
from services.catalogue.store.bulk_write import PutReport, upsert
from services.catalogue.store.errors import database_call

BETWEEN, AFTER = "\n", "\x0b"
RANGES_AT_ONCE = 400  # the stand-in for MongoDB takes fewer than a thousand in one filter


def picture_id(key: str, sha256: str) -> str:
    """Return under which `_id` a further picture of a product is kept."""
    return key + BETWEEN + picture_name(sha256)


def key_of_picture(document_id: str) -> str:
    """Return whose picture is kept under an `_id`."""
    return document_id.partition(BETWEEN)[0]


class PictureStore(ABC):
    """The part of `ProductStore` that keeps pictures."""

    address: str
    _timeout_s: float

    @property
    @abstractmethod
    def _images(self) -> Any:
        """The collection."""

    async def put_images(self, images: Sequence[tuple[str, StoredImage]], *, probably_new: bool = False) -> PutReport:
        """Keep pictures, each in the place of an earlier one.

        Args:
            images: each with its product's key, or with its `picture_id` if it is not the main one.
            probably_new: as `ProductStore.put_many` has it.
        """
        documents: dict[str, Document] = {
            key: {"_id": key, "content_type": image.content_type, "data": image.data, "sha256": image.sha256}
            for key, image in images
        }
        async with database_call(self.address, self._timeout_s):
            return await upsert(self._images, documents, probably_new=probably_new)

    async def get_image(self, key: str) -> StoredImage | None:
        """Return the picture kept under a product's key or a `picture_id`, or None."""
        async with database_call(self.address, self._timeout_s):
            found = await self._images.find_one({"_id": key})
        return None if found is None else StoredImage(str(found["content_type"]), bytes(found["data"]))

    async def keep_images(self, kept: Mapping[str, Sequence[str]]) -> None:
        """Remove the further pictures of products but for those of these hashes.

        Args:
            kept: by the product's key.
        """
        async with database_call(self.address, self._timeout_s):
            for filter_ in further_ids(kept):
                await self._images.delete_many(filter_)

    async def _remove_images(self, keys: Sequence[str]) -> None:
        """Remove all pictures of products."""
        await self.keep_images(dict.fromkeys(keys, ()))
        async with database_call(self.address, self._timeout_s):
            await self._images.delete_many({"_id": {"$in": list(keys)}})


def further_ids(kept: Mapping[str, Sequence[str]]) -> Iterator[Document]:
    """Yield filters of everything that stands under `picture_id`s of these keys, but for the kept hashes of each."""
    for begin in range(0, len(kept), RANGES_AT_ONCE):
        some = list(kept.items())[begin : begin + RANGES_AT_ONCE]
        yield {"$or": [_further(key, hashes) for key, hashes in some]}


def _further(key: str, kept: Sequence[str]) -> Document:
    """Return the filter of a product's further pictures but for the kept ones."""
    others = {"$nin": [picture_id(key, sha256) for sha256 in kept]} if kept else {}
    return {"_id": {"$gte": key + BETWEEN, "$lt": key + AFTER, **others}}
