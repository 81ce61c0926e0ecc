"""Image bytes → the network's input, for queries, imports and training alike.

The steps in order: the format by content (from a fixed list), a size check before decoding, JPEG draft mode, alpha
flattened onto white, cropping to the box, resizing with the aspect kept, EXIF orientation, centring on white, uint8.
"""

import io
import math
import struct
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

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
from services.contracts.images import heif
from services.contracts.images.formats import sniff
from services.contracts.images.jpeg_end import with_end_marker
from services.contracts.images.other_formats import name_of
from services.contracts.images.shrinking import shrunk
from services.contracts.images.structure import check_structure

UInt8Image = NDArray[np.uint8]
Edges = tuple[float, float, float, float]  # left, top, right, bottom, as fractions of the sides

# Importing a plugin registers it. Otherwise Pillow loads all of its forty plugins at the first WebP or AVIF file.
PLUGINS = (JpegImagePlugin, PngImagePlugin, WebPImagePlugin, GifImagePlugin, BmpImagePlugin, AvifImagePlugin)
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF", heif.FORMAT)
ACCEPTED = "JPEG, PNG, WebP, GIF, BMP, AVIF or HEIC"
WHITE = (255, 255, 255)
# The EXIF tag "Orientation" and the operation that undoes each of its values (EXIF 2.32, 4.6.4 A).
ORIENTATION_TAG = 0x0112
ORIENTED = {"exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif"}  # where Pillow reads it from
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# The orientations in which width and height are swapped; any other value leaves the picture as it is stored.
ROTATED = frozenset({5, 6, 7, 8})
# The place of an upright picture's point in the stored picture, in fractions of the sides: the inverse of `UPRIGHT`.
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
# The shortest side of a box in pixels: a smaller part shows nothing of a garment.
MIN_PART_SIDE = 8
# Pixels of all scans of a progressive JPEG together: each scan decodes the picture again, and encoders write 10.
MAX_SCANNED_PIXELS = 400_000_000
START_OF_SCAN = b"\xff\xda"
# Bytes of memory for each pixel while a file is decoded, by Pillow's mode, and for formats whose decoders keep more.
MODE_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2}
OTHER_MODE_BYTES = 4
FORMAT_BYTES = {"WEBP": 16, "AVIF": 12, heif.FORMAT: 12}
COEFFICIENT_BYTES = 2  # of a progressive JPEG, for each pixel and component
# Stored pixels of a picture that a caller with a bound of memory decodes itself: both take about a tenth of a second.
INLINE_PIXELS = {"JPEG": 16_000_000}
OTHER_INLINE_PIXELS = 8_000_000
# The decoded text chunks of a PNG file.
PngImagePlugin.MAX_TEXT_MEMORY = 8 * 1024 * 1024
# The exceptions of the decoders on damaged files: Pillow documents OSError, fuzzing showed RuntimeError (AVIF), and the
# code of its plugins can raise the others.
DECODE_ERRORS = (
    *(OSError, ValueError, SyntaxError, EOFError, TypeError, LookupError, ArithmeticError, RuntimeError),
    *(AttributeError, AssertionError, struct.error, zlib.error),
)

# `ImageLimits` is checked before decoding, so Pillow's warning about a lower bound is not needed.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


@dataclass(frozen=True)
class ImageLimits:
    """The largest accepted image: bytes of the file, pixels of the picture, and bytes of memory to decode it."""

    max_bytes: int = 10 * 1024 * 1024
    max_pixels: int = 25_000_000
    max_memory_bytes: int = 400_000_000


DEFAULT_LIMITS = ImageLimits()


class LargePicture(Exception):
    """Decoding the picture takes more memory or time than the caller has for it."""


@dataclass(frozen=True)
class ImageFacts:
    """Facts of the file: the format as in `FORMATS`, width and height in pixels as stored.

    `placement` is where the picture, or the part in the box, is in the network's input: its left, top, right and bottom
    edge in pixels. The rest of the input is white.
    """

    format: str
    width: int
    height: int
    placement: tuple[int, int, int, int]


def _unsupported(data: bytes) -> UnsupportedImage:
    name = name_of(data)
    if name is None:
        return UnsupportedImage(f"the file is not an image of an accepted format: send {ACCEPTED}")
    return UnsupportedImage(f"this is {name}: send a picture as {ACCEPTED}")


def _open(data: bytes, limits: ImageLimits) -> tuple[str, ImageFile.ImageFile]:
    if not data:
        raise InvalidImage("the image is empty: it has 0 bytes")
    if len(data) > limits.max_bytes:
        raise ImageTooLarge(f"the image has {len(data):,} bytes: at most {limits.max_bytes:,} are accepted")
    kind = sniff(data)
    if kind is None:
        raise _unsupported(data)
    check_structure(kind, data)
    try:
        image = Image.open(io.BytesIO(data), formats=(kind,))
    except Image.DecompressionBombError:
        raise ImageTooLarge(f"the image has far more pixels than the limit of {limits.max_pixels:,}") from None
    except (UnidentifiedImageError, *DECODE_ERRORS):
        raise InvalidImage(f"the {kind} file is damaged: its header cannot be read") from None
    if image.width * image.height > limits.max_pixels:
        size = f"{image.width}×{image.height}"
        raise ImageTooLarge(f"the image is {size} pixels: at most {limits.max_pixels:,} pixels are accepted")
    if image.info.get("progressive") and data.count(START_OF_SCAN) * image.width * image.height > MAX_SCANNED_PIXELS:
        raise InvalidImage("the JPEG file has too many scans for its size: save it again as an ordinary JPEG")
    return kind, image


def _check_memory(kind: str, image: Image.Image, stored: tuple[int, int], most: int, inline: int | None) -> None:
    """Check the memory for decoding a picture.

    Args:
        kind: the format.
        image: the picture, in the size in which it will be decoded.
        stored: its width and height in the file.
        most: the limit in bytes.
        inline: what the caller has for it; None for any.

    Raises:
        ImageTooLarge: it is above the limit.
        LargePicture: it is more than the caller has, or the picture has more pixels than a caller with a bound decodes.
    """
    pixel = FORMAT_BYTES.get(kind) or MODE_BYTES.get(image.mode, OTHER_MODE_BYTES)
    needed = image.width * image.height * pixel
    if image.info.get("progressive"):
        needed += stored[0] * stored[1] * COEFFICIENT_BYTES * len(image.getbands())
    if needed > most:
        size = f"{stored[0]}×{stored[1]}"
        raise ImageTooLarge(
            f"the image of {size} pixels takes {needed:,} bytes to decode: at most {most:,} are accepted"
        )
    pixels = stored[0] * stored[1]
    if inline is not None and (needed > inline or pixels > INLINE_PIXELS.get(kind, OTHER_INLINE_PIXELS)):
        raise LargePicture


def _orientation(image: Image.Image) -> int:
    if image.format == "JPEG" and not ORIENTED & image.info.keys():
        return 1  # avoids building a table of tags, which takes a tenth of the decoding time
    try:
        return int(image.getexif().get(ORIENTATION_TAG, 1))
    except (MemoryError, *DECODE_ERRORS):  # damaged metadata does not make the picture unusable
        return 1


def _flat(image: Image.Image) -> Image.Image:
    """Return the picture as RGB, or as RGBA if it has transparency. 16-bit grey is scaled, not clipped."""
    if image.mode.startswith("I;16") or image.mode == "I":
        grey = np.asarray(image).clip(0, 65535)
        return Image.fromarray((grey // 257).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        return image.convert("RGBA")
    return image if image.mode == "RGB" else image.convert("RGB")


def _stored_edges(box: Box | None, orientation: int) -> Edges:
    """Return the edges of a box in the stored picture."""
    if box is None:
        return WHOLE
    place = STORED.get(orientation, STORED[1])
    (x0, y0), (x1, y1) = place(box.x, box.y), place(min(1.0, box.right), min(1.0, box.bottom))
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _check_part_size(part: tuple[float, float], image: Image.Image) -> None:
    if round(min(part), 3) < min(MIN_PART_SIDE, image.width, image.height):
        raise InvalidRequest(
            f"box: it covers {part[0]:.0f}×{part[1]:.0f} pixels of this picture: at least "
            f"{MIN_PART_SIDE}×{MIN_PART_SIDE} are required"
        )


def _draft(image: ImageFile.ImageFile, edges: Edges, target: tuple[int, int]) -> None:
    """Let a JPEG be decoded in the smallest size that is at least twice the target size."""
    smallest = (math.ceil(2 * target[0] / (edges[2] - edges[0])), math.ceil(2 * target[1] / (edges[3] - edges[1])))
    image.draft(None, smallest)  # type: ignore[arg-type]


def _resized(image: ImageFile.ImageFile, edges: Edges, target: tuple[int, int]) -> Image.Image:
    """Return a part of the stored picture, resized to the target size in pixels."""
    image.load()
    # Only the area is read: `resize` with a box argument reads pixels outside the box.
    area = (0, 0, *image.size) if edges == WHOLE else _region(edges, *image.size)
    return shrunk(image, area, target, _flat)


def _region(edges: Edges, width: int, height: int) -> tuple[int, int, int, int]:
    """Return the edges in whole pixels, at least one pixel apart."""
    left, top = math.floor(edges[0] * width + 0.5), math.floor(edges[1] * height + 0.5)
    right, bottom = math.floor(edges[2] * width + 0.5), math.floor(edges[3] * height + 0.5)
    return left, top, max(left + 1, right), max(top + 1, bottom)


def _fit(width: float, height: float, box_width: int, box_height: int) -> tuple[int, int]:
    scale = min(box_width / width, box_height / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _placement(image: Image.Image, width: int, height: int) -> tuple[int, int, int, int]:
    """Return the edges of a picture centred in a frame: left, top, right and bottom in pixels."""
    left, top = (width - image.width) // 2, (height - image.height) // 2
    return left, top, left + image.width, top + image.height


def _on_white(image: Image.Image, width: int, height: int) -> UInt8Image:
    """Return the picture centred in a white frame, as an array."""
    if image.mode == "RGBA":
        opaque = Image.new("RGB", image.size, WHITE)
        opaque.paste(image.convert("RGB"), (0, 0), image.getchannel("A"))
        image = opaque
    frame = np.full((height, width, 3), 255, np.uint8)
    left, top, right, bottom = _placement(image, width, height)
    frame[top:bottom, left:right] = np.asarray(image)
    return frame


def _completed(data: bytes) -> bytes | None:
    """Return a JPEG file that lacks only its end marker with the marker, or None."""
    try:
        return with_end_marker(data)
    except (MemoryError, *DECODE_ERRORS):
        return None


def prepare_image(
    data: bytes,
    size: InputSize,
    limits: ImageLimits = DEFAULT_LIMITS,
    box: Box | None = None,
    inline_bytes: int | None = None,
    inline_pixels: int | None = None,
) -> tuple[UInt8Image, ImageFacts]:
    """Decode an image file and turn it into the network's input.

    Args:
        data: the file: JPEG, PNG, WebP, GIF (first frame), BMP, AVIF or HEIC, recognised by its content.
        size: the input size in the model's manifest.
        limits: the largest image, checked before decoding. Default: 10 MB and 25 megapixels.
        box: the part of the upright picture to use. Default: all of it.
        inline_bytes: the memory that the caller has for decoding. Default: the limit.
        inline_pixels: the pixels, of all scans of a JPEG together, that the caller has time for. Default: any number.

    Returns:
        uint8, shape (size.height, size.width, 3), RGB; and the facts of the file.

    Raises:
        InvalidImage: empty, damaged or truncated. A JPEG file may lack its end marker.
        ImageTooLarge: it exceeds a limit.
        UnsupportedImage: its format is not accepted.
        InvalidRequest: the box has too few pixels of this picture.
        LargePicture: decoding takes more than `inline_bytes` or `inline_pixels`; with `inline_bytes` also, too long.
    """
    kind, image = _open(data, limits)
    stored = image.size  # draft mode changes a JPEG's size
    # A thumbnail's scan counts as well. Of a progressive JPEG or not, each scan may take as long as the picture.
    if inline_pixels is not None and max(1, data.count(START_OF_SCAN)) * stored[0] * stored[1] > inline_pixels:
        raise LargePicture
    if kind != "JPEG":  # reading the orientation of a PNG decodes it
        _check_memory(kind, image, stored, limits.max_memory_bytes, inline_bytes)
    orientation = _orientation(image)
    edges = _stored_edges(box, orientation)
    part = ((edges[2] - edges[0]) * image.width, (edges[3] - edges[1]) * image.height)
    if box is not None:
        _check_part_size(part, image)
    frame = (size.height, size.width) if orientation in ROTATED else (size.width, size.height)
    target = _fit(*part, *frame)
    try:
        if kind == "JPEG":
            _draft(image, edges, target)
            _check_memory(kind, image, stored, limits.max_memory_bytes, inline_bytes)
        small = _resized(image, edges, target)
    except Image.DecompressionBombError:
        raise ImageTooLarge(f"the image has far more pixels than the limit of {limits.max_pixels:,}") from None
    except MemoryError:
        raise ImageTooLarge("the image needs more memory than is available") from None
    except DECODE_ERRORS as error:
        complete = _completed(data) if kind == "JPEG" else None
        if complete is None:
            raise InvalidImage(f"the {kind} file is damaged or cut short: {error}") from None
        return prepare_image(complete, size, replace(limits, max_bytes=len(complete)), box, inline_bytes, inline_pixels)
    upright = small.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else small
    facts = ImageFacts(kind, *stored, _placement(upright, size.width, size.height))
    return _on_white(upright, size.width, size.height), facts
