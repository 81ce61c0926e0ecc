"""PictureDecoder made smaller for pages that show them. Here, so that the gateway, which is public, decodes no image at all."""

import io

from PIL import Image

from services.contracts.domain.errors import InvalidImage
from services.contracts.domain.manifest import InputSize
from services.contracts.images.preparation import DECODE_ERRORS, FORMATS, ORIENTATION_TAG, ImageLimits, prepare_image

MAX_SIDE = 2048
QUALITY = 80


def upright_size(data: bytes) -> tuple[int, int]:
    """Return width and height of a picture as it is to be seen, from its header alone.

    Raises:
        InvalidImage: the header cannot be read.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            turned = int(image.getexif().get(ORIENTATION_TAG, 1)) >= 5
            return (image.height, image.width) if turned else (image.width, image.height)
    except (Image.DecompressionBombError, *DECODE_ERRORS):
        raise InvalidImage("the image's header cannot be read") from None


def resize(data: bytes, width: int, limits: ImageLimits) -> bytes | None:
    """Return the picture as WebP of that width in pixels, upright and on white; None where it is no wider already.

    Raises:
        InvalidImage, ImageTooLarge, UnsupportedImage: as `prepare_image`.
    """
    full, height = upright_size(data)
    if full <= width:
        return None
    size = InputSize(width=width, height=min(MAX_SIDE, max(1, round(height * width / full))))
    pixels, _ = prepare_image(data, size, limits)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", quality=QUALITY, method=4)
    return file.getvalue()
