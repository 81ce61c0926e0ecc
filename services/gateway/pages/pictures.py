"""Products' stored pictures at the widths that pages show them in. The embedding service makes them: see its `resizing`."""

import asyncio
from collections import OrderedDict
from typing import Protocol

from services.catalogue.product import StoredImage
from services.contracts.domain.errors import (
    EmbeddingUnavailable,
    InvalidRequest,
    LookalikeError,
    TooManyRequests,
    UpstreamTimeout,
)

# A few widths only, so that nobody can fill the cache, or keep the cores busy, with a thousand sizes of one picture.
WIDTHS = (120, 240, 360, 480, 720)
CACHE_BYTES = 64 * 1024 * 1024
AT_ONCE = 2
# What passes; the others are the picture's own fault, which stays.
PASSING = (EmbeddingUnavailable, UpstreamTimeout, TooManyRequests)


class Pictures(Protocol):
    """Makes pictures smaller; None where one is small enough already."""

    async def resize(self, data: bytes, width: int) -> bytes | None: ...


def check_width(width: int) -> int:
    """Return the width if pictures are made in it.

    Raises:
        InvalidRequest: they are not.
    """
    if width not in WIDTHS:
        raise InvalidRequest(f"w: pictures come in the widths {', '.join(map(str, WIDTHS))}")
    return width


class Resizer:
    """Has pictures made smaller, a few at a time, and keeps the latest within a bound. It belongs to one event loop."""

    def __init__(self, pictures: Pictures, cache_bytes: int = CACHE_BYTES, at_once: int = AT_ONCE) -> None:
        self._pictures = pictures
        self._turn = asyncio.Semaphore(at_once)
        self._kept: OrderedDict[tuple[str, int], StoredImage] = OrderedDict()
        self._most = self._room = cache_bytes

    async def resized(self, image: StoredImage, width: int) -> StoredImage:
        """Return the picture no wider than `width`, one of WIDTHS; as it is where that cannot be done."""
        key = (image.sha256, width)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        try:
            async with self._turn:
                data = await self._pictures.resize(image.data, width)
        except PASSING:
            return image
        except LookalikeError:
            data = None
        small = image if data is None else StoredImage("image/webp", data)
        self._keep(key, small)
        return small

    def _keep(self, key: tuple[str, int], image: StoredImage) -> None:
        if key in self._kept or len(image.data) > self._most:
            return
        self._kept[key] = image
        self._room -= len(image.data)
        while self._room < 0:
            _, oldest = self._kept.popitem(last=False)
            self._room += len(oldest.data)
