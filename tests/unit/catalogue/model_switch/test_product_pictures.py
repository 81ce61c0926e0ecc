"""Where the pictures of stored products come from, in which order the sources count, and what is missing."""

import asyncio
import hashlib
from typing import Any

import numpy as np
import pytest

from services.catalogue.model_switch.product_pictures import AT_ONCE, NoPicture, Picture, ProductFiles, ProductPictures
from services.catalogue.model_switch.reembedding_report import ReembedSummary, ReembedTally
from services.catalogue.product import Product, ProductImage, StoredImage
from services.catalogue.store.pictures import picture_id
from services.contracts.domain.errors import ImageUrlFailed
from tests.support.values.products import additional_image, make_product

VECTOR = np.ones(4, np.float32)
SHA = "ab" * 32


class Stored(dict[str, bytes]):
    """The pictures of the catalogue; `most` is how many were read at once."""

    now = most = 0

    async def get(self, name: str) -> StoredImage | None:  # type: ignore[override]
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        return StoredImage("image/png", self[name]) if name in self else None


async def fetch(url: str) -> bytes:
    if "gone" in url:
        raise ImageUrlFailed("the image URL answered 404 Not Found")
    return url.encode()


def product(key: str, url: str | None = None, *others: tuple[ProductImage, Any]) -> Product:
    return make_product(key, 0, VECTOR, image_url=url, images=others)


async def files(given: Product, stored: dict[str, bytes] | None = None, template: str | None = None) -> Any:
    (result,) = await ProductPictures(Stored(stored or {}), fetch, template).get([given])
    return result


@pytest.mark.parametrize(
    ("url", "stored", "template", "data"),
    [
        ("https://i.test/a", {"a/b": b"kept"}, "https://t.test/{id}", b"https://i.test/a"),
        (None, {"a/b": b"kept"}, "https://t.test/{id}", b"kept"),
        (None, {}, "https://t.test/{id}.jpg?{id}", b"https://t.test/a%2Fb.jpg?a%2Fb"),
    ],
)
async def test_the_shop_s_address_comes_before_the_stored_picture_and_the_template(
    url: str | None, stored: dict[str, bytes], template: str | None, data: bytes
) -> None:
    assert [picture.data for picture in (await files(product("a/b", url), stored, template)).pictures] == [data]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (product("a"), "no picture of it is stored, and it has no image URL"),
        (product("a", "https://i.test/gone"), "https://i.test/gone: the image URL answered 404 Not Found"),
    ],
)
async def test_a_product_without_a_main_picture_has_a_reason(given: Product, reason: str) -> None:
    result = await files(given)
    assert isinstance(result, NoPicture)
    assert str(result) == reason


async def test_additional_pictures_come_from_the_shop_or_the_catalogue() -> None:
    others = (
        additional_image(VECTOR, "https://i.test/b", "bb"),
        additional_image(VECTOR, None, SHA),
        additional_image(VECTOR, "https://i.test/unknown"),  # without a hash
        additional_image(VECTOR, "https://i.test/gone", "dd"),
        additional_image(VECTOR, None, "ee" * 32),
    )
    result = await files(product("a", "https://i.test/a", *others), {picture_id("a", SHA): b"kept"})
    assert [(picture.image.sha256, picture.data) for picture in result.pictures] == [
        (None, b"https://i.test/a"),
        ("bb", b"https://i.test/b"),
        (SHA, b"kept"),
    ]
    assert result.faults == (
        "https://i.test/gone: the image URL answered 404 Not Found",
        "its additional picture eeeeeeeeeeee is no longer stored",
    )
    assert result.size == len(b"https://i.test/a" + b"https://i.test/b" + b"kept")
    assert ProductFiles(()).faults == ()


async def test_a_few_pictures_are_read_at_a_time_in_the_order_of_the_products() -> None:
    keys = [str(number) for number in range(3 * AT_ONCE)]
    stored = Stored({key: key.encode() for key in keys})
    results: list[Any] = await ProductPictures(stored, fetch).get([product(key) for key in keys])
    assert [result.pictures[0].data.decode() for result in results] == keys
    assert stored.most == AT_ONCE


@pytest.mark.parametrize(("sha256", "expected"), [(hashlib.sha256(b"a").hexdigest(), True), (None, True), (SHA, False)])
def test_a_picture_may_have_changed_since_its_vector(sha256: str | None, expected: bool) -> None:
    assert Picture(ProductImage(None, sha256), b"a").is_unchanged is expected


def test_the_counts_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.monotonic", lambda: 110.0)
    tally = ReembedTally(found=40, embedded=10, overtaken=6, rejected=4, started=100.0)
    assert (tally.done, tally.seconds, tally.rate, tally.left_s) == (20, 10.0, 2.0, 10.0)
    assert (ReembedTally(found=3, started=100.0).left_s, ReembedTally(embedded=1, started=110.0).rate) == (None, 0.0)
    assert ReembedTally(found=3, started=100.0).rate == 0.0


def test_a_summary_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.monotonic", lambda: 103.0)
    counts = {"found": 9, "embedded": 5, "overtaken": 1, "rejected": 2, "images_rejected": 3, "other_pictures": 4}
    tally = ReembedTally(**counts, started=100.0)  # type: ignore[arg-type]
    document = ReembedSummary(tally, "done", "fashion/2", 2.34567).document()
    facts = {"status": "done", "reason": None, "model": "fashion/2", "rejected_file": None}
    assert document == {**facts, **counts, "seconds": 2.346, "rate": 2.7}
    assert ReembedSummary(tally, "done", "fashion/2", 1.0, catalogue="shoes").document()["catalogue"] == "shoes"
    assert ReembedTally().__dict__ | {"started": 0} == {**dict.fromkeys(counts, 0), "started": 0}
