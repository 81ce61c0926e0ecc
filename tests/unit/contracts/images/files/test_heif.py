"""HEIC photos and other HEIF pictures."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from services.catalogue.sources.open_source import open_source
from services.contracts.domain.errors import ImageTooLarge, InvalidImage, UnsupportedImage
from services.contracts.domain.manifest import InputSize
from services.contracts.images.formats import HEIF_BRANDS, sniff
from services.contracts.images.preparation import ImageLimits, prepare_image
from services.embedding.vision.resizing import upright_size
from tests.support.pictures import images

SIZE = InputSize(height=80, width=80)
REFUSALS = (InvalidImage, ImageTooLarge, UnsupportedImage)


PHOTO = images.heic(images.garment())


def difference(data: bytes, other: bytes) -> float:
    """Return the mean difference of two prepared pictures, 0 to 255."""
    first, second = (prepare_image(file, SIZE)[0].astype(int) for file in (data, other))
    return float(np.abs(first - second).mean())


def test_a_heic_photo_is_prepared_as_other_pictures_are() -> None:
    _, facts = prepare_image(PHOTO, SIZE)
    assert (facts.format, facts.width, facts.height) == ("HEIF", 60, 80)
    assert difference(PHOTO, images.png()) < 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_rotated_photo_is_upright(orientation: int) -> None:
    stored = Image.open(io.BytesIO(images.rotated(orientation))).convert("RGB")
    stored.info.clear()
    exif = Image.Exif()
    exif[images.ORIENTATION_TAG] = orientation
    photo = images.heic(stored, exif=exif.tobytes())  # as telephones do: in the picture's transformation, and in EXIF
    assert difference(photo, images.png()) < 3
    assert upright_size(photo) == (60, 80)


def test_transparency_is_white() -> None:
    clear = images.garment().convert("RGBA")
    clear.putalpha(0)
    assert prepare_image(images.heic(clear), SIZE)[0].min() > 250


@pytest.mark.parametrize("brand", sorted(HEIF_BRANDS))
def test_every_brand_of_heif_is_recognised(brand: bytes) -> None:
    photo = PHOTO[:8] + brand + PHOTO[12:]
    assert sniff(photo) == "HEIF"
    assert difference(photo, images.png()) < 3


@pytest.mark.parametrize(
    ("major", "compatible", "kind"),
    [
        (b"mif1", b"avif", "AVIF"),
        (b"avis", b"msf1", "AVIF"),
        (b"mif1", b"miafheic", "HEIF"),
        (b"isom", b"mp42", None),
        (b"qt  ", b"", None),
        (b"M4V ", b"isom", None),
        (b"mp42", b"mif1", None),
        (b"crx ", b"heix", None),
        (b"xyzq", b"heix", "HEIF"),
    ],
)
def test_pictures_and_videos_are_told_apart_by_their_brands(major: bytes, compatible: bytes, kind: str | None) -> None:
    size = (16 + len(compatible)).to_bytes(4, "big")
    assert sniff(size + b"ftyp" + major + bytes(4) + compatible + b"heicavif") == kind


def test_the_limits_of_bytes_and_pixels_hold_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(image: Image.Image) -> None:
        raise AssertionError("the picture was decoded")

    monkeypatch.setattr("pi_heif.as_plugin.HeifImageFile.load", decoded)
    with pytest.raises(ImageTooLarge, match="60×80 pixels"):
        prepare_image(PHOTO, SIZE, ImageLimits(max_pixels=4799))
    with pytest.raises(ImageTooLarge, match="bytes"):
        prepare_image(PHOTO, SIZE, ImageLimits(max_bytes=len(PHOTO) - 1))
    with pytest.raises(ImageTooLarge, match="to decode"):
        prepare_image(PHOTO, SIZE, ImageLimits(max_memory_bytes=1000))


def _cuts() -> Iterator[int]:
    yield from range(0, 24)
    yield from range(24, len(PHOTO), 37)


@pytest.mark.parametrize("cut", _cuts())
def test_a_photo_that_is_cut_short_is_refused(cut: int) -> None:
    with pytest.raises(REFUSALS):
        prepare_image(PHOTO[:cut], SIZE)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(PHOTO) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_damaged_photo_is_read_or_refused(changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(PHOTO)
    for place, value in changes:
        damaged[place] = value
    try:
        pixels, _ = prepare_image(bytes(damaged), SIZE, ImageLimits(max_pixels=100_000))
    except REFUSALS:
        return
    assert pixels.shape == (80, 80, 3)


def test_a_folder_of_heic_photos_is_a_source(tmp_path: Path) -> None:
    for name in ("1.heic", "2.HEIF", "3.hif"):
        (tmp_path / name).write_bytes(PHOTO)
    source = open_source(tmp_path)
    assert sorted(row.key or "" for row in source.rows()) == ["1", "2", "3"]
    source.close()
