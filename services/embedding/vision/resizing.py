"""Resizes pictures for pages. The embedding service does it so that the public gateway decodes no images."""

import asyncio
import io
from collections.abc import Awaitable, Callable

from PIL import Image

from services.contracts.domain.errors import InvalidImage
from services.contracts.domain.manifest import InputSize
from services.contracts.images.formats import sniff
from services.contracts.images.preparation import (
    DECODE_ERRORS,
    FORMATS,
    ORIENTATION_TAG,
    ROTATED,
    ImageFacts,
    UInt8Image,
)
from services.contracts.images.structure import check_structure

MAX_SIDE = 2048
QUALITY = 80
Prepare = Callable[[bytes, InputSize], Awaitable[tuple[UInt8Image, ImageFacts]]]


def upright_size(data: bytes) -> tuple[int, int]:
    """Return the width and height of the upright picture, from its header alone.

    Raises:
        InvalidImage: the header cannot be read, or the file has far too many parts.
    """
    kind = sniff(data)
    if kind is not None:
        check_structure(kind, data)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            exif = Image.Image.getexif(image)  # the method of PNG files decodes the picture
            rotated = int(exif.get(ORIENTATION_TAG, 1)) in ROTATED
            return (image.height, image.width) if rotated else (image.width, image.height)
    except (Image.DecompressionBombError, *DECODE_ERRORS):
        raise InvalidImage("the image's header cannot be read") from None


async def resize(data: bytes, width: int, prepare: Prepare) -> bytes | None:
    """Return the picture as WebP of this width in pixels, upright and on white, or None if it is not wider.

    Args:
        data: the file.
        width: of the result.
        prepare: decodes the file into a picture of a size, as `prepare_image`.

    Raises:
        InvalidImage, ImageTooLarge, UnsupportedImage: as `prepare_image`.
    """
    full_width, height = await asyncio.to_thread(upright_size, data)
    if full_width <= width:
        return None
    size = InputSize(width=width, height=min(MAX_SIDE, max(1, round(height * width / full_width))))
    pixels, _ = await prepare(data, size)
    return await asyncio.to_thread(_webp, pixels)


def _webp(pixels: UInt8Image) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", quality=QUALITY, method=4)
    return file.getvalue()
