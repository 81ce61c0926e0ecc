"""The models of a worker that runs the network itself."""

import sys
import threading
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from services.bulk import own_models
from services.bulk.engine import EngineError
from services.bulk.own_models import OwnModels, SavedModelNetwork, check_model
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


@pytest.mark.parametrize("other", [None, [[-0.5], [0.25], [1.5]]])
async def test_probabilities_that_rounding_put_beyond_their_bounds_are_brought_back(
    other: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []

    def run(inputs: dict[str, Any]) -> dict[str, Any]:
        sent.append(inputs)
        outputs = {"probabilities": np.array([[-1e-7, 1 + 1e-7]]), "vector": np.array([[3.0, -4.0]])}
        return outputs if other is None else {**outputs, "other_clothing": np.array(other)}

    module = ModuleType("services.local.tfs.savedmodel")
    paths: list[Path] = []

    def load(path: Path) -> SimpleNamespace:
        paths.append(path)
        return SimpleNamespace(signatures={"serving_default": SimpleNamespace(run=run)})

    module.SavedModel = load  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    pictures = np.zeros((1, 2, 2, 3), np.uint8)
    outputs = await SavedModelNetwork(Path("models/fashion/2")).predict(pictures)
    assert (paths, [*sent[0]], sent[0]["image"] is pictures) == ([Path("models/fashion/2")], ["image"], True)
    assert outputs.probabilities.tolist() == [[0.0, 1.0]]
    assert outputs.vectors.tolist() == [[3.0, -4.0]]
    if other is None:
        assert outputs.other_clothing is None
    else:
        assert outputs.other_clothing is not None
        assert outputs.other_clothing.tolist() == [[0.0], [0.25], [1.0]]


async def test_a_model_of_the_folder_that_cannot_be_read_is_listed_with_its_problem(tmp_path: Path) -> None:
    text = (MODEL_DIR / "manifest.json").read_text()
    for name in ("1", "2"):
        (tmp_path / "fashion" / name).mkdir(parents=True)
        for entry in MODEL_DIR.iterdir():
            if entry.name != "manifest.json":
                (tmp_path / "fashion" / name / entry.name).symlink_to(entry)
        changed = text.replace(f'"version": {MANIFEST.version}', f'"version": {name}')
        (tmp_path / "fashion" / name / "manifest.json").write_text(changed)
    (tmp_path / "fashion" / "2" / "manifest.json").write_text("{")
    first, second = await OwnModels(tmp_path / "fashion" / "1", lambda _: Network()).models()
    assert (first.model, first.first, first.problem) == ("fashion/1", True, None)
    assert (second.model, second.first) == ("fashion/2", False)
    assert second.problem is not None
    assert second.problem.startswith("fashion/2 cannot be loaded by the workers: ")
