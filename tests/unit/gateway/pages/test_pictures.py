import pytest

from services.catalogue.product import StoredImage
from services.contracts.domain.errors import EmbeddingUnavailable, InvalidImage, InvalidRequest
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
