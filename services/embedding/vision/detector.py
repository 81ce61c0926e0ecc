"""Image → garments: decode, run the detector, tell those that it is sure of. Knows neither HTTP nor gRPC."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from services.contracts.domain.garments import DetectedGarments, distinct, within
from services.contracts.domain.manifest import DetectorManifest
from services.contracts.images.preparation import ImageLimits, UInt8Image, prepare_image


class DetectionNetwork(Protocol):
    """Finds boxes in a picture; as `DetectorModelClient.detect`."""

    async def detect(self, image: UInt8Image) -> DetectedGarments: ...


@dataclass(frozen=True)
class TimedGarments:
    """The garments of a picture, the surest first, boxes as parts of its sides; and milliseconds."""

    found: DetectedGarments
    decode_ms: float
    network_ms: float


class Detector:
    """Finds garments with one model.

    Args:
        manifest: the model.
        network: how pictures are run.
        limits: bounds on one image.
        threads: images are decoded in them.
    """

    def __init__(
        self, manifest: DetectorManifest, network: DetectionNetwork, limits: ImageLimits, threads: ThreadPoolExecutor
    ) -> None:
        self.manifest = manifest
        self._network = network
        self._limits = limits
        self._threads = threads

    async def detect(self, file: bytes) -> TimedGarments:
        """Return the garments of an image file.

        Raises:
            InvalidImage, ImageTooLarge, UnsupportedImage: the image's fault.
            EmbeddingUnavailable, UpstreamTimeout: the network did not answer.
        """
        started, size = time.perf_counter(), self.manifest.input
        loop = asyncio.get_running_loop()
        image, facts = await loop.run_in_executor(self._threads, prepare_image, file, size, self._limits)
        between = time.perf_counter()
        told = within(await self._network.detect(image), facts.shown, size)
        found = distinct(told, self.manifest.threshold)
        return TimedGarments(found, (between - started) * 1000, (time.perf_counter() - between) * 1000)
