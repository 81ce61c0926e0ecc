"""Images → embeddings: decode them, run the network and normalise the vectors. No HTTP and no gRPC."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from services.contracts.domain.box import Box
from services.contracts.domain.errors import InvalidImage, LookalikeError
from services.contracts.domain.manifest import Manifest
from services.contracts.images.preparation import UInt8Image
from services.embedding.vision.network_outputs import Float32Array, NetworkOutputs

# Chunks of batches in the network at once: what its threads and its queue hold (deploy/serving/batching.config). More
# chunks would wait there until their deadline, and searches would wait behind them.
CONCURRENT_CHUNKS = 4


class PictureDecoder(Protocol):
    """Turns image files, or the same part of each, into the network's input; see `Decoder.decode`."""

    async def decode(
        self, files: Sequence[bytes], box: Box | None = None, *, alone: bool = False
    ) -> list[UInt8Image | LookalikeError]: ...


class EmbeddingNetwork(Protocol):
    """Computes probabilities and vectors of pictures, as `EmbeddingModelClient.predict`."""

    async def predict(self, images: UInt8Image) -> NetworkOutputs: ...


@dataclass(frozen=True)
class ImageEmbedding:
    """The network's outputs for one image.

    Attributes:
        category: id of the most probable category.
        probabilities: float32, shape (categories,).
        vector: float32, shape (dimension,), unit length.
        other_clothing: probability of a garment in none of the categories; None if the model does not return it.
    """

    category: int
    probabilities: Float32Array
    vector: Float32Array
    other_clothing: float | None = None


Outcome = ImageEmbedding | LookalikeError


@dataclass(frozen=True)
class TimedEmbeddings:
    """Outcomes in the order of the files, and the time of each stage: for a batch the sum over its parallel chunks."""

    outcomes: list[Outcome]
    decode_ms: float
    network_ms: float


class Embedder:
    """Embeds images with one model.

    Args:
        manifest: the model.
        decoder, network: decode the images and run the model.
        chunk: the most images in one network call.
    """

    def __init__(self, manifest: Manifest, decoder: PictureDecoder, network: EmbeddingNetwork, chunk: int) -> None:
        self.manifest = manifest
        self._decoder = decoder
        self._network = network
        self._chunk = chunk
        self._slots = asyncio.Semaphore(CONCURRENT_CHUNKS)
        self._requests = 0  # in progress

    async def embed(self, files: Sequence[bytes], box: Box | None = None) -> TimedEmbeddings:
        """Embed image files, or a part of each. A file that cannot be used gets its error; the others are embedded.

        The chunks of a batch run concurrently: one is decoded while another is in the network.

        Raises:
            EmbeddingUnavailable, UpstreamTimeout: the network did not respond.
        """
        self._requests += 1
        try:
            return await self._embed(files, box)
        finally:
            self._requests -= 1

    async def _embed(self, files: Sequence[bytes], box: Box | None) -> TimedEmbeddings:
        if len(files) <= self._chunk:
            return await self._embed_chunk(files, box)
        chunks = [files[start : start + self._chunk] for start in range(0, len(files), self._chunk)]
        parts = await asyncio.gather(*(self._embed_chunk(chunk, box) for chunk in chunks))
        return TimedEmbeddings(
            [outcome for part in parts for outcome in part.outcomes],
            sum(part.decode_ms for part in parts),
            sum(part.network_ms for part in parts),
        )

    async def decode(self, files: Sequence[bytes], box: Box | None = None) -> list[UInt8Image | LookalikeError]:
        """Return each file's picture as the network takes it, or its error."""
        return await self._decoder.decode(files, box)

    async def embed_pictures(self, pictures: UInt8Image) -> list[Outcome]:
        """Embed pictures that are decoded, uint8, shape (n, height, width, 3), a chunk at a time.

        Raises:
            EmbeddingUnavailable, UpstreamTimeout: the network did not respond.
        """
        chunks = [pictures[start : start + self._chunk] for start in range(0, len(pictures), self._chunk)]
        return [outcome for chunk in chunks for outcome in outcomes_of(await self._run(chunk))]

    async def _embed_chunk(self, files: Sequence[bytes], box: Box | None) -> TimedEmbeddings:
        started = time.perf_counter()
        pictures = await self._decoder.decode(files, box, alone=self._requests == 1)
        decoded = time.perf_counter()
        images = [item for item in pictures if not isinstance(item, LookalikeError)]
        embeddings = iter(outcomes_of(await self._run(np.stack(images))) if images else [])
        outcomes = [item if isinstance(item, LookalikeError) else next(embeddings) for item in pictures]
        return TimedEmbeddings(outcomes, (decoded - started) * 1000, (time.perf_counter() - decoded) * 1000)

    async def _run(self, images: UInt8Image) -> NetworkOutputs:
        if len(images) == 1:
            return await self._network.predict(images)
        async with self._slots:
            return await self._network.predict(images)


def outcomes_of(outputs: NetworkOutputs) -> list[Outcome]:
    """Return the outcome of each row. A zero vector has no direction and becomes an InvalidImage."""
    probabilities, vectors, other = outputs.probabilities, outputs.vectors, outputs.other_clothing
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    is_zero = lengths == 0
    units = vectors / np.where(is_zero, 1, lengths).astype(np.float32)[:, None]
    best = probabilities.argmax(axis=1)
    return [
        InvalidImage("the network returned a zero vector for this image, which cannot be compared")
        if is_zero[row]
        else ImageEmbedding(
            int(best[row]), probabilities[row], units[row], None if other is None else float(other[row])
        )
        for row in range(len(vectors))
    ]
