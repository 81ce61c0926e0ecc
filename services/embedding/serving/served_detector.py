"""The detector of the settings, loaded once its directory exists. The service also works without it."""

from concurrent.futures import ThreadPoolExecutor

from services.contracts.domain.errors import DetectorUnavailable, EmbeddingUnavailable
from services.contracts.domain.manifest import ManifestError, load_detector_manifest
from services.contracts.web.observability.upstream_calls import UpstreamCalls
from services.embedding.serving.model_clients import DetectorModelClient
from services.embedding.settings import EmbeddingSettings
from services.embedding.vision.detector import Detector, TimedGarments
from services.embedding.vision.large_pictures import LargePictures


class ServedDetector:
    """Detects garments with the detector of the settings.

    Args:
        settings: the detector's directory, the address of TensorFlow Serving and the limits of images.
        threads: decode the images.
        large: decodes large ones. Default: the threads do.
        calls: measures the calls of TensorFlow Serving.
    """

    def __init__(
        self,
        settings: EmbeddingSettings,
        threads: ThreadPoolExecutor,
        large: LargePictures | None = None,
        calls: UpstreamCalls | None = None,
    ) -> None:
        self._calls = calls
        self._settings = settings
        self._threads = threads
        self._large = large
        self._client: DetectorModelClient | None = None
        self._detector: Detector | None = None

    def detector(self) -> Detector:
        """Return the detector, and load it at the first call.

        Raises:
            DetectorUnavailable: its directory is missing or cannot be read.
        """
        if self._detector is None:
            try:
                manifest = load_detector_manifest(self._settings.detector_dir)
            except ManifestError as error:
                raise DetectorUnavailable(f"the detector is not available: {error}") from None
            address, timeout_s = self._settings.tfs_address, self._settings.tfs_timeout_s
            self._client = DetectorModelClient(address, manifest, timeout_s, self._calls)
            self._detector = Detector(manifest, self._client, self._settings.limits, self._threads, self._large)
        return self._detector

    async def detect(self, file: bytes) -> TimedGarments:
        """Return the garments of an image file; errors as `detector` and `Detector.detect`."""
        detector = self.detector()
        assert self._client
        try:
            timed = await detector.detect(file)
        except EmbeddingUnavailable:
            self._client.record_failure()
            raise
        self._client.record_success()
        return timed

    async def close(self) -> None:
        """Close the connection."""
        if self._client:
            await self._client.close()
