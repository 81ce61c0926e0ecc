"""Resizing pictures, as a function and over HTTP."""

import io
from typing import Any

import pytest
from PIL import Image

from services.contracts.domain.errors import InvalidImage
from services.contracts.domain.manifest import InputSize
from services.contracts.images.preparation import ImageFacts, UInt8Image, prepare_image
from services.embedding.vision.resizing import resize
from tests.support.servers.embedding import RAW, Service


def picture(width: int, height: int, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (180, 40, 40)).save(file, "JPEG", **options)
    return file.getvalue()


def size_of(data: bytes | None) -> tuple[int, int]:
    assert data
    return Image.open(io.BytesIO(data), formats=("WEBP",)).size


async def prepared(data: bytes, size: InputSize) -> tuple[UInt8Image, ImageFacts]:
    return prepare_image(data, size)


async def test_a_large_picture_is_resized_with_its_aspect_kept() -> None:
    assert size_of(await resize(picture(900, 1200), 240, prepared)) == (240, 320)


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        (200, 8 * 2048, (100, 2048)),
        (200, 2 * 2048, (100, 2048)),
        (2000, 1, (100, 1)),
        (200, 3, (100, 2)),
    ],
)
async def test_a_strip_has_a_height_of_at_least_one_pixel_and_a_limited_one(
    width: int, height: int, size: tuple[int, int]
) -> None:
    assert size_of(await resize(picture(width, height), 100, prepared)) == size


@pytest.mark.parametrize(("orientation", "size"), [(4, (240, 180)), (5, (240, 320)), (6, (240, 320)), (9, (240, 180))])
async def test_a_rotated_photo_becomes_upright(orientation: int, size: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert size_of(await resize(picture(1200, 900, exif=exif), 240, prepared)) == size


async def test_a_picture_that_is_not_wider_is_not_resized() -> None:
    assert await resize(picture(240, 300), 240, prepared) is None
    assert await resize(picture(241, 300), 240, prepared) is not None


@pytest.mark.parametrize("data", [b"", b"no picture", picture(900, 1200)[:200]])
async def test_a_broken_picture_is_an_error(data: bytes) -> None:
    with pytest.raises(InvalidImage):
        await resize(data, 240, prepared)


def test_over_http_the_response_is_a_webp_picture_or_empty(service: Service) -> None:
    response = service.client.post("/v1/resize?width=240", content=picture(900, 1200), headers=RAW)
    assert (response.status_code, response.headers["content-type"]) == (200, "image/webp")
    assert size_of(response.content) == (240, 320)
    small = service.client.post("/v1/resize?width=240", content=picture(200, 300), headers=RAW)
    assert (small.status_code, small.content) == (204, b"")


@pytest.mark.parametrize(("width", "status"), [(15, 422), (16, 200), (2048, 204), (2049, 422)])
def test_a_picture_is_16_to_2048_pixels_wide(service: Service, width: int, status: int) -> None:
    response = service.client.post("/v1/resize", params={"width": width}, content=picture(200, 300), headers=RAW)
    assert response.status_code == status


async def test_the_picture_has_the_quality_of_the_pages() -> None:
    resized = await resize(picture(300, 300), 240, prepared)
    pixels, _ = prepare_image(picture(300, 300), InputSize(width=240, height=240))
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", quality=80, method=4)
    assert resized == file.getvalue()


@pytest.mark.parametrize(("width", "data", "slug"), [
    ("240", b"no picture", "invalid-image"),
    ("240", b"x" * 300_000, "image-too-large"),
    ("8", picture(30, 30), "invalid-request"),
    ("wide", picture(30, 30), "invalid-request"),
])  # fmt: skip
def test_an_unusable_request_is_a_problem(service: Service, width: str, data: bytes, slug: str) -> None:
    response = service.client.post("/v1/resize", params={"width": width}, content=data, headers=RAW)
    assert response.json()["type"] == f"/problems/{slug}"
