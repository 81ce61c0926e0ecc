"""Checkpoints of the detector's recipe: an interrupted run goes on after its last whole round as if nothing had happened."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training.errors import TrainingError
from training.recipes.baseline.checkpoint import CHECKPOINT_NAME
from training.recipes.detector.plan import DetectorPlan
from training.recipes.detector.trainer import DetectorTrainer
from training.recipes.fashion.checkpoint import DAMAGED

History = list[dict[str, float]]


@dataclass(frozen=True)
class DetectorRun:
    """What a run is; with anything else different it is another run. Hashes are of the archives and of the folder's files."""

    dataset_sha256: str
    photos_sha256: str | None
    backgrounds_sha256: str | None
    plan: DetectorPlan

    def document(self) -> dict[str, Any]:
        """Return the settings as JSON gives them back."""
        document: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return document


def save_checkpoint(run_dir: Path, run: DetectorRun, trainer: DetectorTrainer, history: History) -> None:
    """Write a checkpoint, whole or not at all: a temporary file, fsync, rename.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    about = json.dumps({"run": run.document(), "step": trainer.step, "history": history})
    arrays = {f"{place:04}": np.asarray(variable.numpy()) for place, variable in enumerate(trainer.variables())}
    temporary = run_dir / f"{CHECKPOINT_NAME}.part"
    with temporary.open("wb") as file:
        np.savez(file, about=np.array(about), **arrays)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(run_dir / CHECKPOINT_NAME)


def load_checkpoint(run_dir: Path, run: DetectorRun, trainer: DetectorTrainer) -> History:
    """Put the checkpoint in `run_dir` into the trainer, where there is one; return the losses so far.

    Raises:
        TrainingError: it is damaged, or belongs to a run with other settings or other data.
    """
    path, variables = run_dir / CHECKPOINT_NAME, trainer.variables()
    if not path.exists():
        return []
    try:
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            theirs, step, history = about["run"], int(about["step"]), list(about["history"])
            arrays = [file[f"{place:04}"] for place in range(len(variables))] if theirs == run.document() else []
    except DAMAGED:
        raise TrainingError(f"{path} is damaged: remove it, or begin again with --fresh") from None
    if theirs != run.document():
        raise TrainingError(
            f"the run in {run_dir} has other settings or other data: go on with its own, give another --run-dir, or --fresh"
        )
    if [tuple(v.shape) for v in variables] != [array.shape for array in arrays]:
        raise TrainingError(f"{path} is of another network: begin again with --fresh")
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    trainer.step = step
    return history
