"""Products' stored pictures, scaled down to the widths of the pages. The embedding service scales them."""

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

# Few widths, so that a client cannot fill the cache or occupy the processors with many sizes of one picture.
WIDTHS = (120, 240, 360, 480, 720)
CACHE_BYTES = 64 * 1024 * 1024
CONCURRENCY = 2
# Errors that pass. All others come from the picture itself and stay.
TEMPORARY = (EmbeddingUnavailable, UpstreamTimeout, TooManyRequests)


class PictureScaler(Protocol):
    """Scales pictures down; returns None for a picture that is no wider already."""

    async def resize(self, data: bytes, width: int) -> bytes | None: ...


def check_width(width: int) -> int:
    """Return the width if pictures come in it.

    Raises:
        InvalidRequest: they do not.
    """
    if width not in WIDTHS:
        raise InvalidRequest(f"w: pictures come in the widths {', '.join(map(str, WIDTHS))}")
    return width


class Resizer:
    """Scales pictures down, a few at a time, and caches the latest ones within a bound. For one event loop."""

    def __init__(self, scaler: PictureScaler, cache_bytes: int = CACHE_BYTES, concurrency: int = CONCURRENCY) -> None:
        self._scaler = scaler
        self._slots = asyncio.Semaphore(concurrency)
        self._cache: OrderedDict[tuple[str, int], StoredImage] = OrderedDict()
        self._capacity = self._room = cache_bytes

    @property
    def entries(self) -> int:
        """The number of cached pictures."""
        return len(self._cache)

    @property
    def bytes(self) -> int:
        """The bytes of the cached pictures."""
        return self._capacity - self._room

    async def resized(self, image: StoredImage, width: int) -> StoredImage:
        """Return the picture no wider than `width`, one of WIDTHS; unchanged if it cannot be scaled."""
        key = (image.sha256, width)
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        try:
            async with self._slots:
                data = await self._scaler.resize(image.data, width)
        except TEMPORARY:
            return image
        except LookalikeError:
            data = None
        small = image if data is None else StoredImage("image/webp", data)
        self._keep(key, small)
        return small

    def _keep(self, key: tuple[str, int], image: StoredImage) -> None:
        if key in self._cache or len(image.data) > self._capacity:
            return
        self._cache[key] = image
        self._room -= len(image.data)
        while self._room < 0:
            _, oldest = self._cache.popitem(last=False)
            self._room += len(oldest.data)
