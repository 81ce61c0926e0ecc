"""Checkpoints: everything from which an interrupted run resumes exactly."""

import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.errors import TrainingError
from training.run.legacy_checkpoint import current_form
from training.run.settings import RunSettings

CHECKPOINT_NAME = "checkpoint.npz"
DAMAGED = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile)
History = list[dict[str, float]]


@dataclass(frozen=True)
class TrainingCheckpoint:
    """A run after a whole round.

    Attributes:
        settings: the document of the run's settings.
        history: the figures of each round.
        arrays: the values of the learner's variables, in their order.
        details: what the recipe needs to build the network again, ready for JSON.
    """

    settings: dict[str, Any]
    history: History
    arrays: Sequence[NDArray[Any]]
    details: dict[str, Any] = field(default_factory=dict)

    def restore(self, variables: Sequence[Any]) -> None:
        """Assign the arrays to the variables.

        Raises:
            TrainingError: the checkpoint is of another network.
        """
        if [tuple(variable.shape) for variable in variables] != [array.shape for array in self.arrays]:
            raise TrainingError("the checkpoint is of another network: start again with --fresh")
        for variable, array in zip(variables, self.arrays, strict=True):
            variable.assign(array)


def save_checkpoint(run_dir: Path, checkpoint: TrainingCheckpoint) -> None:
    """Write a checkpoint, whole or not at all: a temporary file, fsync, rename.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    about = {name: getattr(checkpoint, name) for name in ("settings", "history", "details")}
    arrays = {f"{number:04}": array for number, array in enumerate(checkpoint.arrays)}
    temporary = run_dir / f"{CHECKPOINT_NAME}.part"
    with temporary.open("wb") as file:
        np.savez(file, about=np.array(json.dumps(about)), **arrays)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(run_dir / CHECKPOINT_NAME)


def load_checkpoint(run_dir: Path, settings: RunSettings) -> TrainingCheckpoint | None:
    """Return the checkpoint in `run_dir`, or None if there is none.

    Raises:
        TrainingError: it is damaged, or belongs to a run with other settings or other data.
    """
    path = run_dir / CHECKPOINT_NAME
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            about = current_form(json.loads(str(file["about"])))
            arrays = [file[name] for name in sorted(file.files) if name != "about"]
        checkpoint = TrainingCheckpoint(about["settings"], about["history"], arrays, about["details"])
    except DAMAGED:
        raise TrainingError(f"{path} is damaged: remove it, or start again with --fresh") from None
    settings.refuse_other(checkpoint.settings, run_dir)
    return checkpoint
