"""Image files → the network's input, in a bounded pool of threads: Pillow frees the interpreter while it decodes."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from services.contracts.domain.box import Box
from services.contracts.domain.errors import LookalikeError
from services.contracts.domain.manifest import InputSize
from services.contracts.images.preparation import ImageLimits, UInt8Image, prepare_image

# Images a job: handing a job to a thread costs some 0.1 ms, a thumbnail's decoding 0.15 ms.
JOB_SIZE = 16
Decoded = UInt8Image | LookalikeError


class Decoder:
    """Decodes as many images at a time as there are threads, so their memory is bounded: 25 megapixels take 100 MB each.

    Args:
        size: what the network takes.
        limits: bounds on one image.
        threads: where images are decoded; decoders of several sizes may share them.
    """

    def __init__(self, size: InputSize, limits: ImageLimits, threads: ThreadPoolExecutor) -> None:
        self._size = size
        self._limits = limits
        self._threads = threads

    async def decode(self, files: Sequence[bytes], box: Box | None = None) -> list[Decoded]:
        """Return each file's picture, uint8 of shape (height, width, 3), or why it has none. Nothing is raised.

        `box` is the part of each picture that is meant.
        """
        loop = asyncio.get_running_loop()
        jobs = [files[start : start + JOB_SIZE] for start in range(0, len(files), JOB_SIZE)]
        done = await asyncio.gather(*(loop.run_in_executor(self._threads, self._job, job, box) for job in jobs))
        return [picture for job in done for picture in job]

    def _job(self, files: Sequence[bytes], box: Box | None) -> list[Decoded]:
        return [self._one(file, box) for file in files]

    def _one(self, file: bytes, box: Box | None) -> Decoded:
        try:
            return prepare_image(file, self._size, self._limits, box)[0]
        except LookalikeError as error:
            return error
