"""One model that images are embedded with: loaded as soon as it is there, and asked now and then whether it answers."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import structlog

from services.contracts.domain.errors import EmbeddingUnavailable, LookalikeError
from services.contracts.domain.manifest import InputSize, Manifest, ManifestError
from services.contracts.images.preparation import UInt8Image
from services.contracts.web.app import Readiness
from services.embedding.serving.model_clients import EmbeddingModelClient
from services.embedding.settings import EmbeddingSettings
from services.embedding.vision.decoder import Decoder
from services.embedding.vision.embedder import Embedder

log = structlog.get_logger()
ReadManifest = Callable[[], Manifest]


def known_image(size: InputSize) -> UInt8Image:
    """Return the picture that readiness is asked with: a grey garment of sorts on white; shape (1, height, width, 3)."""
    picture = np.full((1, size.height, size.width, 3), 255, np.uint8)
    picture[:, size.height // 4 : size.height * 3 // 4, size.width // 4 : size.width * 3 // 4] = (96, 96, 128)
    return picture


class ServedModel:
    """Loads a manifest once it can be read, and finds out whether TensorFlow Serving answers for the model.

    Args:
        read_manifest: reads the model's directory.
        settings: how the network is called, and what images are taken.
        threads: images are decoded in them.
    """

    def __init__(self, read_manifest: ReadManifest, settings: EmbeddingSettings, threads: ThreadPoolExecutor) -> None:
        self._read_manifest = read_manifest
        self._settings = settings
        self._threads = threads
        self._client: EmbeddingModelClient | None = None
        self._embedder: Embedder | None = None
        self.readiness = Readiness(ready=False, reasons=("starting",))

    @property
    def manifest(self) -> Manifest | None:
        """The manifest, once it could be read."""
        return None if self._embedder is None else self._embedder.manifest

    @property
    def embedder(self) -> Embedder:
        """The embedder of the model.

        Raises:
            EmbeddingUnavailable: its manifest cannot be read (yet).
        """
        if self._embedder is None:
            raise EmbeddingUnavailable(f"the model is not loaded: {'; '.join(self.readiness.reasons)}")
        return self._embedder

    def load(self) -> Embedder:
        """Read the manifest, if that has not been done, and make ready to call the model.

        Raises:
            ManifestError: it cannot be read.
        """
        if self._embedder is None:
            manifest = self._read_manifest()
            self._client = EmbeddingModelClient(self._settings.tfs_address, manifest, self._settings.tfs_timeout_s)
            decoder = Decoder(manifest.input, self._settings.limits, self._threads)
            self._embedder = Embedder(manifest, decoder, self._client, self._settings.tfs_batch)
        return self._embedder

    async def close(self) -> None:
        """Let go of the network."""
        if self._client:
            await self._client.close()

    async def look(self) -> None:
        """Find out once whether images can be embedded, and why not."""
        try:
            reasons = await self._ask(self.load().manifest)
        except (ManifestError, LookalikeError) as error:
            reasons = (str(error),)
            if self._client:
                self._client.failed()
        if reasons != self.readiness.reasons:
            model = self.manifest.model_id if self.manifest else None
            log.info("ready" if not reasons else "not ready", model=model, reasons=reasons)
        self.readiness = Readiness(ready=not reasons, reasons=reasons)

    async def _ask(self, manifest: Manifest) -> tuple[str, ...]:
        assert self._client
        loaded = await self._client.available()
        if loaded:
            await self._client.predict(known_image(manifest.input))
        self._client.answered()
        return () if loaded else (f"TensorFlow Serving has not loaded the model {manifest.model_id} yet",)
