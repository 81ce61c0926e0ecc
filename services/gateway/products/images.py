"""The additional images of a product that is written: those of the request, or those that the product has."""

import asyncio
import hashlib
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.catalogue.image_vectors import Vectors, known_vectors, with_images
from services.catalogue.product import MAX_IMAGES, Product, ProductImage, StoredImage
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.pictures import picture_id
from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.domain.errors import InvalidRequest, LookalikeError
from services.contracts.images.formats import sniff
from services.contracts.images.metadata import without_metadata
from services.gateway.search.image_reader import ImageReader
from services.gateway.search.links import Links

CONCURRENCY = 4  # images of one product that are fetched or embedded at the same time
T = TypeVar("T")


class ImageBody(BaseModel):
    """An additional image in a request: exactly one of the two."""

    model_config = ConfigDict(extra="forbid")

    url: str | None = Field(
        default=None,
        min_length=1,
        max_length=2048,
        description="URL of the shop's own image, or the URL of an image that the product has",
    )
    base64: str | None = Field(default=None, description="the image file in base64, or a data: URL")

    @model_validator(mode="after")
    def _is_one(self) -> "ImageBody":
        if (self.url is None) == (self.base64 is None):
            raise ValueError("give exactly one of url and base64")
        return self


@dataclass(frozen=True)
class RequestedImage:
    """An additional image that a product is to have. `data` is None if the product has the image already."""

    place: int
    url: str | None
    sha256: str | None
    data: bytes | None


class ProductImages:
    """Reads the additional images of products, and embeds those without a known vector."""

    def __init__(self, store: CatalogueDatabase, embedding: EmbeddingClient, links: Links) -> None:
        self._store = store
        self._embedding = embedding
        self._links = links

    async def requested(
        self, listed: Sequence[ImageBody] | None, files: Sequence[bytes], old: Product | None, reader: ImageReader
    ) -> list[RequestedImage]:
        """Return the additional images that a product is to have: the listed ones and the files, or those that it has.

        Raises:
            InvalidRequest: there are too many.
            LookalikeError: an image cannot be read; the text says which.
        """
        if listed is None and not files:
            return [_kept(place, image) for place, image in enumerate(old.images[1:] if old else ())]
        entries = list(listed or ())
        if len(entries) + len(files) >= MAX_IMAGES:
            raise InvalidRequest(f"a product has at most {MAX_IMAGES} images, the main one included")
        has = self._by_address(old)
        images = await _all([self._one(place, entry, has, reader) for place, entry in enumerate(entries)])
        return images + [await _uploaded(len(entries) + number, data) for number, data in enumerate(files)]

    async def added(
        self, product: Product, old: Product | None, requested: Sequence[RequestedImage], reader: ImageReader
    ) -> tuple[Product, list[tuple[str, StoredImage]]]:
        """Return a product with its additional images, and the pictures to store.

        Args:
            product: the product with the embeddings of its main image.
            old: the product as it is stored.
            requested: its additional images.
            reader: fetches images that the product has, if their vectors are not known.

        Raises:
            LookalikeError: an image cannot be read or used; the text says which.
        """
        main = product.images[0]
        if not requested:
            return _with_main_only(product), []
        models = _models(product, old)
        vectors = known_vectors([old] if old else [], models)
        images = await _all([self._with_bytes(image, product, vectors, reader) for image in requested])
        distinct = {image.sha256: image for image in images if image.sha256 not in (None, main.sha256)}.values()
        for computed in await _all([self._embedded(image, product.key, models, vectors) for image in distinct]):
            vectors |= computed
        listed = [main, *(ProductImage(image.url, image.sha256) for image in distinct)]
        return with_images(product, listed, old, vectors), _pictures(product.key, distinct)

    async def clear(self, product: Product, old: Product | None) -> None:
        """Remove the stored pictures that a product no longer has, once it is written."""
        if old is not None and _stored(old) - _stored(product):
            await self._store.pictures.keep_only({product.key: sorted(_stored(product))})

    def _by_address(self, old: Product | None) -> dict[str, ProductImage]:
        """Return the images that a product has, by their URLs in its responses."""
        if old is None:
            return {}
        paths = zip(
            old.picture_urls[1:], self._links.additional_images(old, self._store.catalogue), old.images[1:], strict=True
        )
        return {url: image for *urls, image in paths for url in urls if url is not None}

    async def _one(
        self, place: int, entry: ImageBody, has: dict[str, ProductImage], reader: ImageReader
    ) -> RequestedImage:
        with _naming(place):
            if entry.url is None:
                return await _uploaded(place, await reader.from_large_base64(entry.base64 or ""))
            if entry.url in has:
                return _kept(place, has[entry.url])
            return _sent(place, entry.url, await reader.from_url(entry.url))

    async def _with_bytes(
        self, image: RequestedImage, product: Product, vectors: Vectors, reader: ImageReader
    ) -> RequestedImage:
        """Return an image with its bytes, unless a vector of it is known."""
        if image.data is not None or (product.key, image.sha256, product.model) in vectors:
            return image
        with _naming(image.place):
            if image.url is not None:
                return _sent(image.place, image.url, await reader.from_url(image.url))
            name = None if image.sha256 is None else picture_id(product.key, image.sha256)
            picture = None if name is None else await self._store.pictures.get(name)
            if picture is None:
                raise InvalidRequest("the picture that the product has is no longer stored: send it again")
            return _sent(image.place, None, picture.data)

    async def _embedded(self, image: RequestedImage, key: str, models: Sequence[str], vectors: Vectors) -> Vectors:
        if image.data is None or (key, str(image.sha256), models[0]) in vectors:
            return {}
        secondary_model = models[1] if models[1:] else None
        with _naming(image.place):
            response = await self._embedding.embed(image.data, models[0], secondary_model=secondary_model)
        embeddings = filter(None, (response, response.secondary))
        return {(key, str(image.sha256), embedding.model): embedding.array for embedding in embeddings}


def _models(product: Product, old: Product | None) -> list[str]:
    """Return the models to embed additional images by; the product's own first.

    Raises:
        InvalidRequest: the product's own model is not known.
    """
    if product.model is None:
        raise InvalidRequest("the model of the product's vector is not known: send its main image as well")
    embeddings = {**(old.embeddings if old else {}), **product.embeddings}
    current = [name for name, embedding in embeddings.items() if embedding.is_of(product.images[0])]
    return [product.model, *(name for name in current if name not in (None, product.model))]


def _with_main_only(product: Product) -> Product:
    """Return a product without additional images, and without their vectors."""
    only = {model: replace(embedding, images=embedding.images[:1]) for model, embedding in product.embeddings.items()}
    return replace(product, images=product.images[:1], embeddings=only)


def _pictures(key: str, images: Iterable[RequestedImage]) -> list[tuple[str, StoredImage]]:
    """Return the pictures of images that no web server has, each with its `_id`."""
    files = [(str(image.sha256), image.data) for image in images if image.url is None]
    return [(picture_id(key, sha256), stored(data)) for sha256, data in files if data is not None]


def _kept(place: int, image: ProductImage) -> RequestedImage:
    return RequestedImage(place, image.url, image.sha256, None)


async def _uploaded(place: int, data: bytes) -> RequestedImage:
    """Return an image that the catalogue will store: without its metadata."""
    return _sent(place, None, await asyncio.to_thread(without_metadata, data))


def _sent(place: int, url: str | None, data: bytes) -> RequestedImage:
    return RequestedImage(place, url, hashlib.sha256(data).hexdigest(), data)


def stored(data: bytes) -> StoredImage:
    """Return an image file as the catalogue stores it."""
    return StoredImage(f"image/{(sniff(data) or 'jpeg').lower()}", data)


def _stored(product: Product) -> set[str]:
    return {image.sha256 for image in product.images[1:] if image.url is None and image.sha256 is not None}


@contextmanager
def _naming(place: int) -> Iterator[None]:
    """Let an error that concerns an image name it."""
    try:
        yield
    except LookalikeError as error:
        if error.status < httpx.codes.INTERNAL_SERVER_ERROR:
            error.detail = f"images.{place}: {error.detail}"
        raise


async def _all(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Return the results of coroutines, of which a few run at a time. If one fails, the others are cancelled."""
    slots = asyncio.Semaphore(CONCURRENCY)

    async def limited(coroutine: Coroutine[Any, Any, T]) -> T:
        async with slots:
            return await coroutine

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(limited(coroutine)) for coroutine in work]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
