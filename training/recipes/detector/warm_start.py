"""Starting with the head of an earlier run."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from training.errors import TrainingError


def take_head(head: Any, path: Path) -> None:
    """Set the head's weights to those in the checkpoint of an earlier run, which holds them first.

    Raises:
        TrainingError: the file is not a checkpoint, or of another head.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            names = sorted(name for name in file.files if name.isdigit())[: len(head.weights)]
            arrays = [file[name] for name in names]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        raise TrainingError(f"{path} is not a checkpoint of an earlier run") from None
    if [array.shape for array in arrays] != [tuple(weight.shape) for weight in head.weights]:
        raise TrainingError(f"the checkpoint {path} is of another head")
    head.set_weights(arrays)
