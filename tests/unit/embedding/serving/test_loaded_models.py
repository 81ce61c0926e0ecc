"""Which models are loaded: the default one, those that were requested lately, and what a service without one says."""

import asyncio
import threading
from pathlib import Path

import pytest

from services.contracts.domain.errors import EmbeddingUnavailable, UnknownModel
from services.contracts.web.app import Readiness
from services.embedding.serving.served_models import IDLE_S, ServedModels
from services.embedding.settings import EmbeddingSettings
from tests.support.servers.embedding import write_model

NOWHERE = "127.0.0.1:1"
READY, UNREADY = Readiness(ready=True), Readiness(ready=False, reasons=("being loaded",))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder `fashion` with the versions 1 and 2."""
    base = tmp_path / "fashion"
    write_model(base / "1")
    write_model(base / "2", 2)
    return base


def models_of(default: Path) -> ServedModels:
    return ServedModels(EmbeddingSettings(model_dir=default, tfs_address=NOWHERE, decode_threads=1))


async def test_without_a_manifest_the_names_are_those_of_the_folders(folder: Path) -> None:
    (folder / "1" / "manifest.json").unlink()
    models = models_of(folder / "1")
    assert models.in_use() == {}
    assert models._is_default("fashion/1") and not models._is_default("fashion/2")
    assert [(model.model, model.first) for model in await models.list_models()] == [
        ("fashion/1", True),
        ("fashion/2", False),
    ]
    with pytest.raises(EmbeddingUnavailable, match="the model is not loaded"):
        models.embedder()
    await models.close()


async def test_a_default_model_in_a_folder_of_another_name_is_listed_first(folder: Path) -> None:
    (folder / "1").rename(folder / "current")
    models = models_of(folder / "current")
    models._default.load()
    listed = await models.list_models()
    assert [(model.model, model.first) for model in listed] == [("fashion/1", True), ("fashion/2", False)]
    assert list(models.in_use()) == ["fashion/1", "fashion/2"]
    await models.close()


async def test_an_unknown_model_is_named_with_those_that_there_are(folder: Path) -> None:
    models = models_of(folder / "1")
    with pytest.raises(UnknownModel, match="no model fashion/9 in the models folder: there are fashion/1, fashion/2"):
        models.embedder("fashion/9")
    assert "fashion/9" not in models.in_use()
    await models.close()


async def test_readiness_is_that_of_the_first_ready_model_or_of_the_default_one(folder: Path) -> None:
    models = models_of(folder / "1")
    models._default.readiness = UNREADY
    assert await models.readiness() == UNREADY
    other = models._find("fashion/2")
    other.readiness = READY
    assert await models.readiness() == READY
    other.readiness = Readiness(ready=False, reasons=("gone",))
    assert await models.readiness() == UNREADY
    await models.close()


async def test_a_model_stays_loaded_as_long_as_it_is_requested(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = models_of(folder / "1")
    models._default.load()
    embedder = models.embedder("fashion/2")
    other = models._others["fashion/2"]
    checked: list[str] = []

    async def check() -> None:
        checked.append("fashion/2")

    async def nothing() -> None: ...

    monkeypatch.setattr(models._default, "check", nothing)
    monkeypatch.setattr(other.served, "check", check)
    other.requested_at -= IDLE_S + 1
    assert models.embedder("fashion/2") is embedder  # which counts as a request
    await models._check_all()
    assert (list(models.in_use()), checked) == (["fashion/1", "fashion/2"], ["fashion/2"])
    other.requested_at -= IDLE_S + 1
    await models._check_all()
    assert (list(models.in_use()), checked) == (["fashion/1"], ["fashion/2"])
    await models.close()


async def test_closing_does_not_wait_for_a_picture_and_drops_those_that_wait(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models, may_end = models_of(folder / "1"), threading.Event()
    closed: list[str] = []

    async def close() -> None:
        closed.append("the process for large pictures")

    monkeypatch.setattr(models.large, "close", close)
    decoding = models.threads.submit(may_end.wait, 5)
    waiting = models.threads.submit(may_end.wait, 5)
    await models.close()
    assert (decoding.done(), waiting.cancelled(), len(closed)) == (False, True, 1)
    may_end.set()
    assert decoding.result()


async def test_opening_reads_the_default_model_at_once_and_starts_the_checks(folder: Path) -> None:
    models = models_of(folder / "1")
    await models.open()
    assert list(models.in_use()) == ["fashion/1"]
    assert "readiness" in {task.get_name() for task in asyncio.all_tasks()}
    await models.close()
    assert "readiness" not in {task.get_name() for task in asyncio.all_tasks()}
