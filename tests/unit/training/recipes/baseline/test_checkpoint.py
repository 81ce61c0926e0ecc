from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.errors import TrainingError
from training.recipes.baseline.checkpoint import (
    CHECKPOINT_NAME,
    RunSettings,
    RunState,
    load_checkpoint,
    save_checkpoint,
)

SETTINGS = RunSettings(model="baseline", dataset_sha256="ab", seed=7, epochs=5, patience=2, batch_size=64)


def state(*losses: float, best: int) -> RunState:
    history = [{"val_loss": loss, "loss": 1.0} for loss in losses]
    arrays = [np.arange(12, dtype=np.float32).reshape(3, 4) + i for i in range(11)]
    return RunState(SETTINGS, arrays, [np.array(3, np.int64), *arrays], arrays[::-1], history, best)


def test_a_run_comes_back_as_it_was(tmp_path: Path) -> None:
    saved = state(0.5, 0.4, best=2)
    save_checkpoint(tmp_path / "runs" / "one", saved)
    found = load_checkpoint(tmp_path / "runs" / "one", SETTINGS)
    assert found is not None
    assert (found.history, found.best_epoch, found.settings) == (saved.history, 2, SETTINGS)
    for name in ("weights", "optimizer", "best_weights"):
        ours, theirs = getattr(saved, name), getattr(found, name)
        assert [a.dtype for a in ours] == [a.dtype for a in theirs]
        assert all((a == b).all() for a, b in zip(ours, theirs, strict=True))


def test_where_no_run_was_begun_there_is_none(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path / "none", SETTINGS) is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"seed": 8}, "seed 7, not 8"),
        ({"model": "other"}, "model baseline, not other"),
        ({"batch_size": 32}, "batch_size 64, not 32"),
        ({"dataset_sha256": "cd"}, "another data set"),
    ],
)
def test_another_run_is_refused_with_what_differs(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    save_checkpoint(tmp_path, state(0.5, best=1))
    with pytest.raises(TrainingError, match=told):
        load_checkpoint(tmp_path, replace(SETTINGS, **change))


def test_more_epochs_and_patience_go_on_with_the_same_run(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, state(0.5, best=1))
    found = load_checkpoint(tmp_path, replace(SETTINGS, epochs=9, patience=4))
    assert found is not None
    assert (found.settings.epochs, found.settings.patience) == (9, 4)


@pytest.mark.parametrize("damage", [b"", b"PK not a zip", None])
def test_a_damaged_checkpoint_says_what_to_do(tmp_path: Path, damage: bytes | None) -> None:
    save_checkpoint(tmp_path, state(0.5, best=1))
    path = tmp_path / CHECKPOINT_NAME
    path.write_bytes(path.read_bytes()[:-200] if damage is None else damage)
    with pytest.raises(TrainingError, match=r"is damaged: remove it, or begin again with --fresh"):
        load_checkpoint(tmp_path, SETTINGS)


def test_a_write_that_fails_leaves_the_older_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint(tmp_path, state(0.5, best=1))

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(tmp_path, state(0.5, 0.4, best=2))
    found = load_checkpoint(tmp_path, SETTINGS)
    assert found is not None
    assert found.epoch == 1


@pytest.mark.parametrize(
    ("losses", "best", "finished"),
    [((0.5,), 1, False), ((0.5, 0.6), 1, False), ((0.5, 0.6, 0.7), 1, True), ((5, 4, 3, 2, 1), 5, True)],
)
def test_a_run_ends_with_its_epochs_or_its_patience(losses: tuple[float, ...], best: int, finished: bool) -> None:
    assert state(*losses, best=best).finished is finished
