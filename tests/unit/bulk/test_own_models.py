"""The models of a worker that runs the network itself."""

import threading
from pathlib import Path

import numpy as np
import pytest

from services.bulk import own_models
from services.bulk.engine import EngineError
from services.bulk.own_models import OwnModels, check_model
from services.contracts.domain.errors import EmbeddingUnavailable
from services.contracts.domain.manifest import load_manifest
from services.contracts.images.preparation import UInt8Image
from services.embedding.vision.network_outputs import NetworkOutputs
from tests.support.pictures import images
from tests.support.servers.stack import MODEL_DIR

MANIFEST = load_manifest(MODEL_DIR)


class Network:
    """Gives each picture the second category, and a vector that is its brightness."""

    async def predict(self, images: UInt8Image) -> NetworkOutputs:
        probabilities = np.zeros((len(images), len(MANIFEST.categories)), np.float32)
        probabilities[:, 1] = 1.0
        vectors = np.ones((len(images), MANIFEST.dimension), np.float32)
        vectors[:, 0] = images.mean(axis=(1, 2, 3))
        return NetworkOutputs(probabilities, vectors)


@pytest.fixture
def models() -> OwnModels:
    return OwnModels(MODEL_DIR, lambda _: Network())


async def test_images_get_the_embeddings_and_errors_that_the_service_gives(models: OwnModels) -> None:
    response = await models.embed_batch([images.jpeg(), b"no image"], MANIFEST.model_id)
    good, bad = response.items
    assert good.embedding is not None
    assert (good.embedding.model, good.embedding.category.id) == (MANIFEST.model_id, 1)
    assert good.embedding.category.name == MANIFEST.categories[1]
    np.testing.assert_allclose(np.linalg.norm(good.embedding.array), 1, atol=1e-6)
    assert bad.error is not None
    assert bad.error.status in (415, 422)
    await models.close()


async def test_a_secondary_model_is_added_and_one_that_is_missing_is_left_out(models: OwnModels) -> None:
    other = next(
        model.model for model in await models.models() if model.model != MANIFEST.model_id and model.problem is None
    )
    (item,) = (await models.embed_batch([images.jpeg()], None, other)).items
    assert item.embedding is not None
    assert item.embedding.secondary is not None
    assert item.embedding.secondary.model == other
    (item,) = (await models.embed_batch([images.jpeg()], None, "fashion/999")).items
    assert item.embedding is not None
    assert item.embedding.secondary is None


async def test_the_facts_are_those_of_the_manifest(models: OwnModels) -> None:
    facts = await models.model()
    assert (facts.model, facts.dimension) == (MANIFEST.model_id, MANIFEST.dimension)
    assert [model.model for model in await models.models() if model.first] == [MANIFEST.model_id]
    with pytest.raises(EmbeddingUnavailable, match=r"fashion/999 cannot be loaded by the workers"):
        await models.model("fashion/999")


async def test_a_network_is_loaded_once(tmp_path: Path) -> None:
    loaded: list[tuple[Path, int]] = []

    def load(path: Path) -> Network:
        loaded.append((path, threading.get_ident()))
        return Network()

    models = OwnModels(MODEL_DIR, load)
    for _ in range(2):
        await models.embed_batch([images.jpeg()])
    assert [path for path, _ in loaded] == [MODEL_DIR.parent / str(MANIFEST.version)]
    assert loaded[0][1] != threading.get_ident()  # the event loop goes on meanwhile


def test_a_folder_without_a_model_and_a_machine_without_tensorflow_are_errors_before_workers_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EngineError, match="the workers cannot load the model"):
        check_model(tmp_path)
    monkeypatch.setattr(own_models, "find_spec", lambda _: None)
    with pytest.raises(EngineError, match=r"pip install 'lookalike\[serving\]'"):
        check_model(MODEL_DIR)
