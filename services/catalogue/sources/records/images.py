"""The images of a record: paths and URLs, and reading them."""

import os
import re
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from services.catalogue.product import MAX_IMAGES
from services.catalogue.sources.records.rows import Loader, RowError, RowImage, SourceImageError
from services.contracts.images.web_address import WebAddressError, normalised, normalised_path

PATH_CHARACTERS = "/%:@!$&'()*+,;=~"  # that stay as they are in the path of an address
MAX_URL = 2048
MAX_IMAGE_BYTES = 32 * 1024 * 1024
NO_FILES = Path(os.devnull)  # the images_root of a feed that must not contain paths
# The start of a web address as feeds write it: also without the scheme, or with backslashes after it.
WEB = re.compile(r"https?:[/\\]{2}|//", re.IGNORECASE)
# The address or path of an image's object: `contentUrl` is schema.org's, `file` is Magento's.
ADDRESS_NAMES = ("url", "src", "contentUrl", "link", "href", "file", "originalSrc", "url_standard")
# An image inside an object, and images inside one, as in GraphQL: `{"edges": [{"node": {"url": "…"}}]}`.
IMAGE_WRAPPERS, LIST_WRAPPERS = ("node", "media", "image"), ("edges", "nodes")
# Separators of images in text: a bar or a line break; before a URL also a comma, a semicolon or a space.
SEPARATOR = re.compile(r"\s*[|\n]\s*|[\s,;]+(?=(?:https?:)?//)", re.IGNORECASE)


def web_address(text: str, name: str) -> str:
    """Return a URL as browsers normalise it.

    Raises:
        RowError: the text is not a URL, or is too long; the error contains `name`.
    """
    try:
        address = normalised(text)
    except WebAddressError as error:
        raise RowError(f"{name} is not a web address: it {error}") from None
    if max(len(text), len(address)) > MAX_URL:
        raise RowError(f"{name} is not a web address of at most {MAX_URL} characters")
    return address


def page_address(text: str, name: str) -> str:
    """Return the address of a product page: a web address, or a path of the shop's site, but not `javascript:`.

    Raises:
        RowError: as `web_address`.
    """
    if not text.startswith("/") or text.startswith(("//", "/\\")):
        return web_address(text, name)
    try:
        return normalised_path(text)
    except WebAddressError as error:
        raise RowError(f"{name} is not a web address: it {error}") from None


def split_images(text: str) -> list[str]:
    """Return the paths and URLs in text."""
    return [stripped for part in SEPARATOR.split(text) if (stripped := part.strip())]


def listed_images(value: Any) -> list[Any]:
    """Return the images of a record as a list. Text may contain several."""
    if isinstance(value, str):
        return split_images(value)
    if isinstance(value, dict):
        value = next((value[name] for name in LIST_WRAPPERS if isinstance(value.get(name), list)), value)
    return value if isinstance(value, list) else [] if value is None else [value]


def with_base(value: Any, base: str) -> Any:
    """Return the images of a field with the paths among them as web addresses below `base`."""
    if isinstance(value, list):
        return [with_base(entry, base) for entry in value]
    if not isinstance(value, str):
        return with_base(name, base) if (name := image_name(value)) is not None else value
    texts = split_images(value)
    if len(texts) > 1:
        return [with_base(text, base) for text in texts]
    return value if not texts or WEB.match(texts[0]) else f"{base}/{quote(texts[0].lstrip('/'), safe=PATH_CHARACTERS)}"


def image_name(entry: Any) -> str | None:
    """Return the path or URL of an entry in a list of images: text, or an object with an address."""
    while isinstance(entry, dict) and entry.keys().isdisjoint(ADDRESS_NAMES):
        entry = next((entry[name] for name in IMAGE_WRAPPERS if name in entry), None)
    name = next(filter(None, map(entry.get, ADDRESS_NAMES)), None) if isinstance(entry, dict) else entry
    return (name.strip() or None) if isinstance(name, str) else None


def row_images(entries: list[Any], root: Path, main: Collection[str | None]) -> tuple[tuple[RowImage, ...], int]:
    """Return the additional images of a row, and the number of images over the limit.

    Args:
        entries: text, or objects with an address; other values are an error when they are loaded.
        root: the resolved folder of image files.
        main: the path and the URL of the main image, which is not an additional one.
    """
    additional = {image.name: image for image in _images(entries, root) if image.name not in main}
    limit = MAX_IMAGES - 1
    return tuple(additional.values())[:limit], max(0, len(additional) - limit)


def _images(entries: list[Any], root: Path) -> Iterator[RowImage]:
    for number, entry in enumerate(entries):
        name = image_name(entry)
        if name is not None:
            yield _image(name, root)
        elif entry not in (None, ""):
            yield RowImage(f"images[{number}]", partial(_fail, "it is neither a path nor a URL"))


def _image(name: str, root: Path) -> RowImage:
    if not WEB.match(name):
        return RowImage(name, image_loader(name, root))
    try:
        return RowImage(web_address(name, "it"))
    except RowError as error:
        return RowImage(name[:MAX_URL], partial(_fail, str(error)))


def _fail(reason: str) -> bytes:
    raise SourceImageError(reason)


def image_loader(image: str, root: Path) -> Loader:
    """Return a function that reads an image file; see `read_image`."""
    return partial(read_image, root, image)


def read_image(root: Path, image: str) -> bytes:
    """Return the bytes of an image file.

    Args:
        root: the resolved folder that must contain the file.
        image: its path, relative to the folder or absolute.

    Raises:
        SourceImageError: the file is missing, cannot be read, is too large, or is outside the folder.
    """
    if root == NO_FILES:
        raise SourceImageError(f"the image {image} is a path: this feed may only contain web addresses")
    if "\0" in image:
        raise SourceImageError("the image's path has a NUL character")
    path = Path(os.path.realpath(root / image))
    if not path.is_relative_to(root):
        raise SourceImageError(f"the image {image} is outside {root}: set --images to a folder that contains it")
    try:
        size = path.stat().st_size
        if size > MAX_IMAGE_BYTES:
            raise SourceImageError(f"the image {image} has {size:,} bytes: at most {MAX_IMAGE_BYTES:,} are accepted")
        return path.read_bytes()
    except FileNotFoundError:
        raise SourceImageError(f"there is no image {image}") from None
    except OSError as error:
        raise SourceImageError(f"the image {image} cannot be read: {error.strerror}") from None
