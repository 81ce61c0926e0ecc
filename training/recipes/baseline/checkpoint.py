"""Checkpoints: everything from which an interrupted run goes on as if nothing had happened."""

import json
import os
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.errors import TrainingError

CHECKPOINT_NAME = "checkpoint.npz"
STOPPING_RULES = ("epochs", "patience")
Arrays = list[NDArray[Any]]


@dataclass(frozen=True)
class RunSettings:
    """What a run is. `dataset_sha256` is of the archive.

    `epochs` and `patience` only say when to stop: a run may go on with others, and does what it would have done with them
    from the start. With anything else different it is another run.
    """

    model: str
    dataset_sha256: str
    seed: int
    epochs: int
    patience: int
    batch_size: int
    learning_rate: float = 0.001


@dataclass
class RunState:
    """A run after its last whole epoch. `history` has one entry an epoch; the best epoch is counted from 1."""

    settings: RunSettings
    weights: Arrays
    optimizer: Arrays
    best_weights: Arrays
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return len(self.history)

    @property
    def best_loss(self) -> float:
        """The lowest validation loss so far, infinity before the first epoch."""
        return self.history[self.best_epoch - 1]["val_loss"] if self.best_epoch else float("inf")

    @property
    def finished(self) -> bool:
        """Whether the epochs are used up, or `patience` of them brought no better validation loss."""
        return self.epoch >= self.settings.epochs or self.epoch - self.best_epoch >= self.settings.patience


def save_checkpoint(run_dir: Path, state: RunState) -> None:
    """Write the state to `run_dir`, whole or not at all: a temporary file, fsync, rename.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    groups = {"weights": state.weights, "optimizer": state.optimizer, "best": state.best_weights}
    arrays = {f"{name}.{i:03}": array for name, group in groups.items() for i, array in enumerate(group)}
    about = {"settings": asdict(state.settings), "history": state.history, "best_epoch": state.best_epoch}
    temporary = run_dir / f"{CHECKPOINT_NAME}.part"
    with temporary.open("wb") as file:
        np.savez(file, about=np.array(json.dumps(about)), **arrays)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(run_dir / CHECKPOINT_NAME)


def load_checkpoint(run_dir: Path, settings: RunSettings) -> RunState | None:
    """Return the state of the run in `run_dir`, or None if none was begun there.

    Raises:
        TrainingError: the checkpoint is damaged, or belongs to a run with other settings or another data set.
    """
    path = run_dir / CHECKPOINT_NAME
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as stored:
            about = json.loads(str(stored["about"]))
            found = RunSettings(**about["settings"])
            names = sorted(stored.files)
            weights, optimizer, best = (
                [stored[name] for name in names if name.startswith(f"{group}.")]
                for group in ("weights", "optimizer", "best")
            )
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        raise TrainingError(f"{path} is damaged: remove it, or begin again with --fresh") from None
    _refuse_other_run(run_dir, found, settings)
    return RunState(settings, weights, optimizer, best, about["history"], about["best_epoch"])


def _refuse_other_run(run_dir: Path, found: RunSettings, asked: RunSettings) -> None:
    ours = asdict(asked)
    for name, value in asdict(found).items():
        if name not in STOPPING_RULES and value != ours[name]:
            what = "another data set" if name == "dataset_sha256" else f"{name} {value}, not {ours[name]}"
            raise TrainingError(
                f"the run in {run_dir} has {what}: go on with its settings, give another --run-dir, or --fresh"
            )
