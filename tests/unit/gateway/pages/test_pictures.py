import asyncio

import pytest

from services.catalogue.product import StoredImage
from services.contracts.domain.errors import (
    EmbeddingUnavailable,
    InvalidImage,
    InvalidRequest,
    TooManyRequests,
    UpstreamTimeout,
)
from services.gateway.pages.pictures import Resizer, check_width


class Scaler:
    """Stands for the embedding service: returns a picture of `answer` bytes, or raises it, and records the widths."""

    def __init__(self, answer: Exception | int | None = 100) -> None:
        self.answer = answer
        self.widths: list[int] = []

    async def resize(self, data: bytes, width: int) -> bytes | None:
        self.widths.append(width)
        if isinstance(self.answer, Exception):
            raise self.answer
        return None if self.answer is None else data[:4] + bytes(self.answer - 4)


def stored(number: int = 0) -> StoredImage:
    return StoredImage("image/jpeg", number.to_bytes(4, "big") + bytes(1000))


@pytest.mark.parametrize("width", [0, -1, 239, 100_000])
def test_other_widths_are_refused(width: int) -> None:
    with pytest.raises(InvalidRequest, match="120, 240"):
        check_width(width)


async def test_a_picture_is_scaled_down_once() -> None:
    scaler = Scaler()
    resizer, image = Resizer(scaler), stored()
    first = await resizer.resized(image, 240)
    assert (first.content_type, len(first.data)) == ("image/webp", 100)
    assert await resizer.resized(image, 240) is first
    assert await resizer.resized(image, 120) is not first
    assert scaler.widths == [240, 120]


@pytest.mark.parametrize("answer", [None, InvalidImage("cut short")])
async def test_a_small_or_broken_picture_stays_unchanged_and_is_not_scaled_again(
    answer: Exception | None,
) -> None:
    scaler = Scaler(answer)
    resizer, image = Resizer(scaler), stored()
    assert await resizer.resized(image, 240) is image
    assert await resizer.resized(image, 240) is image
    assert scaler.widths == [240]


async def test_a_picture_stays_unchanged_while_the_scaler_is_unavailable() -> None:
    scaler = Scaler(EmbeddingUnavailable("away"))
    resizer, image = Resizer(scaler), stored()
    assert await resizer.resized(image, 240) is image
    scaler.answer = 100
    assert len((await resizer.resized(image, 240)).data) == 100


async def test_the_cache_stays_within_its_bound() -> None:
    resizer = Resizer(Scaler(), cache_bytes=350)
    made = [await resizer.resized(stored(n), 240) for n in range(20)]
    assert list(resizer._cache.values()) == made[-3:]


@pytest.mark.parametrize("width", [120, 240, 360, 480, 720])
def test_pictures_come_in_five_widths(width: int) -> None:
    assert check_width(width) == width
    for other in (width - 1, width + 1):
        with pytest.raises(InvalidRequest):
            check_width(other)


async def test_the_cache_counts_its_bytes_and_forgets_what_was_used_longest_ago() -> None:
    scaler = Scaler()
    resizer = Resizer(scaler, cache_bytes=300)
    assert (resizer.entries, resizer.bytes) == (0, 0)
    for number in (0, 1, 2, 0, 3):  # 1 is the oldest when 3 comes
        await resizer.resized(stored(number), 240)
    assert (resizer.entries, resizer.bytes) == (3, 300)
    for number, calls in ((0, 4), (2, 4), (3, 4), (1, 5)):
        await resizer.resized(stored(number), 240)
        assert len(scaler.widths) == calls


@pytest.mark.parametrize(("size", "entries"), [(299, 1), (300, 1), (301, 0)])
async def test_a_picture_that_is_larger_than_the_cache_is_not_kept(size: int, entries: int) -> None:
    resizer = Resizer(Scaler(size), cache_bytes=300)
    assert len((await resizer.resized(stored(), 240)).data) == size
    assert (resizer.entries, resizer.bytes) == (entries, entries * size)


async def test_a_picture_that_two_requests_want_is_kept_once() -> None:
    go_on = asyncio.Event()

    class Slow(Scaler):
        async def resize(self, data: bytes, width: int) -> bytes | None:
            await go_on.wait()
            return await super().resize(data, width)

    resizer = Resizer(Slow(), cache_bytes=300)
    requests = [asyncio.create_task(resizer.resized(stored(), 240)) for _ in range(2)]
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(*requests)
    assert (resizer.entries, resizer.bytes) == (1, 100)


@pytest.mark.parametrize("error", [EmbeddingUnavailable("a"), UpstreamTimeout("b"), TooManyRequests("c")])
async def test_an_error_that_passes_is_not_kept(error: Exception) -> None:
    resizer = Resizer(Scaler(error))
    await resizer.resized(stored(), 240)
    assert resizer.entries == 0
