"""Checkpoints of any recipe: what is saved comes back, and other runs and damaged files are refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from training.errors import TrainingError
from training.run.checkpoint import CHECKPOINT_NAME, TrainingCheckpoint, load_checkpoint, save_checkpoint
from training.run.settings import RunSettings

SETTINGS = RunSettings(
    model="tiny",
    sources={"dataset": "aa", "photos": "bb", "backgrounds": None, "start": None},
    plan={"seed": 7, "epochs": 5, "batch_size": 64, "weights": (1.0, 0.5)},
    adjustable=frozenset({"epochs"}),
)


def checkpoint(rounds: int = 1) -> TrainingCheckpoint:
    arrays = [np.arange(12, dtype=np.float32).reshape(3, 4) + i for i in range(11)] + [np.array(3, np.int64)]
    history = [{"loss": 1.0 / (1 + number)} for number in range(rounds)]
    return TrainingCheckpoint(SETTINGS.document(), history, arrays, {"classes": {"kinds": 3}})


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_checkpoint(tmp_path, checkpoint())
    return tmp_path


def test_a_checkpoint_is_loaded_as_it_was_saved(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "runs" / "one", checkpoint(2))
    loaded = load_checkpoint(tmp_path / "runs" / "one", SETTINGS)
    assert loaded is not None
    assert (loaded.history, loaded.details) == (checkpoint(2).history, {"classes": {"kinds": 3}})
    for ours, theirs in zip(loaded.arrays, checkpoint().arrays, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


def test_a_folder_without_a_checkpoint_has_none(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path / "none", SETTINGS) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "fashion"}, "has model tiny, not fashion"),
        ({"sources": SETTINGS.sources | {"dataset": "xx"}}, "has another data set"),
        ({"sources": SETTINGS.sources | {"photos": "xx"}}, "has other photos"),
        ({"sources": SETTINGS.sources | {"backgrounds": "xx"}}, "has other backgrounds, or none"),
        ({"sources": SETTINGS.sources | {"start": "xx"}}, "has another --start checkpoint, or none"),
        ({"plan": SETTINGS.plan | {"seed": 8}}, "has seed 7, not 8"),
        ({"plan": SETTINGS.plan | {"batch_size": 32}}, "has batch_size 64, not 32"),
        ({"plan": {"seed": 7, "epochs": 5, "batch_size": 64}}, r"has weights \[1.0, 0.5\], not None"),
    ],
)
def test_another_run_is_refused_with_the_difference(saved: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        load_checkpoint(saved, replace(SETTINGS, **changes))


def test_a_run_may_be_resumed_with_other_adjustable_numbers(saved: Path) -> None:
    assert load_checkpoint(saved, replace(SETTINGS, plan=SETTINGS.plan | {"epochs": 9})) is not None


@pytest.mark.parametrize("damage", [b"", b"PK not a zip", None])
def test_a_damaged_checkpoint_is_one_sentence(saved: Path, damage: bytes | None) -> None:
    path = saved / CHECKPOINT_NAME
    path.write_bytes(path.read_bytes()[:-200] if damage is None else damage)
    with pytest.raises(TrainingError, match="is damaged: remove it, or start again with --fresh"):
        load_checkpoint(saved, SETTINGS)


def test_an_archive_without_settings_is_a_damaged_checkpoint(tmp_path: Path) -> None:
    np.savez(tmp_path / CHECKPOINT_NAME, about=np.array(json.dumps({"step": 3})))
    with pytest.raises(TrainingError, match="is damaged"):
        load_checkpoint(tmp_path, SETTINGS)


def test_a_full_disk_leaves_the_last_checkpoint(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (saved / CHECKPOINT_NAME).read_bytes()

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(saved, checkpoint(2))
    assert (saved / CHECKPOINT_NAME).read_bytes() == before


def test_the_arrays_are_assigned_to_the_variables_in_order() -> None:
    variables = [tf.Variable(tf.zeros(array.shape, array.dtype)) for array in checkpoint().arrays]
    checkpoint().restore(variables)
    for variable, array in zip(variables, checkpoint().arrays, strict=True):
        np.testing.assert_array_equal(variable.numpy(), array)


def test_a_checkpoint_of_another_network_is_refused() -> None:
    with pytest.raises(TrainingError, match="of another network: start again with --fresh"):
        checkpoint().restore([tf.Variable(tf.zeros((3, 4)))])
