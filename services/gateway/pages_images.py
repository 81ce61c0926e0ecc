"""Products' stored pictures at the widths that pages show them in."""

import asyncio
import io
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

from PIL import Image

from services.catalogue.product import StoredImage
from services.contracts.errors import InvalidRequest, LookalikeError
from services.contracts.imaging import DECODE_ERRORS, FORMATS, ORIENTATION_TAG, prepare_image
from services.contracts.manifest import InputSize

# A few widths only, so that nobody can fill the cache, or keep the cores busy, with a thousand sizes of one picture.
WIDTHS = (120, 240, 360, 480, 720)
CACHE_BYTES = 64 * 1024 * 1024
THREADS = 2
QUALITY = 80


def check_width(width: int) -> int:
    """Return the width if pictures are made in it.

    Raises:
        InvalidRequest: they are not.
    """
    if width not in WIDTHS:
        raise InvalidRequest(f"w: pictures come in the widths {', '.join(map(str, WIDTHS))}")
    return width


def upright_size(data: bytes) -> tuple[int, int]:
    """Return width and height of a picture as it is to be seen, from its header alone."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        turned = int(image.getexif().get(ORIENTATION_TAG, 1)) >= 5
        return (image.height, image.width) if turned else (image.width, image.height)


def resize(image: StoredImage, width: int) -> StoredImage:
    """Return the picture as WebP of that width, upright and on white; as it is where that is not smaller or not possible."""
    try:
        full, height = upright_size(image.data)
        if full <= width:
            return image
        size = InputSize(width=width, height=min(2048, max(1, round(height * width / full))))
        pixels, _ = prepare_image(image.data, size)
    except (LookalikeError, *DECODE_ERRORS):
        return image
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", quality=QUALITY, method=4)
    return StoredImage("image/webp", file.getvalue())


class Resizer:
    """Makes pictures smaller, a few at a time beside the event loop, and keeps the latest within a bound."""

    def __init__(self, cache_bytes: int = CACHE_BYTES, threads: int = THREADS) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="resize")
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, int], StoredImage] = OrderedDict()
        self._most = self._room = cache_bytes

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def resized(self, image: StoredImage, width: int) -> StoredImage:
        """Return the picture no wider than `width`, one of WIDTHS."""
        key = (image.sha256, width)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        small = await asyncio.get_running_loop().run_in_executor(self._pool, resize, image, width)
        self._keep(key, small)
        return small

    def _keep(self, key: tuple[str, int], image: StoredImage) -> None:
        with self._lock:
            if key in self._kept or len(image.data) > self._most:
                return
            self._kept[key] = image
            self._room -= len(image.data)
            while self._room < 0:
                _, oldest = self._kept.popitem(last=False)
                self._room += len(oldest.data)
