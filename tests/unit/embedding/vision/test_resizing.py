"""PictureDecoder made smaller, as functions and over HTTP."""

import io

import pytest
from PIL import Image

from services.contracts.domain.errors import InvalidImage
from services.contracts.images.preparation import DEFAULT_LIMITS
from services.embedding.vision.resizing import resize
from tests.support.embedding import RAW, Service


def picture(width: int, height: int, **options: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (180, 40, 40)).save(file, "JPEG", **options)
    return file.getvalue()


def size_of(data: bytes | None) -> tuple[int, int]:
    assert data
    return Image.open(io.BytesIO(data), formats=("WEBP",)).size


def test_a_large_picture_comes_smaller_with_its_aspect_kept() -> None:
    assert size_of(resize(picture(900, 1200), 240, DEFAULT_LIMITS)) == (240, 320)


def test_a_turned_photo_comes_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert size_of(resize(picture(1200, 900, exif=exif), 240, DEFAULT_LIMITS)) == (240, 320)


def test_a_picture_that_is_small_already_needs_no_other() -> None:
    assert resize(picture(200, 300), 240, DEFAULT_LIMITS) is None


@pytest.mark.parametrize("data", [b"", b"no picture", picture(900, 1200)[:200]])
def test_a_broken_picture_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidImage):
        resize(data, 240, DEFAULT_LIMITS)


def test_over_http_it_is_a_webp_picture_or_nothing(service: Service) -> None:
    answer = service.client.post("/v1/resize?width=240", content=picture(900, 1200), headers=RAW)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    assert size_of(answer.content) == (240, 320)
    small = service.client.post("/v1/resize?width=240", content=picture(200, 300), headers=RAW)
    assert (small.status_code, small.content) == (204, b"")


@pytest.mark.parametrize(("width", "data", "slug"), [
    ("240", b"no picture", "invalid-image"),
    ("240", b"x" * 300_000, "image-too-large"),
    ("8", picture(30, 30), "invalid-request"),
    ("wide", picture(30, 30), "invalid-request"),
])  # fmt: skip
def test_what_cannot_be_made_smaller_is_a_problem(service: Service, width: str, data: bytes, slug: str) -> None:
    answer = service.client.post("/v1/resize", params={"width": width}, content=data, headers=RAW)
    assert answer.json()["type"] == f"/problems/{slug}"
