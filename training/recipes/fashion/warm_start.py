"""Starting with the backbone of an earlier run."""

import zipfile
from pathlib import Path

import numpy as np

from training.errors import TrainingError
from training.recipes.fashion.trainer import FashionTrainer

Shapes = list[tuple[int, ...]]


def take_backbone(trainer: FashionTrainer, path: Path) -> None:
    """Set the backbone to the running average of another run's, from its checkpoint; the other layers may differ.

    Raises:
        TrainingError: the file is not a checkpoint, or of another backbone.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = [file[name] for name in sorted(file.files) if name.isdigit()]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        raise TrainingError(f"{path} is not a checkpoint of an earlier run") from None
    expected = [tuple(variable.shape) for variable in trainer.backbone]
    shapes = [array.shape for array in arrays]
    averages = _repetition(shapes, len(expected))
    if averages is None or shapes[: len(expected)] != expected:
        raise TrainingError(f"the checkpoint {path} is of another backbone")
    for variable, average in zip(trainer.backbone, arrays[averages:], strict=False):
        variable.assign(average)


def _repetition(shapes: Shapes, least: int) -> int | None:
    """Return where the shapes repeat: a checkpoint holds all weights, the backbone's first, and then their averages."""
    places = range(least, len(shapes) // 2 + 1)
    return next((place for place in places if shapes[place : 2 * place] == shapes[:place]), None)
