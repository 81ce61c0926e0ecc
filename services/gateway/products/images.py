"""The further images of a product that is put: those that the request brings, or those that the product has."""

import asyncio
import hashlib
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.catalogue.image_vectors import Vectors, standing_vectors, with_images
from services.catalogue.product import MAX_IMAGES, FurtherImage, Product, StoredImage
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.pictures import picture_id
from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.domain.errors import InvalidRequest, LookalikeError
from services.contracts.images.formats import sniff
from services.gateway.search.links import Links
from services.gateway.search.request import ImageReader

AT_ONCE = 4  # images of one product that are fetched, or go through the network
T = TypeVar("T")


class ImageBody(BaseModel):
    """A further image: exactly one of the two."""

    model_config = ConfigDict(extra="forbid")

    url: str | None = Field(
        default=None,
        min_length=1,
        max_length=2048,
        description="the shop's own picture, or the address of one that the product has",
    )
    base64: str | None = Field(default=None, description="the image file in base64, or a data: URL")

    @model_validator(mode="after")
    def _is_one(self) -> "ImageBody":
        if (self.url is None) == (self.base64 is None):
            raise ValueError("give exactly one of url and base64")
        return self


@dataclass(frozen=True)
class Wanted:
    """An image that a product is to have. `data` is None where the product has it, and its picture was not needed."""

    place: int
    url: str | None
    sha256: str | None
    data: bytes | None


class ProductImages:
    """Finds the further images of products, and has them embedded where no vector of them is known."""

    def __init__(self, store: CatalogueDatabase, embedding: EmbeddingClient, links: Links) -> None:
        self._store = store
        self._embedding = embedding
        self._links = links

    async def wanted(
        self, listed: Sequence[ImageBody] | None, files: Sequence[bytes], old: Product | None, reader: ImageReader
    ) -> list[Wanted]:
        """Return the further images that a product is to have: the listed ones and the files, or those that it has.

        Raises:
            InvalidRequest: there are too many.
            LookalikeError: one cannot be had; the text says which.
        """
        if listed is None and not files:
            return [_kept(place, image) for place, image in enumerate(old.images if old else ())]
        entries = list(listed or ())
        if len(entries) + len(files) >= MAX_IMAGES:
            raise InvalidRequest(f"a product has at most {MAX_IMAGES} images, the main one among them")
        has = self._by_address(old)
        found = await _all([self._one(place, entry, has, reader) for place, entry in enumerate(entries)])
        return found + [_sent(len(entries) + number, None, data) for number, data in enumerate(files)]

    async def added(
        self, product: Product, old: Product | None, wanted: Sequence[Wanted], reader: ImageReader
    ) -> tuple[Product, list[tuple[str, StoredImage]]]:
        """Return a product with its further images, and those of their pictures that are to be stored.

        Args:
            product: with its own vector, of the models that it is to have vectors of.
            old: as it stands.
            wanted: its images.
            reader: fetches images that the product has, where their vectors are not known.

        Raises:
            LookalikeError: one of them is no image, or cannot be had; the text says which.
        """
        if not wanted:
            return replace(product, images=()), []
        models = _models(product, old)
        vectors = standing_vectors([old] if old else [], models)
        images = await _all([self._whole(one, product, vectors, reader) for one in wanted])
        each = {one.sha256: one for one in images if one.sha256 not in (None, product.image_sha256)}
        found = await _all([self._embedded(one, product.key, models, vectors) for one in each.values()])
        for more in found:
            vectors |= more
        ours = [(str(one.sha256), one.data) for one in each.values() if one.url is None]
        pictures = [(picture_id(product.key, sha256), stored(data)) for sha256, data in ours if data is not None]
        return with_images([(one.url, str(one.sha256)) for one in each.values()], product, old, vectors), pictures

    async def clear(self, product: Product, old: Product | None) -> None:
        """Remove the stored pictures that a product no longer has, once it is written."""
        if old is not None and _stored(old) - _stored(product):
            await self._store.pictures.keep_only({product.key: sorted(_stored(product))})

    def _by_address(self, old: Product | None) -> dict[str, FurtherImage]:
        """Return the images that a product has by the addresses under which it shows them."""
        if old is None:
            return {}
        paths = zip(old.further_urls, self._links.further(old), old.images, strict=True)
        return {url: image for *urls, image in paths for url in urls if url is not None}

    async def _one(self, place: int, entry: ImageBody, has: dict[str, FurtherImage], reader: ImageReader) -> Wanted:
        with _naming(place):
            if entry.url is None:
                return _sent(place, None, reader.from_base64(entry.base64 or ""))
            if entry.url in has:
                return _kept(place, has[entry.url])
            return _sent(place, entry.url, await reader.from_url(entry.url))

    async def _whole(self, one: Wanted, product: Product, vectors: Vectors, reader: ImageReader) -> Wanted:
        """Return an image with its bytes, unless a vector of it is known."""
        if one.data is not None or (product.key, one.sha256, product.model) in vectors:
            return one
        with _naming(one.place):
            if one.url is not None:
                return _sent(one.place, one.url, await reader.from_url(one.url))
            kept = None if one.sha256 is None else await self._store.pictures.get(picture_id(product.key, one.sha256))
            if kept is None:
                raise InvalidRequest("the picture that the product has is not stored any more: send it again")
            return _sent(one.place, None, kept.data)

    async def _embedded(self, one: Wanted, key: str, models: Sequence[str], vectors: Vectors) -> Vectors:
        if one.data is None or (key, str(one.sha256), models[0]) in vectors:
            return {}
        with _naming(one.place):
            seen = await self._embedding.embed(one.data, models[0], beside=models[1] if models[1:] else None)
        answers = filter(None, (seen, seen.beside))
        return {(key, str(one.sha256), each.model): each.array for each in answers}


def _models(product: Product, old: Product | None) -> list[str]:
    """Return the models that the vectors of further images are to be of: the product's own first.

    Raises:
        InvalidRequest: it is not known which one that is.
    """
    if product.model is None:
        raise InvalidRequest("the product does not say which model its vector is of: send its main image as well")
    beside = product.embeddings or (old.embeddings if old else {})
    current = [name for name, seen in beside.items() if seen.image_sha256 == product.image_sha256]
    return [product.model, *(name for name in current if name != product.model)]


def _kept(place: int, image: FurtherImage) -> Wanted:
    return Wanted(place, image.url, image.sha256, None)


def _sent(place: int, url: str | None, data: bytes) -> Wanted:
    return Wanted(place, url, hashlib.sha256(data).hexdigest(), data)


def stored(data: bytes) -> StoredImage:
    """Return an image file as the catalogue keeps it."""
    return StoredImage(f"image/{(sniff(data) or 'jpeg').lower()}", data)


def _stored(product: Product) -> set[str]:
    return {image.sha256 for image in product.images if image.url is None and image.sha256 is not None}


@contextmanager
def _naming(place: int) -> Iterator[None]:
    """Let an error that is an image's fault say of which one."""
    try:
        yield
    except LookalikeError as error:
        if error.status < httpx.codes.INTERNAL_SERVER_ERROR:
            error.detail = f"images.{place}: {error.detail}"
        raise


async def _all(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Do several things, a few at a time. When one fails, the others are given up."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(what: Coroutine[Any, Any, T]) -> T:
        async with slots:
            return await what

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(what)) for what in work]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
