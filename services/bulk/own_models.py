"""The models of a worker that runs the network itself, on its processors or on its GPU, without a service in between.

The pictures are prepared and the responses shaped by the embedding service's code.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from services.bulk.engine import EngineError
from services.contracts.domain.errors import EmbeddingUnavailable, UnknownModel
from services.contracts.domain.manifest import Manifest, ManifestError, load_manifest, load_version, versions
from services.contracts.images.preparation import UInt8Image
from services.contracts.wire.embedding import BatchResponse, ListedModel, ModelFacts
from services.embedding.api.responses import SecondaryOutcomes, batch_item
from services.embedding.settings import EmbeddingSettings
from services.embedding.vision.decoder import Decoder
from services.embedding.vision.embedder import Embedder, EmbeddingNetwork
from services.embedding.vision.network_outputs import NetworkOutputs

LoadNetwork = Callable[[Path], EmbeddingNetwork]


def check_model(model_dir: Path) -> None:
    """Check that workers can load a model, if they have the folders and libraries of this machine.

    Raises:
        EngineError: there is no model in the directory, or TensorFlow is not installed.
    """
    try:
        load_manifest(model_dir)
    except ManifestError as error:
        raise EngineError(f"the workers cannot load the model: {error}") from None
    if find_spec("tensorflow") is None:
        raise EngineError("TensorFlow is not installed: pip install 'lookalike[serving]'")


class SavedModelNetwork:
    """A SavedModel in this process. TensorFlow chooses the GPU that the process sees, else one processor."""

    def __init__(self, path: Path) -> None:
        """Load the model, which imports TensorFlow."""
        from services.local.tfs.savedmodel import SavedModel

        self._signature = SavedModel(path).signatures["serving_default"]

    async def predict(self, images: UInt8Image) -> NetworkOutputs:
        """Run the network on pictures, uint8, shape (n, height, width, 3)."""
        outputs: dict[str, Any] = await asyncio.to_thread(self._signature.run, {"image": images})
        other = outputs.get("other_clothing")
        probabilities = np.clip(outputs["probabilities"], 0, 1)
        return NetworkOutputs(probabilities, outputs["vector"], None if other is None else np.clip(other, 0, 1))


class OwnModels:
    """The models of a folder, as the embedding service's client gives them. A network is loaded when it is needed."""

    def __init__(self, model_dir: Path, load: LoadNetwork = SavedModelNetwork) -> None:
        """Set the directory of the first model; its other versions are in the same folder."""
        self._model_dir = model_dir
        self._load = load
        settings = EmbeddingSettings()
        self._limits, self._chunk = settings.limits, settings.tfs_batch
        self._threads = ThreadPoolExecutor(settings.decode_threads, thread_name_prefix="decode")
        self._embedders: dict[str, Embedder] = {}
        self._loading = threading.Lock()

    async def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def models(self) -> list[ListedModel]:
        """Return every model of the folder, each with the reason why it cannot be used, if any."""
        first = self._manifest(None)
        names = [f"{first.name}/{version}" for version in versions(self._model_dir.parent)]
        return [ListedModel(model=name, first=name == first.model_id, problem=self._problem(name)) for name in names]

    async def model(self, model: str | None = None) -> ModelFacts:
        """Return the facts of a model. Default: the first one.

        Raises:
            UnknownModel: there is no such model.
            EmbeddingUnavailable: its directory cannot be read.
        """
        return ModelFacts.of(self._manifest(model))

    async def embed_batch(
        self, images: Sequence[bytes], model: str | None = None, secondary_model: str | None = None
    ) -> BatchResponse:
        """Return one item for each image, as the embedding service does.

        Raises:
            UnknownModel, EmbeddingUnavailable: as `model`.
        """
        embedder = await asyncio.to_thread(self._embedder, model)
        timed = await embedder.embed(images)
        other = None if secondary_model is None else await self._secondary(images, secondary_model)
        items = [batch_item(outcome, embedder.manifest, other, number) for number, outcome in enumerate(timed.outcomes)]
        document = {"items": items, "timings_ms": {}}
        return BatchResponse.model_validate_json(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY))

    async def _secondary(self, images: Sequence[bytes], name: str) -> SecondaryOutcomes | None:
        try:
            embedder = await asyncio.to_thread(self._embedder, name)
        except (UnknownModel, EmbeddingUnavailable):
            return None
        return SecondaryOutcomes((await embedder.embed(images)).outcomes, embedder.manifest)

    def _embedder(self, name: str | None) -> Embedder:
        manifest = self._manifest(name)
        with self._loading:
            if manifest.model_id not in self._embedders:
                network = self._load(self._model_dir.parent / str(manifest.version))
                decoder = Decoder(manifest.input, self._limits, self._threads)
                self._embedders[manifest.model_id] = Embedder(manifest, decoder, network, self._chunk)
            return self._embedders[manifest.model_id]

    def _manifest(self, name: str | None) -> Manifest:
        try:
            first = load_manifest(self._model_dir)
            if name is None or name == first.model_id:
                return first
            return load_version(self._model_dir.parent, name)
        except ManifestError as error:
            raise EmbeddingUnavailable(f"{name or 'the model'} cannot be loaded by the workers: {error}") from None

    def _problem(self, name: str) -> str | None:
        try:
            self._manifest(name)
        except EmbeddingUnavailable as error:
            return error.detail
        return None
