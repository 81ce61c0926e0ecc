"""Image bytes → the network's input. Queries, imports and training all come through here.

The steps, in this order: format by content (an explicit list), size check before any pixel is decoded, JPEG draft,
alpha flattened onto white, resize with the aspect kept (of a part, if only a part is meant), EXIF orientation, centred on
white, uint8 RGB.
"""

import io
import math
import struct
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from services.contracts.domain.box import Box
from services.contracts.domain.errors import ImageTooLarge, InvalidImage, InvalidRequest, UnsupportedImage
from services.contracts.domain.manifest import InputSize
from services.contracts.images.formats import sniff

UInt8Image = NDArray[np.uint8]
Edges = tuple[float, float, float, float]  # left, top, right, bottom, as fractions of the sides

# Importing a plugin registers it. Left to itself, Pillow loads all of its forty at the first WebP or AVIF.
PLUGINS = (JpegImagePlugin, PngImagePlugin, WebPImagePlugin, GifImagePlugin, BmpImagePlugin, AvifImagePlugin)
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")
ACCEPTED = "JPEG, PNG, WebP, GIF, BMP or AVIF"
WHITE = (255, 255, 255)
# The EXIF tag "Orientation" and what undoes each of its values (EXIF 2.32, 4.6.4 A).
ORIENTATION_TAG = 0x0112
ORIENTED = {"exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif"}  # where Pillow looks for it
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Where a point of the upright picture is in the stored one, both as fractions of the sides: `UPRIGHT` the other way.
STORED: dict[int, Callable[[float, float], tuple[float, float]]] = {
    1: lambda x, y: (x, y),
    2: lambda x, y: (1 - x, y),
    3: lambda x, y: (1 - x, 1 - y),
    4: lambda x, y: (x, 1 - y),
    5: lambda x, y: (y, x),
    6: lambda x, y: (y, 1 - x),
    7: lambda x, y: (1 - y, 1 - x),
    8: lambda x, y: (1 - y, x),
}
WHOLE: Edges = (0.0, 0.0, 1.0, 1.0)
# A part smaller than this, in pixels a side, shows nothing of a garment.
LEAST_PART = 8
# A progressive JPEG's scans each cost a pass over the whole picture: an encoder makes 10, a file made to hurt thousands.
MAX_SCANS = 100
START_OF_SCAN = b"\xff\xda"
# What the decoders raise on broken bytes: Pillow documents OSError; fuzzing found RuntimeError (AVIF) beside it, and its
# plugins' code can raise the others.
DECODE_ERRORS = (
    *(OSError, ValueError, SyntaxError, EOFError, TypeError, LookupError, ArithmeticError, RuntimeError),
    *(AttributeError, AssertionError, struct.error, zlib.error),
)

# Our own bound is the one that counts and is checked before decoding; Pillow's warning below it is noise.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


@dataclass(frozen=True)
class ImageLimits:
    """Bounds on one image: the file in bytes, the picture in pixels."""

    max_bytes: int = 10 * 1024 * 1024
    max_pixels: int = 25_000_000


DEFAULT_LIMITS = ImageLimits()


@dataclass(frozen=True)
class ImageFacts:
    """What the file said of itself: format as in `FORMATS`, width and height in pixels as stored.

    `shown` is where the picture, or the part that was meant, is in the network's input: left, top, right and bottom in pixels.
    Around it is white.
    """

    format: str
    width: int
    height: int
    shown: tuple[int, int, int, int]


def _refuse_kind(data: bytes) -> UnsupportedImage:
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"heif", b"mif1", b"hevc"):
        return UnsupportedImage(f"this is a HEIC photo: send it as {ACCEPTED}")
    if data.startswith(b"%PDF"):
        return UnsupportedImage(f"this is a PDF document: send a picture as {ACCEPTED}")
    if b"<svg" in data[:1024]:
        return UnsupportedImage(f"this is an SVG drawing: send a picture as {ACCEPTED}")
    return UnsupportedImage(f"the bytes are no image of an accepted format: send {ACCEPTED}")


def _open(data: bytes, limits: ImageLimits) -> tuple[str, ImageFile.ImageFile]:
    if not data:
        raise InvalidImage("the image is empty: it has 0 bytes")
    if len(data) > limits.max_bytes:
        raise ImageTooLarge(f"the image has {len(data):,} bytes: at most {limits.max_bytes:,} are taken")
    kind = sniff(data)
    if kind is None:
        raise _refuse_kind(data)
    try:
        image = Image.open(io.BytesIO(data), formats=(kind,))
    except Image.DecompressionBombError:
        raise ImageTooLarge(f"the image has far more pixels than the {limits.max_pixels:,} that are taken") from None
    except (UnidentifiedImageError, *DECODE_ERRORS):
        raise InvalidImage(f"the {kind} file is damaged: its header cannot be read") from None
    if image.width * image.height > limits.max_pixels:
        size = f"{image.width}×{image.height}"
        raise ImageTooLarge(f"the image is {size} pixels: at most {limits.max_pixels:,} pixels are taken")
    if image.info.get("progressive") and data.count(START_OF_SCAN) > MAX_SCANS:
        raise InvalidImage(f"the JPEG file has more than {MAX_SCANS} scans: save it again as an ordinary JPEG")
    return kind, image


def _orientation(image: Image.Image) -> int:
    if image.format == "JPEG" and not ORIENTED & image.info.keys():
        return 1  # Pillow would make a table of tags first, which takes as long as a tenth of the decoding
    try:
        return int(image.getexif().get(ORIENTATION_TAG, 1))
    except (MemoryError, *DECODE_ERRORS):  # broken metadata is no reason to refuse a picture; broken pixels come later
        return 1


def _flat(image: Image.Image) -> Image.Image:
    """Return the picture as RGB, or as RGBA where it has transparency. 16-bit grey is scaled, not clipped."""
    if image.mode.startswith("I;16") or image.mode == "I":
        grey = np.asarray(image).clip(0, 65535)
        return Image.fromarray((grey // 257).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        return image.convert("RGBA")
    image.load()
    return image if image.mode == "RGB" else image.convert("RGB")


def _stored_edges(box: Box | None, orientation: int) -> Edges:
    """Return a box's edges in the picture as it is stored."""
    if box is None:
        return WHOLE
    place = STORED.get(orientation, STORED[1])
    (x0, y0), (x1, y1) = place(box.x, box.y), place(min(1.0, box.right), min(1.0, box.bottom))
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _refuse_specks(part: tuple[float, float], image: Image.Image) -> None:
    if round(min(part), 3) < min(LEAST_PART, image.width, image.height):
        raise InvalidRequest(
            f"box: it is {part[0]:.0f}×{part[1]:.0f} pixels of this picture: at least {LEAST_PART}×{LEAST_PART} are needed"
        )


def _resized(image: ImageFile.ImageFile, is_jpeg: bool, edges: Edges, target: tuple[int, int]) -> Image.Image:
    """Return a part of the picture, as it is stored, at the size in pixels that is wanted of it."""
    if is_jpeg:
        least = (math.ceil(2 * target[0] / (edges[2] - edges[0])), math.ceil(2 * target[1] / (edges[3] - edges[1])))
        image.draft(None, least)  # type: ignore[arg-type]
    flat = _flat(image)
    # Cut first: `resize` with a box of its own looks beyond the box's edges.
    part = flat if edges == WHOLE else flat.crop(_region(edges, *flat.size))
    return part if part.size == target else part.resize(target, Image.Resampling.BICUBIC, reducing_gap=3.0)


def _region(edges: Edges, width: int, height: int) -> tuple[int, int, int, int]:
    """Return edges in whole pixels, at least one apart."""
    left, top = math.floor(edges[0] * width + 0.5), math.floor(edges[1] * height + 0.5)
    right, bottom = math.floor(edges[2] * width + 0.5), math.floor(edges[3] * height + 0.5)
    return left, top, max(left + 1, right), max(top + 1, bottom)


def _fit(width: float, height: float, box_width: int, box_height: int) -> tuple[int, int]:
    scale = min(box_width / width, box_height / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _shown(image: Image.Image, width: int, height: int) -> tuple[int, int, int, int]:
    """Return where a picture stands in the middle of a frame: left, top, right and bottom in pixels."""
    left, top = (width - image.width) // 2, (height - image.height) // 2
    return left, top, left + image.width, top + image.height


def _on_white(image: Image.Image, width: int, height: int) -> UInt8Image:
    """Return the picture in the middle of a white frame, as an array."""
    if image.mode == "RGBA":
        opaque = Image.new("RGB", image.size, WHITE)
        opaque.paste(image.convert("RGB"), (0, 0), image.getchannel("A"))
        image = opaque
    frame = np.full((height, width, 3), 255, np.uint8)
    left, top, right, bottom = _shown(image, width, height)
    frame[top:bottom, left:right] = np.asarray(image)
    return frame


def prepare_image(
    data: bytes, size: InputSize, limits: ImageLimits = DEFAULT_LIMITS, box: Box | None = None
) -> tuple[UInt8Image, ImageFacts]:
    """Decode one image file and make the network's input of it.

    Args:
        data: the file: JPEG, PNG, WebP, GIF (first frame), BMP or AVIF, told by its content.
        size: what the model's manifest asks for.
        limits: bounds on bytes and pixels, both checked before decoding; 10 MB and 25 megapixels unless told.
        box: the part of the upright picture that is meant; all of it when None.

    Returns:
        uint8, shape (size.height, size.width, 3), RGB; and what the file said of itself.

    Raises:
        InvalidImage: empty, damaged or truncated.
        ImageTooLarge: over a limit.
        UnsupportedImage: not of an accepted format.
        InvalidRequest: the box has too few pixels of this picture.
    """
    kind, image = _open(data, limits)
    stored, orientation = image.size, _orientation(image)  # a JPEG's size changes when it is drafted
    edges = _stored_edges(box, orientation)
    part = ((edges[2] - edges[0]) * image.width, (edges[3] - edges[1]) * image.height)
    if box is not None:
        _refuse_specks(part, image)
    frame = (size.height, size.width) if orientation >= 5 else (size.width, size.height)
    try:
        small = _resized(image, kind == "JPEG", edges, _fit(*part, *frame))
    except Image.DecompressionBombError:
        raise ImageTooLarge(f"the image has far more pixels than the {limits.max_pixels:,} that are taken") from None
    except MemoryError:
        raise ImageTooLarge("the image needs more memory than there is") from None
    except DECODE_ERRORS as error:
        raise InvalidImage(f"the {kind} file is damaged or cut short: {error}") from None
    upright = small.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else small
    facts = ImageFacts(kind, *stored, _shown(upright, size.width, size.height))
    return _on_white(upright, size.width, size.height), facts
