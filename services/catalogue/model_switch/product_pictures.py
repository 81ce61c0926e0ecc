"""The pictures of products that are in the catalogue already: as they are kept there, or from where the shop shows them."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from services.catalogue.product import FurtherImage, Product, StoredImage
from services.catalogue.store.pictures import picture_id
from services.contracts.domain.errors import LookalikeError

AT_ONCE = 16
Fetch = Callable[[str], Awaitable[bytes]]


class NoPicture(Exception):
    """A product's picture cannot be had. The text says why."""


class Kept(Protocol):
    """Where pictures are kept: `PictureCollection`."""

    async def get(self, name: str) -> StoredImage | None: ...


@dataclass(frozen=True, slots=True)
class Pictures:
    """A product's pictures.

    Attributes:
        main: the file of the main one.
        as_before: whether that is the picture which the product's own vector was made of.
        further: the files of the further ones, by the hashes that the product has of them.
        faults: why others cannot be had.
    """

    main: bytes
    as_before: bool
    further: dict[str, bytes]
    faults: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return len(self.main) + sum(map(len, self.further.values()))


class ProductPictures:
    """Gets the pictures of products, a few at a time."""

    def __init__(self, kept: Kept, fetch: Fetch, url_template: str | None = None) -> None:
        """Remember where they come from.

        Args:
            kept: pictures that no web server of the shop has.
            fetch: gets the others; raises a LookalikeError that says why it cannot.
            url_template: a main picture's address with `{id}` in it, for products that have neither.
        """
        self._kept = kept
        self._fetch = fetch
        self._template = url_template
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def get(self, products: Sequence[Product]) -> list[Pictures | NoPicture]:
        """Return the pictures of each product, or why there is no main one.

        Raises:
            CatalogueUnavailable: the database is away.
        """
        return list(await asyncio.gather(*(self._one(product) for product in products)))

    async def _one(self, product: Product) -> Pictures | NoPicture:
        try:
            main = await self._main(product)
        except NoPicture as error:
            return error
        further: dict[str, bytes] = {}
        faults: list[str] = []
        for image in product.images:
            if image.sha256 is None:  # by nothing could its vector be known again
                continue
            try:
                further[image.sha256] = await self._further(product, image, image.sha256)
            except NoPicture as error:
                faults.append(str(error))
        as_before = product.image_sha256 in (None, hashlib.sha256(main).hexdigest())
        return Pictures(main, as_before, further, tuple(faults))

    async def _main(self, product: Product) -> bytes:
        if product.image_url is None and (data := await self._stored(product.key)) is not None:
            return data
        url = product.image_url
        if url is None and self._template is not None:
            url = self._template.replace("{id}", quote(product.key, safe=""))
        if url is None:
            raise NoPicture("no picture of it is kept, and it has no image URL")
        return await self._fetched(url)

    async def _further(self, product: Product, image: FurtherImage, sha256: str) -> bytes:
        if image.url is not None:
            return await self._fetched(image.url)
        data = await self._stored(picture_id(product.key, sha256))
        if data is None:
            raise NoPicture(f"its further picture {sha256[:12]} is not kept any more")
        return data

    async def _stored(self, name: str) -> bytes | None:
        async with self._slots:
            kept = await self._kept.get(name)
        return None if kept is None else kept.data

    async def _fetched(self, url: str) -> bytes:
        async with self._slots:
            try:
                return await self._fetch(url)
            except LookalikeError as error:
                raise NoPicture(f"{url}: {error.detail}") from None
