"""One embedding model: loaded once its directory can be read, and checked for readiness."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import structlog

from services.contracts.domain.errors import EmbeddingUnavailable, LookalikeError
from services.contracts.domain.manifest import InputSize, Manifest, ManifestError
from services.contracts.images.preparation import UInt8Image
from services.contracts.web.app import Readiness
from services.contracts.web.observability.upstream_calls import UpstreamCalls
from services.embedding.serving.model_clients import EmbeddingModelClient
from services.embedding.settings import EmbeddingSettings
from services.embedding.vision.decoder import Decoder
from services.embedding.vision.embedder import Embedder
from services.embedding.vision.large_pictures import LargePictures

log = structlog.get_logger()
ReadManifest = Callable[[], Manifest]


def probe_image(size: InputSize) -> UInt8Image:
    """Return the picture of readiness checks: a grey-blue square on white, uint8, shape (1, height, width, 3)."""
    picture = np.full((1, size.height, size.width, 3), 255, np.uint8)
    picture[:, size.height // 4 : size.height * 3 // 4, size.width // 4 : size.width * 3 // 4] = (96, 96, 128)
    return picture


class ServedModel:
    """Loads a model's manifest and checks whether TensorFlow Serving runs the model.

    Args:
        read_manifest: reads the model's directory.
        settings: the address of TensorFlow Serving and the limits of images.
        threads: decode the images.
        large: decodes large ones. Default: the threads do.
        calls: measures the calls of TensorFlow Serving.
    """

    def __init__(
        self,
        read_manifest: ReadManifest,
        settings: EmbeddingSettings,
        threads: ThreadPoolExecutor,
        large: LargePictures | None = None,
        calls: UpstreamCalls | None = None,
    ) -> None:
        self._calls = calls
        self._read_manifest = read_manifest
        self._settings = settings
        self._threads = threads
        self._large = large
        self._client: EmbeddingModelClient | None = None
        self._embedder: Embedder | None = None
        self.readiness = Readiness(ready=False, reasons=("starting",))

    @property
    def manifest(self) -> Manifest | None:
        """The manifest, or None if it has not been read yet."""
        return None if self._embedder is None else self._embedder.manifest

    @property
    def is_breaker_open(self) -> bool:
        """Whether its calls fail at once, because the last ones had no response."""
        return self._client is not None and self._client.is_breaker_open

    @property
    def embedder(self) -> Embedder:
        """The embedder of the model.

        Raises:
            EmbeddingUnavailable: the manifest has not been read yet.
        """
        if self._embedder is None:
            raise EmbeddingUnavailable(f"the model is not loaded: {'; '.join(self.readiness.reasons)}")
        return self._embedder

    def load(self) -> Embedder:
        """Return the embedder; the first call reads the manifest and creates the client.

        Raises:
            ManifestError: the manifest cannot be read.
        """
        if self._embedder is None:
            manifest = self._read_manifest()
            address, timeout_s = self._settings.tfs_address, self._settings.tfs_timeout_s
            self._client = EmbeddingModelClient(address, manifest, timeout_s, self._calls)
            decoder = Decoder(manifest.input, self._settings.limits, self._threads, self._large)
            self._embedder = Embedder(manifest, decoder, self._client, self._settings.tfs_batch)
        return self._embedder

    async def close(self) -> None:
        """Close the connection."""
        if self._client:
            await self._client.close()

    async def check(self) -> None:
        """Update `readiness`: whether images can be embedded, or why not. A search that has just succeeded shows it."""
        if self.readiness.ready and self._client and self._client.has_responded_within(self._settings.ready_interval_s):
            return
        try:
            reasons = await self._probe(self.load().manifest)
        except (ManifestError, LookalikeError) as error:
            reasons = (str(error),)
            if self._client:
                self._client.record_failure()
        if reasons != self.readiness.reasons:
            model = self.manifest.model_id if self.manifest else None
            log.info("ready" if not reasons else "not ready", model=model, reasons=reasons)
        self.readiness = Readiness(ready=not reasons, reasons=reasons)

    async def _probe(self, manifest: Manifest) -> tuple[str, ...]:
        assert self._client
        loaded = await self._client.available()
        if loaded:
            await self._client.predict(probe_image(manifest.input), probing=True)
        self._client.record_success()
        return () if loaded else (f"TensorFlow Serving has not loaded the model {manifest.model_id} yet",)
