"""The pictures of stored products: the catalogue's own copies, or from where the shop shows them."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from services.catalogue.product import Product, ProductImage, StoredImage
from services.catalogue.store.pictures import picture_id
from services.contracts.domain.errors import LookalikeError

AT_ONCE = 16
Fetch = Callable[[str], Awaitable[bytes]]


class NoPicture(Exception):
    """A picture of a product is unavailable. The text says why."""


class StoredPictures(Protocol):
    """The part of `PictureCollection` that is needed here."""

    async def get(self, name: str) -> StoredImage | None: ...


@dataclass(frozen=True, slots=True)
class Picture:
    """The file of an image; `image` is the product's."""

    image: ProductImage
    data: bytes

    @property
    def is_unchanged(self) -> bool:
        """Whether it is the picture that the product's own vector comes from, or may be."""
        return self.image.sha256 in (None, hashlib.sha256(self.data).hexdigest())


@dataclass(frozen=True, slots=True)
class ProductFiles:
    """A product's pictures, the main one first, and why others are unavailable."""

    pictures: tuple[Picture, ...]
    faults: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(len(picture.data) for picture in self.pictures)


class ProductPictures:
    """Gets the pictures of products, a few at a time."""

    def __init__(self, stored: StoredPictures, fetch: Fetch, url_template: str | None = None) -> None:
        """Remember where they come from.

        Args:
            stored: the pictures that no web server of the shop has.
            fetch: gets the others; raises a LookalikeError if it cannot.
            url_template: a main picture's address with `{id}` in it, for products that have neither.
        """
        self._stored_pictures = stored
        self._fetch = fetch
        self._template = url_template
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def get(self, products: Sequence[Product]) -> list[ProductFiles | NoPicture]:
        """Return the pictures of each product, or why there is no main one.

        Additional images without a hash are left out: their vectors could not be assigned.

        Raises:
            CatalogueUnavailable: the database is unavailable.
        """
        return list(await asyncio.gather(*(self._files(product) for product in products)))

    async def _files(self, product: Product) -> ProductFiles | NoPicture:
        main, *others = product.images
        try:
            pictures = [Picture(main, await self._main(product))]
        except NoPicture as error:
            return error
        faults: list[str] = []
        for image in others:
            if image.sha256 is None:
                continue
            try:
                pictures.append(Picture(image, await self._additional(product, image, image.sha256)))
            except NoPicture as error:
                faults.append(str(error))
        return ProductFiles(tuple(pictures), tuple(faults))

    async def _main(self, product: Product) -> bytes:
        url = product.images[0].url
        if url is None and (data := await self._stored(product.key)) is not None:
            return data
        if url is None and self._template is not None:
            url = self._template.replace("{id}", quote(product.key, safe=""))
        if url is None:
            raise NoPicture("no picture of it is stored, and it has no image URL")
        return await self._fetched(url)

    async def _additional(self, product: Product, image: ProductImage, sha256: str) -> bytes:
        if image.url is not None:
            return await self._fetched(image.url)
        data = await self._stored(picture_id(product.key, sha256))
        if data is None:
            raise NoPicture(f"its additional picture {sha256[:12]} is no longer stored")
        return data

    async def _stored(self, name: str) -> bytes | None:
        async with self._slots:
            picture = await self._stored_pictures.get(name)
        return None if picture is None else picture.data

    async def _fetched(self, url: str) -> bytes:
        async with self._slots:
            try:
                return await self._fetch(url)
            except LookalikeError as error:
                raise NoPicture(f"{url}: {error.detail}") from None
