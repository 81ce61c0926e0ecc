"""Images → embeddings: decode, run the network, bring the vectors to unit length. Knows neither HTTP nor gRPC."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.box import Box
from services.contracts.domain.errors import InvalidImage, LookalikeError
from services.contracts.domain.manifest import Manifest
from services.contracts.images.preparation import UInt8Image

Float32Array = NDArray[np.float32]
# Parts of batches in the network at once: what its threads and its queue hold (deploy/serving/batching.config). More would spend
# their deadlines waiting there, and searches would wait behind them.
PARTS_AT_ONCE = 4


class PictureDecoder(Protocol):
    """Makes the network's input of image files, or of the same part of each."""

    async def decode(self, files: Sequence[bytes], box: Box | None = None) -> list[UInt8Image | LookalikeError]: ...


class EmbeddingNetwork(Protocol):
    """Makes probabilities and vectors of pictures; shapes as in `EmbeddingModelClient.predict`."""

    async def predict(self, images: UInt8Image) -> tuple[Float32Array, Float32Array]: ...


@dataclass(frozen=True)
class ImageEmbedding:
    """What the network makes of one image.

    Attributes:
        category: id of the most probable category.
        probabilities: float32, shape (categories,).
        vector: float32, shape (dimension,), unit length.
    """

    category: int
    probabilities: Float32Array
    vector: Float32Array


Outcome = ImageEmbedding | LookalikeError


@dataclass(frozen=True)
class TimedEmbeddings:
    """Outcomes in the order of the files, and milliseconds: of a batch, the sums over its parts, which overlap."""

    outcomes: list[Outcome]
    decode_ms: float
    network_ms: float


class Embedder:
    """Embeds images with one model.

    Args:
        manifest: the model.
        pictures, network: how images are decoded and run.
        chunk: images in one call of the network.
    """

    def __init__(self, manifest: Manifest, pictures: PictureDecoder, network: EmbeddingNetwork, chunk: int) -> None:
        self.manifest = manifest
        self._pictures = pictures
        self._network = network
        self._chunk = chunk
        self._places = asyncio.Semaphore(PARTS_AT_ONCE)

    async def embed(self, files: Sequence[bytes], box: Box | None = None) -> TimedEmbeddings:
        """Embed image files, or a part of each; a file that is no usable image gets its error, and the others go on.

        The parts of a batch are under way together, so one is decoded while another is in the network.

        Raises:
            EmbeddingUnavailable, UpstreamTimeout: the network did not answer.
        """
        chunks = [files[start : start + self._chunk] for start in range(0, len(files), self._chunk)]
        parts = await asyncio.gather(*(self._part(chunk, box) for chunk in chunks))
        return TimedEmbeddings(
            [outcome for part in parts for outcome in part.outcomes],
            sum(part.decode_ms for part in parts),
            sum(part.network_ms for part in parts),
        )

    async def _part(self, files: Sequence[bytes], box: Box | None) -> TimedEmbeddings:
        started = time.perf_counter()
        decoded = await self._pictures.decode(files, box)
        between = time.perf_counter()
        images = [item for item in decoded if not isinstance(item, LookalikeError)]
        seen = iter(read(*await self._run(np.stack(images))) if images else [])
        outcomes = [item if isinstance(item, LookalikeError) else next(seen) for item in decoded]
        return TimedEmbeddings(outcomes, (between - started) * 1000, (time.perf_counter() - between) * 1000)

    async def _run(self, images: UInt8Image) -> tuple[Float32Array, Float32Array]:
        if len(images) == 1:
            return await self._network.predict(images)
        async with self._places:
            return await self._network.predict(images)


def read(probabilities: Float32Array, vectors: Float32Array) -> list[Outcome]:
    """Return an outcome a row; a vector without direction is the image's fault: there is nothing to compare.

    Args:
        probabilities: float32, shape (n, categories).
        vectors: float32, shape (n, dimension), finite, any length.
    """
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    nothing = lengths == 0
    units = vectors / np.where(nothing, 1, lengths).astype(np.float32)[:, None]
    best = probabilities.argmax(axis=1)
    return [
        InvalidImage("the network sees nothing in this image: its vector is all zero")
        if nothing[row]
        else ImageEmbedding(int(best[row]), probabilities[row], units[row])
        for row in range(len(vectors))
    ]
