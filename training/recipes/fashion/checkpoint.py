"""Checkpoints of the metric recipe: everything from which an interrupted run goes on as if nothing had happened."""

import json
import os
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training.errors import TrainingError
from training.recipes.baseline.checkpoint import CHECKPOINT_NAME
from training.recipes.fashion.plan import Plan
from training.recipes.fashion.trainer import Trainer

SOURCES = {
    "dataset_sha256": "another data set",
    "photos_sha256": "other photos",
    "backgrounds_sha256": "other backgrounds, or none",
    "start_sha256": "another beginning",
}
DAMAGED = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile)
History = list[dict[str, float]]


@dataclass(frozen=True)
class RunSettings:
    """What a run is; with anything else different it is another run. Hashes are of the archives and of the folder's files."""

    model: str
    dataset_sha256: str
    photos_sha256: str
    backgrounds_sha256: str | None
    start_sha256: str | None
    plan: Plan

    def document(self) -> dict[str, Any]:
        """Return the settings as JSON gives them back."""
        document: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return document


@dataclass(frozen=True)
class Stored:
    """What a checkpoint says beside the numbers: whose it is, how many steps are done, and the losses along the way.

    `classes` counts the attributes' classes, which the shapes of the numbers depend on.
    """

    settings: dict[str, Any]
    classes: dict[str, int]
    step: int
    history: History


def save_checkpoint(run_dir: Path, settings: RunSettings, trainer: Trainer, history: History) -> None:
    """Write a checkpoint, whole or not at all: a temporary file, fsync, rename.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    classes = {name: head.classes for name, head in trainer.heads.items()}
    about = asdict(Stored(settings.document(), classes, trainer.step, history))
    arrays = {f"{place:04}": np.asarray(variable.numpy()) for place, variable in enumerate(trainer.variables())}
    temporary = run_dir / f"{CHECKPOINT_NAME}.part"
    with temporary.open("wb") as file:
        np.savez(file, about=np.array(json.dumps(about)), **arrays)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(run_dir / CHECKPOINT_NAME)


def find_checkpoint(run_dir: Path, settings: RunSettings) -> Stored | None:
    """Return what the checkpoint in `run_dir` says, or None if no run was begun there.

    Raises:
        TrainingError: it is damaged, or belongs to a run with other settings or other data.
    """
    path = run_dir / CHECKPOINT_NAME
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            stored = Stored(**json.loads(str(file["about"])))
            theirs = _flat(stored.settings)
    except DAMAGED:
        raise _damaged(path) from None
    _refuse_other_run(run_dir, theirs, _flat(settings.document()))
    return stored


def load_checkpoint(run_dir: Path, stored: Stored, trainer: Trainer) -> None:
    """Put the numbers of the checkpoint into the trainer.

    Raises:
        TrainingError: it is damaged, or of another network.
    """
    path, variables = run_dir / CHECKPOINT_NAME, trainer.variables()
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = [file[f"{place:04}"] for place in range(len(variables))]
    except DAMAGED:
        raise _damaged(path) from None
    if [tuple(v.shape) for v in variables] != [array.shape for array in arrays]:
        raise TrainingError("the checkpoint is of another network: begin again with --fresh")
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    trainer.step = stored.step


def _damaged(path: Path) -> TrainingError:
    return TrainingError(f"{path} is damaged: remove it, or begin again with --fresh")


def _refuse_other_run(run_dir: Path, found: dict[str, Any], asked: dict[str, Any]) -> None:
    for name in [*asked, *(found.keys() - asked.keys())]:
        if asked.get(name) != found.get(name):
            what = SOURCES.get(name, f"{name} {found.get(name)}, not {asked.get(name)}")
            raise TrainingError(
                f"the run in {run_dir} has {what}: go on with its settings, give another --run-dir, or --fresh"
            )


def _flat(document: dict[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in document.items() if name != "plan"}
    return {**rest, **document["plan"]}
