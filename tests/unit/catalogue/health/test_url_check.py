"""The check of products' URLs: which are requested, what counts as dead, and how many requests there are at once."""

import asyncio

import numpy as np

from services.catalogue.documents.product_document import BrokenDocument, Record
from services.catalogue.health.doctor import Examination
from services.catalogue.health.url_check import AT_ONCE, UrlCheck
from services.catalogue.product import Product
from services.cli.imports.run import SHIPPED
from services.contracts.domain.errors import ImageUrlFailed
from tests.support.values.products import additional_image, make_product
from tests.support.web.http import picture

VECTOR = np.ones(64, np.float32)
FACTS = SHIPPED.model_copy(update={"model": "fashion/1"})


class Web:
    """Servers that have a picture under each URL, apart from those that say `gone` or `text`."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.now = self.most = 0

    async def probe(self, url: str) -> bytes:
        self.asked.append(url)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        if "gone" in url:
            raise ImageUrlFailed("the image URL answered 404 Not Found, and the image URL's host is slow")
        return b"<html>" if "text" in url else picture()[:64]


def product(key: str, image: str | None, page: str | None = None, *others: str) -> Product:
    images = tuple(additional_image(VECTOR, url) for url in others)
    return make_product(key, 0, VECTOR, "fashion/1", image_url=image, url=page, images=images)


async def checked(*products: Product) -> tuple[Web, Examination]:
    web, examination = Web(), Examination(FACTS)
    entries: list[Record | BrokenDocument] = [
        *(Record(each.key, each) for each in products),
        BrokenDocument("b", "the vector is missing"),
    ]
    await UrlCheck(web, examination).check(entries)
    return web, examination


async def test_every_image_and_the_page_of_a_product_are_requested() -> None:
    web, examination = await checked(
        product("a", "https://i.test/a.jpg", "https://s.test/text", "https://i.test/b.jpg"),
        product("b", None, "/p/b"),
        product("c", "c.jpg", None, "HTTP://i.test/d.jpg"),
    )
    assert sorted(web.asked) == [
        *("HTTP://i.test/d.jpg", "https://i.test/a.jpg", "https://i.test/b.jpg", "https://s.test/text"),
    ]
    assert (examination.urls_checked, examination.urls_unchecked) == (4, 2)
    findings = examination.report().findings
    assert (findings["dead_images"].count, findings["dead_pages"].count) == (0, 0)


async def test_what_does_not_return_an_image_or_a_page_is_a_finding() -> None:
    _, examination = await checked(
        product("a", "https://i.test/gone", "https://s.test/gone"), product("b", "https://i.test/text")
    )
    findings = examination.report().findings
    reason = "it answered 404 Not Found, and its host is slow"
    assert sorted(findings["dead_images"].examples) == [
        f"a: https://i.test/gone: {reason}",
        "b: https://i.test/text: it does not return an image",
    ]
    assert findings["dead_pages"].examples == [f"a: https://s.test/gone: {reason}"]


async def test_a_few_urls_are_requested_at_a_time() -> None:
    web, _ = await checked(*(product(str(number), f"https://i.test/{number}.jpg") for number in range(3 * AT_ONCE)))
    assert (len(web.asked), web.most) == (3 * AT_ONCE, AT_ONCE)
