"""The model that the service embeds with, and whether it can: looked after in the background."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import structlog

from services.contracts.app import Readiness
from services.contracts.errors import EmbeddingUnavailable, LookalikeError
from services.contracts.imaging import UInt8Image
from services.contracts.manifest import InputSize, Manifest, ManifestError, load_manifest
from services.embedding.decoding import Decoder
from services.embedding.embed import Embedder
from services.embedding.settings import EmbeddingSettings
from services.embedding.tfs_client import TfsClient

log = structlog.get_logger()
RETRY_S = 0.25
FAILURES_TO_RECONNECT = 4


def known_image(size: InputSize) -> UInt8Image:
    """Return the picture that readiness is asked with: a grey garment of sorts on white; shape (1, height, width, 3)."""
    picture = np.full((1, size.height, size.width, 3), 255, np.uint8)
    picture[:, size.height // 4 : size.height * 3 // 4, size.width // 4 : size.width * 3 // 4] = (96, 96, 128)
    return picture


class ActiveModel:
    """Loads the manifest as soon as it is there, and keeps asking TensorFlow Serving whether the model answers.

    Args:
        settings: where the model is and how it is called.
        read_manifest: reads a model directory.
    """

    def __init__(self, settings: EmbeddingSettings, read_manifest: Callable[[Path], Manifest] = load_manifest) -> None:
        self._settings = settings
        self._read_manifest = read_manifest
        self._client: TfsClient | None = None
        self._decoder: Decoder | None = None
        self._embedder: Embedder | None = None
        self._task: asyncio.Task[None] | None = None
        self._failures = 0
        self.readiness = Readiness(ready=False, reasons=("starting",))

    @property
    def embedder(self) -> Embedder:
        """The embedder of the model.

        Raises:
            EmbeddingUnavailable: its manifest cannot be read (yet).
        """
        if self._embedder is None:
            raise EmbeddingUnavailable(f"the model is not loaded: {'; '.join(self.readiness.reasons)}")
        return self._embedder

    async def open(self) -> None:
        """Read the manifest if it is there, and begin to look after the model in the background."""
        with suppress(ManifestError):  # the first look says why
            self._load()
        self._task = asyncio.create_task(self._watch(), name="readiness")

    async def close(self) -> None:
        """Stop looking, then let go of network and threads."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._client:
            await self._client.close()
        if self._decoder:
            self._decoder.close()

    async def look(self) -> None:
        """Find out once whether images can be embedded, and why not."""
        try:
            embedder = self._embedder or self._load()
            reasons = await self._ask(embedder.manifest)
            self._failures = 0
        except (ManifestError, LookalikeError) as error:
            reasons = (str(error),)
            self._failed()
        if reasons != self.readiness.reasons:
            log.info("ready" if not reasons else "not ready", reasons=reasons)
        self.readiness = Readiness(ready=not reasons, reasons=reasons)

    def _load(self) -> Embedder:
        manifest = self._read_manifest(self._settings.model_dir)
        self._client = TfsClient(self._settings.tfs_address, manifest, self._settings.tfs_timeout_s)
        self._decoder = Decoder(manifest.input, self._settings.limits, self._settings.decode_threads)
        self._embedder = Embedder(manifest, self._decoder, self._client, self._settings.tfs_batch)
        return self._embedder

    async def _ask(self, manifest: Manifest) -> tuple[str, ...]:
        assert self._client
        if not await self._client.available():
            return (f"TensorFlow Serving has not loaded the model {manifest.model_id} yet",)
        await self._client.predict(known_image(manifest.input))
        return ()

    def _failed(self) -> None:
        self._failures += 1
        if self._client and self._failures % FAILURES_TO_RECONNECT == 0:
            self._client.reconnect()

    async def _watch(self) -> None:
        while True:
            try:
                await self.look()
            except Exception as error:  # looking must go on, whatever went wrong once
                log.error("readiness", exc_info=error)
                self.readiness = Readiness(ready=False, reasons=("the readiness check failed: see the log",))
            await asyncio.sleep(self._settings.ready_interval_s if self.readiness.ready else RETRY_S)
