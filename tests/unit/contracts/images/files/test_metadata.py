"""Metadata of image files, against Pillow: pixels, orientation and colour profile stay, everything else goes."""

import io
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps, PngImagePlugin

from services.contracts.images.metadata import without_metadata

SECRET = b"GPS 52.5200 N 13.4050 E by Jane Doe"
TRAILER = b"<script>alert(1)</script>"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF"]


def picture(mode: str = "RGB") -> Image.Image:
    pixels = np.random.default_rng(7).integers(0, 255, (24, 40, 3), np.uint8)
    pixels[:12, :20] = (200, 30, 30)
    return Image.fromarray(pixels).convert(mode)


def file(kind: str, orientation: int = 1, **options: Any) -> bytes:
    """Return a file with all metadata that the format may have, and bytes after its end."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = SECRET.decode()
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SECRET.decode())
    metadata: dict[str, dict[str, Any]] = {
        "JPEG": {"exif": exif, "comment": SECRET, "icc_profile": PROFILE, "quality": 90, "xmp": SECRET},
        "PNG": {"exif": exif, "pnginfo": text, "icc_profile": PROFILE},
        "WEBP": {"exif": exif, "xmp": SECRET, "icc_profile": PROFILE, "lossless": True},
        "GIF": {"comment": SECRET},
        "AVIF": {"exif": exif, "xmp": SECRET, "icc_profile": PROFILE},
        "BMP": {},
    }
    out = io.BytesIO()
    picture().save(out, kind, **metadata[kind], **options)
    return out.getvalue() + TRAILER


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("kind", FORMATS)
def test_metadata_and_bytes_after_the_end_go_and_the_picture_stays(kind: str) -> None:
    before = file(kind)
    after = without_metadata(before)
    assert SECRET in before or kind == "BMP"
    assert SECRET not in after
    assert b"script" not in after
    assert (np.asarray(opened(after)) == np.asarray(opened(before))).all()
    assert opened(after).info.get("icc_profile") == opened(before).info.get("icc_profile")
    assert without_metadata(after) == after


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_as_upright_as_before(kind: str, orientation: int) -> None:
    before = file(kind, orientation)
    after = without_metadata(before)
    assert SECRET not in after
    upright = [np.asarray(ImageOps.exif_transpose(opened(data)).convert("RGB")) for data in (before, after)]
    assert upright[0].shape == upright[1].shape
    assert (upright[0] == upright[1]).all()


def test_a_progressive_jpeg_with_restarts_keeps_all_scans() -> None:
    before = file("JPEG", progressive=True, restart_marker_blocks=2)
    after = without_metadata(before)
    assert (np.asarray(opened(after)) == np.asarray(opened(before))).all()
    assert after.endswith(b"\xff\xd9")


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_an_animation_keeps_its_pictures(kind: str) -> None:
    out = io.BytesIO()
    picture().save(out, kind, save_all=True, append_images=[picture().rotate(180)], loop=0, duration=50)
    after = opened(without_metadata(out.getvalue() + TRAILER))
    assert getattr(after, "n_frames", 1) == 2
    assert after.info.get("loop") == 0


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_without_metadata_stays_as_it_is(kind: str) -> None:
    out = io.BytesIO()
    picture().save(out, kind)
    assert without_metadata(out.getvalue()) == out.getvalue()


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_is_cut_short_is_returned_whole_or_cleaned_but_never_an_error(kind: str) -> None:
    data = file(kind)
    for length in range(0, len(data), 7):
        assert len(without_metadata(data[:length])) <= length + 64


@given(st.binary(max_size=200), st.sampled_from(FORMATS), st.integers(0, 400))
def test_no_bytes_are_an_error(noise: bytes, kind: str, at: int) -> None:
    data = file(kind)
    without_metadata(data[:at] + noise + data[at + len(noise) :])
    without_metadata(noise)


def test_an_orientation_in_xmp_alone_is_kept() -> None:
    xmp = b'<x tiff:Orientation="6" dc:creator="Jane Doe"/>'
    out = io.BytesIO()
    picture().save(out, "JPEG", xmp=xmp)
    after = without_metadata(out.getvalue())
    assert b"Jane" not in after
    assert opened(after).getexif()[0x0112] == 6


@pytest.mark.parametrize("marker", [b"\xff\x01", *(bytes((0xFF, code)) for code in range(0xD0, 0xD9)), b"\xff\xff\x01"])
def test_a_jpeg_marker_without_a_length_stays_and_the_metadata_after_it_goes(marker: bytes) -> None:
    data = file("JPEG")
    after = without_metadata(data[:2] + marker + data[2:])
    assert SECRET not in after
    assert after == data[:2] + marker + without_metadata(data)[2:]


@pytest.mark.parametrize("marker", [*range(0xE0, 0xF0), 0xFE])
def test_jpeg_segments_of_every_application_and_comments_go(marker: int) -> None:
    data, segment = file("JPEG"), bytes((0xFF, marker)) + struct.pack(">H", 2 + len(SECRET)) + SECRET
    assert without_metadata(data[:2] + segment + data[2:]) == without_metadata(data)


@pytest.mark.parametrize("marker", [0x00, 0x02, 0xCF, 0xDC, 0xDF, 0xF0, 0xFD])
def test_a_jpeg_marker_with_a_length_stays_with_its_content(marker: int) -> None:
    data, segment = file("JPEG"), bytes((0xFF, marker, 0, 4)) + b"\xff\xd9"
    assert without_metadata(data[:2] + segment + data[2:]) == data[:2] + segment + without_metadata(data)[2:]


def test_the_thumbnail_of_a_camera_goes() -> None:
    thumbnail = b"\xff\xe2" + struct.pack(">H", 2 + 4 + len(SECRET)) + b"MPF\0" + SECRET
    data = file("JPEG")
    assert SECRET not in without_metadata(data[:2] + thumbnail + data[2:])
