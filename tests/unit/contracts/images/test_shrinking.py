"""Pictures that are made small in bands have the pixels that Pillow gives them in one piece."""

import numpy as np
import pytest
from PIL import Image

from services.contracts.images import shrinking
from services.contracts.images.shrinking import shrunk

SIZES = [(640, 480), (97, 1013), (1013, 97), (300, 300), (1, 900), (900, 1)]


def picture(mode: str, size: tuple[int, int]) -> Image.Image:
    values = np.random.default_rng(sum(size)).integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
    return Image.fromarray(values).convert(mode)


def flat(image: Image.Image) -> Image.Image:
    return image.convert("RGBA" if image.mode in ("RGBA", "LA") else "RGB")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK"])
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("band", [1, 5000])
def test_bands_change_no_pixel(mode: str, size: tuple[int, int], band: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shrinking, "BAND_PIXELS", band)
    image = picture(mode, size)
    target = max(1, size[0] * 24 // max(size)), max(1, size[1] * 24 // max(size))
    whole = flat(image).resize(target, Image.Resampling.BICUBIC, reducing_gap=3.0)
    assert shrunk(image, (0, 0, *size), target, flat).tobytes() == whole.tobytes()


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_an_area_is_that_of_a_cropped_picture(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shrinking, "BAND_PIXELS", 500)
    image = picture(mode, (200, 300))
    area = (31, 47, 171, 290)
    cropped = flat(image).crop(area).resize((30, 52), Image.Resampling.BICUBIC, reducing_gap=3.0)
    assert shrunk(image, area, (30, 52), flat).tobytes() == cropped.tobytes()


def test_no_band_has_many_more_pixels_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shrinking, "BAND_PIXELS", 4000)
    bands: list[int] = []

    def noted(image: Image.Image) -> Image.Image:
        bands.append(image.width * image.height)
        return flat(image)

    shrunk(picture("RGB", (100, 1000)), (0, 0, 100, 1000), (10, 100), noted)
    assert len(bands) == 100_000 // 3900 + 1  # rows in multiples of the factor 3
    assert max(bands) <= 4000
