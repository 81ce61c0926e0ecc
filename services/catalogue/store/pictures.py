"""Stored pictures: those that no web server of the shop has.

The main picture of a product is stored under its key, another one under `<key>\\n<first digits of its hash>`. So the
pictures of one product are a range of the index that every collection has, and are removed together. No key holds a
line break: importer and gateway accept printable keys only.
"""

from collections.abc import Iterator, Mapping, Sequence

from services.catalogue.documents.product_document import Document
from services.catalogue.product import StoredImage, picture_name
from services.catalogue.store.mongo.bulk_write import PutReport, upsert
from services.catalogue.store.mongo.connection import Connection
from services.catalogue.store.mongo.driver import Collection
from services.contracts.domain.catalogues import within

IMAGES = "images"
SEPARATOR, BEHIND_SEPARATOR = "\n", "\x0b"
RANGES_PER_FILTER = 400  # the stand-in for MongoDB takes fewer than a thousand in one filter


def picture_id(key: str, sha256: str) -> str:
    """Return the `_id` of a picture of a product that is not its main one."""
    return key + SEPARATOR + picture_name(sha256)


class PictureCollection:
    """The pictures of one catalogue."""

    def __init__(self, connection: Connection, catalogue: str) -> None:
        self._connection = connection
        self._name = within(IMAGES, catalogue)

    @property
    def _images(self) -> Collection:
        return self._connection.collection(self._name)

    async def put_many(self, images: Sequence[tuple[str, StoredImage]], *, probably_new: bool = False) -> PutReport:
        """Store pictures; an earlier one of the same `_id` is replaced.

        Args:
            images: each with its product's key, or with its `picture_id` if it is not the main one.
            probably_new: see `ProductCollection.put_many`.
        """
        documents: dict[str, Document] = {
            name: {"_id": name, "content_type": image.content_type, "data": image.data, "sha256": image.sha256}
            for name, image in images
        }
        async with self._connection.call():
            return await upsert(self._images, documents, probably_new=probably_new)

    async def get(self, name: str) -> StoredImage | None:
        """Return the picture stored under a product's key or a `picture_id`, or None."""
        async with self._connection.call():
            document = await self._images.find_one({"_id": name})
        return None if document is None else StoredImage(str(document["content_type"]), bytes(document["data"]))

    async def keep_only(self, hashes: Mapping[str, Sequence[str]]) -> None:
        """Remove the additional pictures of products, except those of these hashes.

        Args:
            hashes: by the product's key.
        """
        async with self._connection.call():
            for filter_ in additional_filters(hashes):
                await self._images.delete_many(filter_)

    async def remove(self, keys: Sequence[str]) -> None:
        """Remove all pictures of products."""
        await self.keep_only(dict.fromkeys(keys, ()))
        async with self._connection.call():
            await self._images.delete_many({"_id": {"$in": list(keys)}})


def additional_filters(hashes: Mapping[str, Sequence[str]]) -> Iterator[Document]:
    """Yield filters of everything under `picture_id`s of these keys, except the hashes of each."""
    products = list(hashes.items())
    for begin in range(0, len(products), RANGES_PER_FILTER):
        part = products[begin : begin + RANGES_PER_FILTER]
        yield {"$or": [_additional(key, kept) for key, kept in part]}


def _additional(key: str, kept: Sequence[str]) -> Document:
    others = {"$nin": [picture_id(key, sha256) for sha256 in kept]} if kept else {}
    return {"_id": {"$gte": key + SEPARATOR, "$lt": key + BEHIND_SEPARATOR, **others}}
