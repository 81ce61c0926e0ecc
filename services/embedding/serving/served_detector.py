"""The detector of the settings: taken up as soon as its directory is there. The service works without it."""

from concurrent.futures import ThreadPoolExecutor

from services.contracts.domain.errors import DetectorUnavailable, EmbeddingUnavailable
from services.contracts.domain.manifest import ManifestError, load_detector_manifest
from services.embedding.serving.model_clients import DetectorModelClient
from services.embedding.settings import EmbeddingSettings
from services.embedding.vision.detector import Detector, TimedGarments


class ServedDetector:
    """Finds garments with the detector of the settings, once it is there.

    Args:
        settings: where the detector is, how it is called, and what images are taken.
        threads: images are decoded in them.
    """

    def __init__(self, settings: EmbeddingSettings, threads: ThreadPoolExecutor) -> None:
        self._settings = settings
        self._threads = threads
        self._client: DetectorModelClient | None = None
        self._detector: Detector | None = None

    def detector(self) -> Detector:
        """Return what finds garments.

        Raises:
            DetectorUnavailable: its directory is missing or cannot be read (yet).
        """
        if self._detector is None:
            try:
                manifest = load_detector_manifest(self._settings.detector_dir)
            except ManifestError as error:
                raise DetectorUnavailable(f"there is no detector here: {error}") from None
            self._client = DetectorModelClient(self._settings.tfs_address, manifest, self._settings.tfs_timeout_s)
            self._detector = Detector(manifest, self._client, self._settings.limits, self._threads)
        return self._detector

    async def detect(self, file: bytes) -> TimedGarments:
        """Return the garments of an image file; errors as `detector`, and as `Detector.detect`."""
        detector = self.detector()
        assert self._client
        try:
            timed = await detector.detect(file)
        except EmbeddingUnavailable:
            self._client.failed()
            raise
        self._client.answered()
        return timed

    async def close(self) -> None:
        """Let go of the network."""
        if self._client:
            await self._client.close()
