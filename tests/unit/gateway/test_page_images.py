import io

import pytest
from PIL import Image

from services.catalogue.product import StoredImage
from services.contracts.errors import InvalidRequest
from services.gateway.pages_images import Resizer, check_width, resize


def stored(width: int, height: int, kind: str = "JPEG", **options: object) -> StoredImage:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (180, 40, 40)).save(file, kind, **options)
    return StoredImage(f"image/{kind.lower()}", file.getvalue())


def size_of(image: StoredImage) -> tuple[int, int]:
    return Image.open(io.BytesIO(image.data)).size


def test_a_large_picture_comes_smaller_with_its_aspect_kept() -> None:
    small = resize(stored(900, 1200), 240)
    assert size_of(small) == (240, 320)
    assert small.content_type == "image/webp"


def test_a_picture_that_is_small_already_stays_as_it_is() -> None:
    image = stored(200, 300)
    assert resize(image, 240) is image


def test_a_turned_photo_comes_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert size_of(resize(stored(1200, 900, exif=exif), 240)) == (240, 320)


def test_a_broken_picture_stays_as_it_is() -> None:
    image = StoredImage("image/jpeg", stored(900, 1200).data[:200])
    assert resize(image, 240) is image


@pytest.mark.parametrize("width", [0, -1, 239, 100_000])
def test_other_widths_are_refused(width: int) -> None:
    with pytest.raises(InvalidRequest, match="120, 240"):
        check_width(width)


async def test_a_picture_is_made_smaller_once() -> None:
    resizer = Resizer()
    image = stored(900, 1200)
    first = await resizer.resized(image, 240)
    assert await resizer.resized(image, 240) is first
    assert await resizer.resized(image, 120) is not first
    resizer.close()


async def test_the_pictures_kept_stay_within_their_bound() -> None:
    resizer = Resizer(cache_bytes=2000)
    pictures = [stored(400 + n, 500) for n in range(20)]
    made = [await resizer.resized(picture, 240) for picture in pictures]
    kept = sum(len(image.data) for image in resizer._kept.values())
    assert 0 < kept <= 2000 < sum(len(image.data) for image in made)
    assert list(resizer._kept.values())[-1] is made[-1]
    resizer.close()
