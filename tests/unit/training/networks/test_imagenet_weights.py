"""The reader of PyTorch's older file format, on files written here opcode by opcode: PyTorch need not be installed."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from training.errors import TrainingError
from training.networks import imagenet_weights as module
from training.networks.imagenet_weights import folded, pretrained_path, read_weights

Tensors = dict[str, tuple[str, int, tuple[int, ...], tuple[int, ...]]]  # storage, offset, shape, strides


def text(value: str) -> bytes:
    return b"X" + len(value).to_bytes(4, "little") + value.encode()


def numbers(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(b"J" + value.to_bytes(4, "little") for value in values) + b"t"


def dictionary(tensors: Tensors, function: str = "torch._utils\n_rebuild_tensor_v2") -> bytes:
    parts = [b"\x80\x02ccollections\nOrderedDict\n)R("]
    for name, (key, offset, shape, strides) in tensors.items():
        storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(key) + text("cpu") + b"K\x01NtQ"
        arguments = b"(" + storage + b"J" + offset.to_bytes(4, "little") + numbers(shape) + numbers(strides)
        parts.append(text(name) + b"c" + function.encode() + b"\n" + arguments + b"\x89ccollections\nOrderedDict\n)RtR")
    return b"".join([*parts, b"u."])


def write(path: Path, dictionary: bytes, storages: dict[str, np.ndarray]) -> Path:
    with path.open("wb") as file:
        for header in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
            pickle.dump(header, file, 2)
        file.write(dictionary)
        pickle.dump(list(storages), file, 2)
        for array in storages.values():
            file.write(np.int64(array.size).tobytes() + array.astype("<f4").tobytes())
    return path


def test_tensors_are_read_with_their_offsets_and_strides(tmp_path: Path) -> None:
    twelve, two = np.arange(12.0), np.array([5.0, 6.0])
    tensors: Tensors = {
        "rows": ("a", 0, (3, 4), (4, 1)),
        "columns": ("a", 0, (4, 3), (1, 4)),
        "end": ("a", 10, (2,), (1,)),
        "other": ("b", 0, (2,), (1,)),
        "scalar": ("b", 1, (), ()),
    }
    tensors_read = read_weights(write(tmp_path / "w.pth", dictionary(tensors), {"a": twelve, "b": two}))
    np.testing.assert_array_equal(tensors_read["rows"], twelve.reshape(3, 4))
    np.testing.assert_array_equal(tensors_read["columns"], twelve.reshape(3, 4).T)
    np.testing.assert_array_equal(tensors_read["end"], [10, 11])
    np.testing.assert_array_equal(tensors_read["other"], two)
    assert tensors_read["scalar"] == 6


def test_a_file_that_would_run_something_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "w.pth", dictionary({"x": ("a", 0, (1,), (1,))}, "os\nsystem"), {"a": np.ones(1)})
    with pytest.raises(TrainingError, match=r"os\.system"):
        read_weights(path)


@pytest.mark.parametrize("content", [b"", b"no pickle", b"\x80\x02K\x01.\x80\x02K\x01."])
def test_another_file_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match="cannot be read"):
        read_weights(path)


def test_a_truncated_file_is_one_sentence(tmp_path: Path) -> None:
    path = write(tmp_path / "w.pth", dictionary({"x": ("a", 0, (4, 4), (4, 1))}), {"a": np.ones(16)})
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(TrainingError, match="cannot be read"):
        read_weights(path)


def test_a_tensor_that_reaches_beyond_its_storage_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "w.pth", dictionary({"x": ("a", 10, (4, 4), (4, 1))}), {"a": np.ones(16)})
    with pytest.raises(TrainingError, match="beyond its storage"):
        read_weights(path)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PACKAGE", "no_such_package")
    with pytest.raises(TrainingError, match="no_such_package is not installed: it is in the extra `training`"):
        pretrained_path()


def test_the_packages_weights_have_the_shapes_of_the_network() -> None:
    tensors_read = read_weights(pretrained_path())
    assert tensors_read["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert tensors_read["_blocks.15._depthwise_conv.weight"].shape == (1152, 1, 3, 3)
    assert all(np.isfinite(array).all() for array in tensors_read.values())


def test_a_folded_convolution_gives_what_convolution_and_normalisation_give() -> None:
    rng = np.random.default_rng(1)
    stored = {
        "c.weight": rng.normal(size=(4, 3, 1, 1)).astype(np.float32),
        "n.weight": rng.uniform(0.5, 2, 4).astype(np.float32),
        "n.bias": rng.normal(size=4).astype(np.float32),
        "n.running_mean": rng.normal(size=4).astype(np.float32),
        "n.running_var": rng.uniform(0.1, 2, 4).astype(np.float32),
    }
    kernel, bias = folded(stored, "c", "n")
    pixel = rng.normal(size=3)
    raw = stored["c.weight"][:, :, 0, 0] @ pixel
    normal = (raw - stored["n.running_mean"]) / np.sqrt(stored["n.running_var"] + module.EPSILON)
    wanted = normal * stored["n.weight"] + stored["n.bias"]
    np.testing.assert_allclose(kernel[:, :, 0, 0] @ pixel + bias, wanted, rtol=1e-5)
