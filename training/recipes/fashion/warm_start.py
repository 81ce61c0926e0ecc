"""Beginning with the backbone of an earlier run."""

import zipfile
from pathlib import Path

import numpy as np

from training.errors import TrainingError
from training.recipes.fashion.trainer import Trainer


def take_backbone(trainer: Trainer, path: Path) -> None:
    """Set the backbone to the running mean of another run's, from its checkpoint; what came after it there may differ.

    Raises:
        TrainingError: the file is no checkpoint, or of another backbone.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = [file[name] for name in sorted(file.files) if name.isdigit()]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        raise TrainingError(f"{path} is no checkpoint of an earlier run") from None
    wanted = [tuple(variable.shape) for variable in trainer.deep]
    shapes = [array.shape for array in arrays]
    begin = _repetition(shapes, len(wanted))
    if begin is None or shapes[: len(wanted)] != wanted:
        raise TrainingError(f"the checkpoint {path} is of another backbone")
    for variable, mean in zip(trainer.deep, arrays[begin:], strict=False):
        variable.assign(mean)


def _repetition(shapes: list[tuple[int, ...]], least: int) -> int | None:
    """Return where the shapes begin again: a checkpoint holds all weights first, the backbone's before others, then their means."""
    places = range(least, len(shapes) // 2 + 1)
    return next((place for place in places if shapes[place : 2 * place] == shapes[:place]), None)
