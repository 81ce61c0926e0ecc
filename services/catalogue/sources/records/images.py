"""What a record says of its product's images: paths and URLs, and how to get at them."""

import os
import re
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from services.catalogue.product import MAX_IMAGES
from services.catalogue.sources.records.rows import Loader, RowError, RowImage, SourceImageError

MAX_URL = 2048
MAX_IMAGE_BYTES = 32 * 1024 * 1024
NO_FILES = Path(os.devnull)  # as the folder of a feed's images: it may name none
WEB = re.compile(r"https?://", re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x20\x7f]")
# Between several images in one text: a bar or a line's end; before a URL also a comma, a semicolon or a space.
BETWEEN = re.compile(r"\s*[|\n]\s*|[\s,;]+(?=https?://)", re.IGNORECASE)


def web_address(text: str, name: str) -> str:
    """Return a URL.

    Raises:
        RowError: it is none, or too long; the text calls it `name`.
    """
    if not WEB.match(text) or len(text) > MAX_URL or CONTROL.search(text):
        raise RowError(
            f"{name} is no web address of at most {MAX_URL} characters: it must begin with http:// or https://"
        )
    return text


def split_images(text: str) -> list[str]:
    """Return the paths and URLs in one text."""
    return [part for found in BETWEEN.split(text) if (part := found.strip())]


def listed_images(value: Any) -> list[Any]:
    """Return what a record lists as images, one entry each; a text may hold several."""
    if isinstance(value, str):
        return split_images(value)
    return value if isinstance(value, list) else [] if value is None else [value]


def image_name(entry: Any) -> str | None:
    """Return the path or URL that an entry of a list of images is: a text, or an object with a `url` or `src`."""
    said = next(filter(None, map(entry.get, ("url", "src"))), None) if isinstance(entry, dict) else entry
    return (said.strip() or None) if isinstance(said, str) else None


def row_images(entries: list[Any], root: Path, besides: Collection[str | None]) -> tuple[tuple[RowImage, ...], int]:
    """Return the further images of a row, and how many there are beyond those that a product may have.

    Args:
        entries: texts, or objects with a `url` or `src`; whatever else there is fails once it is loaded.
        root: the folder, fully resolved, that image files are in.
        besides: the main image's path and URL: it does not count twice.
    """
    found = {image.name: image for image in _images(entries, root) if image.name not in besides}
    most = MAX_IMAGES - 1
    return tuple(found.values())[:most], max(0, len(found) - most)


def _images(entries: list[Any], root: Path) -> Iterator[RowImage]:
    for number, entry in enumerate(entries):
        name = image_name(entry)
        if name is not None:
            yield _image(name, root)
        elif entry not in (None, ""):
            yield RowImage(f"images[{number}]", partial(_refuse, "it is neither a path nor a URL"))


def _image(name: str, root: Path) -> RowImage:
    if not WEB.match(name):
        return RowImage(name, image_loader(name, root))
    try:
        return RowImage(web_address(name, "it"))
    except RowError as error:
        return RowImage(name[:MAX_URL], partial(_refuse, str(error)))


def _refuse(reason: str) -> bytes:
    raise SourceImageError(reason)


def image_loader(image: str, root: Path) -> Loader:
    """Return what reads an image file; see `read_image`."""
    return partial(read_image, root, image)


def read_image(root: Path, image: str) -> bytes:
    """Return the bytes of an image file.

    Args:
        root: the folder, fully resolved, that the file has to be in.
        image: its path, relative to the folder or absolute.

    Raises:
        SourceImageError: there is none, it cannot be read, it is too large, or it lies outside the folder.
    """
    if root == NO_FILES:
        raise SourceImageError(f"the image {image} is a path: only web addresses are taken here")
    if "\0" in image:
        raise SourceImageError("the image's path holds a NUL character")
    path = Path(os.path.realpath(root / image))
    if not path.is_relative_to(root):
        raise SourceImageError(f"the image {image} lies outside {root}: give --images with a folder that holds it")
    try:
        size = path.stat().st_size
        if size > MAX_IMAGE_BYTES:
            raise SourceImageError(f"the image {image} has {size:,} bytes: at most {MAX_IMAGE_BYTES:,} are read")
        return path.read_bytes()
    except FileNotFoundError:
        raise SourceImageError(f"there is no image {image}") from None
    except OSError as error:
        raise SourceImageError(f"the image {image} cannot be read: {error.strerror}") from None
