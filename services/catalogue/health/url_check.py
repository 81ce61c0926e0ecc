"""Checks of the products' URLs, a limited number at a time."""

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
    """Requests each product's images and page, and reads the beginning of each response."""

    def __init__(self, prober: Prober, examination: Examination) -> None:
        """Set the source of responses, and the examination that collects the findings."""
        self._prober = prober
        self._examination = examination
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def check(self, entries: Iterable[Record | BrokenDocument]) -> None:
        """Check the URLs of some products; return when all have responded or failed."""
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
                self._examination.add_finding(kind, f"{key}: {url}: {reason}")
                return
        if kind == "dead_images" and sniff(start) is None:
            self._examination.add_finding(kind, f"{key}: {url}: it does not return an image")
