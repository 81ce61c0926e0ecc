import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.support.tiny_network import batches, network, plan
from training.errors import TrainingError
from training.progress import Terminal
from training.recipes.baseline.checkpoint import CHECKPOINT_NAME
from training.recipes.fashion import loop
from training.recipes.fashion.checkpoint import History, RunSettings, find_checkpoint, load_checkpoint, save_checkpoint
from training.recipes.fashion.loop import fit
from training.recipes.fashion.plan import Plan
from training.recipes.fashion.trainer import Trainer

CHOSEN = plan(steps=4)
SETTINGS = RunSettings("tiny", "aa", "bb", None, None, CHOSEN)


@pytest.fixture(autouse=True)
def _eager() -> Iterator[None]:
    """Run each step operation by operation: making a graph of it first takes longer than the few steps here."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def learner(chosen: Plan = CHOSEN) -> Trainer:
    keras.utils.set_random_seed(chosen.seed)
    return Trainer(network(), batches(chosen).studio.classes(), chosen)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder after no step at all."""
    folder = tmp_path_factory.mktemp("saved")
    save_checkpoint(folder, SETTINGS, learner(), [])
    return folder


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    return shutil.copytree(saved, tmp_path / "run")


def run(folder: Path, trainer: Trainer) -> History:
    return fit(trainer, batches(CHOSEN), SETTINGS, folder, Terminal())


def test_an_interrupted_run_ends_as_an_uninterrupted_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "TOLD_EVERY", 1)
    monkeypatch.setattr(loop, "SAVED_EVERY", 2)
    whole = learner()
    history = run(tmp_path / "whole", whole)
    broken = learner()
    keep, steps = broken.train, iter(range(3))
    monkeypatch.setattr(broken, "train", lambda *a: keep(*a) if next(steps, None) is not None else stop())
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "broken", broken)
    resumed = learner()
    again = run(tmp_path / "broken", resumed)
    assert resumed.step == 4
    stored = find_checkpoint(tmp_path / "broken", SETTINGS)
    assert stored is not None
    assert (stored.step, stored.history) == (4, again)
    assert stored.classes == batches(CHOSEN).studio.classes()
    assert [entry["step"] for entry in again] == [1, 2, 3, 4]
    for ours, theirs in zip(again, history, strict=True):
        assert ours["category"] == pytest.approx(theirs["category"], abs=1e-4)
    for ours, theirs in zip(resumed.variables(), whole.variables(), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-4)


def stop() -> None:
    raise KeyboardInterrupt


def test_no_run_is_found_where_none_was_begun(tmp_path: Path) -> None:
    assert find_checkpoint(tmp_path / "elsewhere", SETTINGS) is None


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (replace(SETTINGS, dataset_sha256="xx"), "another data set"),
        (replace(SETTINGS, photos_sha256="xx"), "other photos"),
        (replace(SETTINGS, backgrounds_sha256="xx"), "other backgrounds, or none"),
        (replace(SETTINGS, start_sha256="xx"), "another beginning"),
        (replace(SETTINGS, plan=plan(steps=7)), "steps 4, not 7"),
        (replace(SETTINGS, plan=plan(steps=4, seed=8)), "seed 7, not 8"),
        (replace(SETTINGS, model="fashion"), "model tiny, not fashion"),
    ],
)
def test_another_run_is_refused(saved: Path, other: RunSettings, told: str) -> None:
    with pytest.raises(TrainingError, match=told):
        find_checkpoint(saved, other)


def test_a_damaged_checkpoint_is_one_sentence(copy: Path) -> None:
    path, stored = copy / CHECKPOINT_NAME, find_checkpoint(copy, SETTINGS)
    assert stored is not None
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(TrainingError, match="is damaged: remove it"):
        find_checkpoint(copy, SETTINGS)
    with pytest.raises(TrainingError, match="is damaged: remove it"):
        load_checkpoint(copy, stored, Trainer(network(), stored.classes, CHOSEN))
    np.savez(path.open("wb"), about=np.array(json.dumps({"step": 3})))  # type: ignore[arg-type]
    with pytest.raises(TrainingError, match="is damaged: remove it"):
        find_checkpoint(copy, SETTINGS)


def test_a_checkpoint_of_another_network_is_refused(saved: Path) -> None:
    stored = find_checkpoint(saved, SETTINGS)
    assert stored is not None
    other = Trainer(network(), {"kinds": 77, "colours": 4, "pairs": 3, "genders": 2}, CHOSEN)
    with pytest.raises(TrainingError, match="of another network"):
        load_checkpoint(saved, stored, other)


def test_a_disk_that_fills_up_leaves_the_last_checkpoint(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (copy / CHECKPOINT_NAME).read_bytes()

    def full(*arguments: object, **more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(copy, SETTINGS, learner(), [])
    assert (copy / CHECKPOINT_NAME).read_bytes() == before
