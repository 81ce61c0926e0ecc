"""`lookalike train`: from an archive to a model version directory with its report."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from training.errors import TrainingError
from training.networks.architectures import recipe_of
from training.options import TrainOptions
from training.progress import Terminal
from training.publishing.publish import ModelName
from training.recipes.baseline.recipe import train_in_epochs
from training.recipes.detector.recipe import train_detector
from training.recipes.fashion.recipe import train_metric

NEEDED_BYTES = 200 * 1024 * 1024  # a checkpoint twice (43 MB each for the largest), the export, plots; with room
RECIPES: dict[str, Callable[[TrainOptions, ModelName, Terminal], None]] = {
    "epochs": train_in_epochs,
    "metric": train_metric,
    "detector": train_detector,
}


def train(options: TrainOptions, terminal: Terminal) -> Path:
    """Train, evaluate on the test part and publish the model version; return its directory.

    Raises:
        TrainingError, ArchiveError: what was asked for cannot be done; the text is one sentence.
        OSError: a disk is full or a folder cannot be written.
        KeyboardInterrupt: passed on; the same command goes on after the last checkpoint.
    """
    name = ModelName.of(options.out)
    recipe = recipe_of(options.model)
    options = options.of(recipe)
    name.refuse_to_overwrite(options.force)
    for what, path in (("photos", options.photos), ("backgrounds", options.backgrounds)):
        if path and not path.exists():
            raise TrainingError(f"there are no {what} at {path}")
    _need_room(options.out)
    _need_room(options.run_dir)
    RECIPES[recipe](options, name, terminal)
    terminal.line(f"the model is in {options.out}")
    return options.out


def _need_room(folder: Path) -> None:
    """Refuse a folder that cannot be written or has no room, before hours are spent."""
    there = next(p for p in (folder, *folder.resolve().parents) if p.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise TrainingError(f"{folder} cannot be written: {there} is not a folder one may write to")
    free = shutil.disk_usage(there).free
    if free < NEEDED_BYTES:
        raise TrainingError(f"{folder} has {free // 2**20} MB free where {NEEDED_BYTES // 2**20} are needed")
