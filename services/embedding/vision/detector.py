"""Image → garments: decode it, run the detector, and select the confident boxes. No HTTP and no gRPC."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from services.contracts.domain.garments import DetectedGarments, distinct, within_picture
from services.contracts.domain.manifest import DetectorManifest
from services.contracts.images.preparation import ImageLimits, UInt8Image
from services.embedding.vision.decoder import prepare
from services.embedding.vision.large_pictures import LargePictures


class DetectionNetwork(Protocol):
    """Detects boxes in a picture, as `DetectorModelClient.detect`."""

    async def detect(self, image: UInt8Image) -> DetectedGarments: ...


@dataclass(frozen=True)
class TimedGarments:
    """The garments of a picture, by descending score and in fractions of its sides, and the time of each stage."""

    garments: DetectedGarments
    decode_ms: float
    network_ms: float


class Detector:
    """Detects garments with one model.

    Args:
        manifest: the model.
        network: runs the model.
        limits: the largest accepted image.
        threads: decode the images.
        large: decodes large ones. Default: the threads do.
    """

    def __init__(
        self,
        manifest: DetectorManifest,
        network: DetectionNetwork,
        limits: ImageLimits,
        threads: ThreadPoolExecutor,
        large: LargePictures | None = None,
    ) -> None:
        self.manifest = manifest
        self._network = network
        self._limits = limits
        self._threads = threads
        self._large = large

    async def detect(self, file: bytes) -> TimedGarments:
        """Return the garments of an image file.

        Raises:
            InvalidImage, ImageTooLarge, UnsupportedImage: the image cannot be used.
            EmbeddingUnavailable, UpstreamTimeout: the network did not respond.
        """
        started, size = time.perf_counter(), self.manifest.input
        image, facts = await prepare(file, size, self._limits, self._threads, self._large)
        decoded = time.perf_counter()
        detected = within_picture(await self._network.detect(image), facts.placement, size)
        garments = distinct(detected, self.manifest.threshold)
        return TimedGarments(garments, (decoded - started) * 1000, (time.perf_counter() - decoded) * 1000)
