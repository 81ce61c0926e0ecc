"""A SavedModel and its signatures. This is the only module of the stand-in that uses TensorFlow."""

import math
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.contracts.wire.serving_messages import tensor_pb2, types_pb2
from services.local.tfs.errors import invalid

Array = NDArray[Any]
Arrays = Mapping[str, Array]
# A repeated field can describe a far larger tensor than it has values (the last value fills the rest). 2^28 elements
# are 1 GB of float32, more than any batch of images.
MAX_ELEMENTS = 2**28


@contextmanager
def _native_stderr_captured() -> Iterator[None]:
    """Capture the stderr of native code, and write it only if the block fails."""
    sys.stderr.flush()
    original = os.dup(2)
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            yield
        except BaseException:
            captured.seek(0)
            os.write(original, captured.read())
            raise
        finally:
            os.dup2(original, 2)
            os.close(original)


def import_tensorflow() -> Any:
    """Import TensorFlow without its startup messages, which takes about 4 s."""
    if "tensorflow" in sys.modules:
        return sys.modules["tensorflow"]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    with _native_stderr_captured():
        import tensorflow

        # One core per batch: splitting a batch over the cores costs a fifth more processor time.
        tensorflow.config.threading.set_intra_op_parallelism_threads(1)
        tensorflow.config.threading.set_inter_op_parallelism_threads(os.cpu_count() or 1)
        tensorflow.constant(0)  # detects the devices now, not in the first request
    return tensorflow


@dataclass(frozen=True)
class Signature:
    """A named function of the model. `inputs` and `outputs` map a tensor's name to its TensorSpec."""

    name: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    function: Any

    @property
    def is_batchable(self) -> bool:
        """Whether the first dimension of every input and output has any size, so that requests can be joined."""
        shapes = [spec.shape for spec in (*self.inputs.values(), *self.outputs.values())]
        return all(shape.rank is not None and shape.rank >= 1 and shape[0] is None for shape in shapes)

    def check(self, arrays: Arrays) -> None:
        """Raise ServingError (INVALID_ARGUMENT) unless the arrays match the inputs of the signature."""
        if arrays.keys() != self.inputs.keys():
            extra, missing = arrays.keys() - self.inputs.keys(), self.inputs.keys() - arrays.keys()
            raise invalid(
                f"input size does not match signature: {len(arrays)}!={len(self.inputs)}. "
                f"Sent extra: {{{','.join(sorted(extra))}}}. Missing but required: {{{','.join(sorted(missing))}}}."
            )
        for name, array in arrays.items():
            spec = self.inputs[name]
            if array.dtype != spec.dtype.as_numpy_dtype:
                raise invalid(f"Expects {name} to be {spec.dtype.name} but {array.dtype.name} is provided")
            if not spec.shape.is_compatible_with(array.shape):
                raise invalid(f"Expects {name} to have shape {spec.shape} but {array.shape} is provided")

    def selected_outputs(self, output_filter: list[str]) -> list[str]:
        """Return the names of the outputs in the filter. Default: all outputs.

        Raises:
            ServingError: the filter has an output twice, or an unknown output (INVALID_ARGUMENT).
        """
        for position, alias in enumerate(output_filter):
            if alias not in self.outputs:
                known = ",".join(sorted(self.outputs))
                raise invalid(
                    f"output tensor alias not found in signature: {alias} "
                    f"Outputs expected to be in the set {{{known}}}."
                )
            if alias in output_filter[:position]:
                raise invalid(f"duplicate output tensor alias: {alias}")
        return output_filter or sorted(self.outputs)

    def run(self, arrays: Arrays) -> dict[str, Array]:
        """Return all outputs for inputs that `check` has accepted."""
        tf = import_tensorflow()
        outputs = self.function(**{name: tf.constant(array) for name, array in arrays.items()})
        return {name: tensor.numpy() for name, tensor in outputs.items()}


class SavedModel:
    """A loaded version directory.

    Args:
        path: the directory that holds `saved_model.pb`.
        warm_up: batch sizes to run once on zeros, so that the first request is not slow.

    Raises:
        Exception: TensorFlow's error for missing or damaged files.
    """

    def __init__(self, path: Path, warm_up: tuple[int, ...] = (1,)) -> None:
        tf = import_tensorflow()
        # The signatures are valid only as long as the loaded object.
        self._loaded = tf.saved_model.load(str(path))
        self.signatures = {
            name: Signature(name, function.structured_input_signature[1], function.structured_outputs, function)
            for name, function in self._loaded.signatures.items()
        }
        for size in warm_up:
            self._warm(size)

    def _warm(self, size: int) -> None:
        for signature in self.signatures.values():
            rest = [spec.shape[1:] for spec in signature.inputs.values()]
            if (
                signature.name == "serving_default"
                and signature.is_batchable
                and all(s.is_fully_defined() for s in rest)
            ):
                specs = signature.inputs.items()
                signature.run({n: np.zeros((size, *spec.shape[1:]), spec.dtype.as_numpy_dtype) for n, spec in specs})


def to_array(name: str, proto: Any) -> Array:
    """Return the values of a TensorProto in either encoding.

    Raises:
        ServingError: the values do not fit the type and shape (INVALID_ARGUMENT).
    """
    sizes = [dim.size for dim in proto.tensor_shape.dim]
    if proto.tensor_shape.unknown_rank or any(size < 0 for size in sizes) or math.prod(sizes) > MAX_ELEMENTS:
        raise invalid(f"tensor parsing error: {name}")
    if proto.dtype == types_pb2.DT_UINT8 and len(proto.tensor_content) == math.prod(sizes):  # the usual case
        return np.frombuffer(proto.tensor_content, np.uint8).reshape(sizes)
    try:
        array: Array = import_tensorflow().make_ndarray(proto)
    except (TypeError, ValueError):
        raise invalid(f"tensor parsing error: {name}") from None
    return array


def to_proto(array: Array, *, as_content: bool) -> Any:
    """Return an array as a TensorProto: raw bytes (`tensor_content`) or, as TensorFlow Serving, repeated values."""
    if array.dtype != np.float32:
        return import_tensorflow().make_tensor_proto(array)
    proto = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT)
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    if as_content:
        proto.tensor_content = array.tobytes()
    else:
        proto.float_val.extend(array.ravel().tolist())
    return proto
