import pytest

from services.catalogue.product import StoredImage
from services.contracts.domain.errors import EmbeddingUnavailable, InvalidImage, InvalidRequest
from services.gateway.pages.pictures import Resizer, check_width


class Maker:
    """Plays the embedding service: answers with so many bytes, or raises, and counts."""

    def __init__(self, answer: Exception | int | None = 100) -> None:
        self.answer = answer
        self.asked: list[int] = []

    async def resize(self, data: bytes, width: int) -> bytes | None:
        self.asked.append(width)
        if isinstance(self.answer, Exception):
            raise self.answer
        return None if self.answer is None else data[:4] + bytes(self.answer - 4)


def stored(number: int = 0) -> StoredImage:
    return StoredImage("image/jpeg", number.to_bytes(4, "big") + bytes(1000))


@pytest.mark.parametrize("width", [0, -1, 239, 100_000])
def test_other_widths_are_refused(width: int) -> None:
    with pytest.raises(InvalidRequest, match="120, 240"):
        check_width(width)


async def test_a_picture_is_made_smaller_once() -> None:
    maker = Maker()
    resizer, image = Resizer(maker), stored()
    first = await resizer.resized(image, 240)
    assert (first.content_type, len(first.data)) == ("image/webp", 100)
    assert await resizer.resized(image, 240) is first
    assert await resizer.resized(image, 120) is not first
    assert maker.asked == [240, 120]


@pytest.mark.parametrize("answer", [None, InvalidImage("cut short")])
async def test_a_picture_that_is_small_or_broken_stays_as_it_is_and_is_not_asked_for_again(
    answer: Exception | None,
) -> None:
    maker = Maker(answer)
    resizer, image = Resizer(maker), stored()
    assert await resizer.resized(image, 240) is image
    assert await resizer.resized(image, 240) is image
    assert maker.asked == [240]


async def test_while_nobody_can_make_it_smaller_a_picture_comes_as_it_is() -> None:
    maker = Maker(EmbeddingUnavailable("away"))
    resizer, image = Resizer(maker), stored()
    assert await resizer.resized(image, 240) is image
    maker.answer = 100
    assert len((await resizer.resized(image, 240)).data) == 100


async def test_the_pictures_kept_stay_within_their_bound() -> None:
    resizer = Resizer(Maker(), cache_bytes=350)
    made = [await resizer.resized(stored(n), 240) for n in range(20)]
    assert list(resizer._kept.values()) == made[-3:]
