"""Image files → the network's input, in a bounded thread pool. Pillow releases the GIL while it decodes.

Pictures that take much memory or time to decode go to a process with limits of its own.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from services.contracts.domain.box import Box
from services.contracts.domain.errors import LookalikeError
from services.contracts.domain.manifest import InputSize
from services.contracts.images.formats import sniff
from services.contracts.images.preparation import ImageFacts, ImageLimits, LargePicture, UInt8Image, prepare_image
from services.embedding.vision.large_pictures import LargePictures

# Images in a job: passing a job to a thread costs about 0.1 ms, decoding a thumbnail 0.15 ms.
JOB_SIZE = 16
# The largest JPEG file that the event loop decodes itself, in 1 to 3 ms, where no other request waits: the way to a
# thread and back takes 0.2 ms. Pixels are those of all scans together.
AT_ONCE_BYTES, AT_ONCE_PIXELS = 256 * 1024, 250_000
# Memory of a picture that a thread decodes. An ordinary photo takes less: JPEG files are decoded in a small size.
INLINE_BYTES = 32 * 1024 * 1024
Decoded = UInt8Image | LookalikeError


class Decoder:
    """Decodes one image per thread at a time, which bounds the memory.

    Args:
        size: the network's input size.
        limits: the largest accepted image.
        threads: decode the images; several decoders may share them.
        large: decodes those that take more than INLINE_BYTES or have very many pixels. Default: the threads do.
    """

    def __init__(
        self, size: InputSize, limits: ImageLimits, threads: ThreadPoolExecutor, large: LargePictures | None = None
    ) -> None:
        self._size = size
        self._limits = limits
        self._threads = threads
        self._large = large

    async def decode(self, files: Sequence[bytes], box: Box | None = None, *, alone: bool = False) -> list[Decoded]:
        """Return each file's picture, uint8, shape (height, width, 3), or its error. Nothing is raised.

        Args:
            files: the image files.
            box: the part of each picture to use. Default: all of it.
            alone: whether no other request waits for the event loop. Then a single small JPEG is decoded in it.
        """
        if alone and len(files) == 1 and len(files[0]) <= AT_ONCE_BYTES and sniff(files[0]) == "JPEG":
            small = self._decode_file(files[0], box, AT_ONCE_PIXELS)
            if not isinstance(small, LargePicture):
                return [small]
        loop = asyncio.get_running_loop()
        jobs = [files[start : start + JOB_SIZE] for start in range(0, len(files), JOB_SIZE)]
        decoding = [loop.run_in_executor(self._threads, self._job, job, box) for job in jobs]
        results = [await decoding[0]] if len(decoding) == 1 else await asyncio.gather(*decoding)
        pictures = [picture for pictures in results for picture in pictures]
        return [
            await self._decode_large(file, box) if isinstance(picture, LargePicture) else picture
            for file, picture in zip(files, pictures, strict=True)
        ]

    def _job(self, files: Sequence[bytes], box: Box | None) -> list[Decoded | LargePicture]:
        return [self._decode_file(file, box) for file in files]

    def _decode_file(self, file: bytes, box: Box | None, pixels: int | None = None) -> Decoded | LargePicture:
        """Return the picture, its error, or that it is a large one. `pixels`: as `inline_pixels` of `prepare_image`."""
        try:
            return prepare_image(file, self._size, self._limits, box, self._inline_bytes, pixels)[0]
        except (LookalikeError, LargePicture) as error:
            return error

    @property
    def _inline_bytes(self) -> int | None:
        return None if self._large is None else INLINE_BYTES

    async def _decode_large(self, file: bytes, box: Box | None) -> Decoded:
        assert self._large is not None
        try:
            return (await self._large.prepare(file, self._size, self._limits, box))[0]
        except LookalikeError as error:
            return error


async def prepare(
    file: bytes, size: InputSize, limits: ImageLimits, threads: ThreadPoolExecutor, large: LargePictures | None
) -> tuple[UInt8Image, ImageFacts]:
    """Prepare one image in a thread, or in the process for large pictures if there is one; see `prepare_image`."""
    inline = None if large is None else INLINE_BYTES
    loop = asyncio.get_running_loop()
    try:
        return await loop.run_in_executor(threads, prepare_image, file, size, limits, None, inline)
    except LargePicture:
        assert large is not None
        return await large.prepare(file, size, limits)
