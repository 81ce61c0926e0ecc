"""Starting with the weights of an earlier run."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.errors import TrainingError
from training.networks.detector import LAYERS, DetectorNetwork


def take_weights(network: DetectorNetwork, path: Path) -> None:
    """Set the head's weights, and those of the backbone's later stages if the earlier run trained them.

    A checkpoint holds the head's weights first, then those of the later stages, then the optimizers'. A head of one
    layer gives its weights to the first layer.

    Raises:
        TrainingError: the file is not a checkpoint, or of another head.
    """
    arrays, head = _arrays(path), network.head.weights
    arrays = [*_widened(arrays[: len(head)], head), *arrays[len(head) :]]
    if not _fit(arrays, head):
        raise TrainingError(f"the checkpoint {path} is of another head")
    network.head.set_weights(arrays[: len(head)])
    later = arrays[len(head) :]
    if _fit(later, network.tuned):
        for variable, array in zip(network.tuned, later, strict=False):
            variable.assign(array)


def _arrays(path: Path) -> list[NDArray[np.generic]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return [file[name] for name in sorted(name for name in file.files if name.isdigit())]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        raise TrainingError(f"{path} is not a checkpoint of an earlier run") from None


def _widened(arrays: list[NDArray[np.generic]], weights: list[Any]) -> list[NDArray[np.generic]]:
    """Return the arrays, those with too few outputs with the other outputs of the weights."""
    widened = []
    for array, weight in zip(arrays, weights, strict=False):
        outputs = array.shape[-1] if array.ndim else 0
        if array.shape[:-1] == tuple(weight.shape)[:-1] and LAYERS * outputs == weight.shape[-1]:
            array = np.concatenate([array, weight.numpy()[..., outputs:]], axis=-1)
        widened.append(array)
    return widened


def _fit(arrays: list[NDArray[np.generic]], weights: list[Any]) -> bool:
    return [array.shape for array in arrays[: len(weights)]] == [tuple(weight.shape) for weight in weights]
