"""Whether the addresses of products lead anywhere: a bounded number at a time, with the care a stranger's URL takes."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from services.catalogue.documents.product_document import BrokenDocument, Record
from services.catalogue.health.doctor import Examination
from services.catalogue.sources.records.images import WEB
from services.contracts.domain.errors import LookalikeError
from services.contracts.images.formats import sniff

AT_ONCE = 16


class Prober(Protocol):
    """`ImageFetcher`."""

    async def probe(self, url: str) -> bytes: ...


class UrlCheck:
    """Asks for each product's image and page; of each answer only the beginning is read."""

    def __init__(self, prober: Prober, examination: Examination) -> None:
        """Remember whom to tell."""
        self._prober = prober
        self._examination = examination
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def check(self, entries: Iterable[Record | BrokenDocument]) -> None:
        """Check the addresses of some products, and return when all have answered or failed."""
        products = [entry.product for entry in entries if isinstance(entry, Record)]
        async with asyncio.TaskGroup() as group:
            for product in products:
                images = [("dead_images", image.url) for image in product.images]
                for kind, url in (*images, ("dead_pages", product.url)):
                    if url is not None and WEB.match(url):
                        group.create_task(self._one(kind, product.key, url))
                    elif url is not None:
                        self._examination.urls_unchecked += 1

    async def _one(self, kind: str, key: str, url: str) -> None:
        async with self._slots:
            self._examination.urls_checked += 1
            try:
                start = await self._prober.probe(url)
            except LookalikeError as error:
                reason = error.detail.replace("the image URL's", "its").replace("the image URL ", "it ")
                self._examination.found(kind, f"{key}: {url}: {reason}")
                return
        if kind == "dead_images" and sniff(start) is None:
            self._examination.found(kind, f"{key}: {url}: what it gives is no image")
