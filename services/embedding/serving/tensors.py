"""NumPy arrays ↔ TensorFlow's `TensorProto`, in both of its encodings."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.contracts.images.preparation import UInt8Image
from services.contracts.wire.serving_messages import types_pb2

Float32Array = NDArray[np.float32]


class TensorError(ValueError):
    """A tensor is not what it announces. The text says in what."""


def write_uint8(proto: Any, array: UInt8Image) -> None:
    """Fill a TensorProto with a uint8 array of any shape, as raw bytes.

    `tensor_content` takes 0.03 ms for a 224×224 image, against 8.7 ms for a repeated field (field-notes.md).
    """
    proto.dtype = types_pb2.DT_UINT8
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    proto.tensor_content = array.tobytes()


def read_float32(proto: Any, shape: tuple[int, ...]) -> Float32Array:
    """Return a TensorProto's values: from `tensor_content`, or from `float_val` as TensorFlow Serving sends them.

    Args:
        proto: a TensorProto.
        shape: the shape that is expected.

    Raises:
        TensorError: another type or shape, too few values, or values that are not finite.
    """
    if proto.dtype != types_pb2.DT_FLOAT:
        known = proto.dtype in types_pb2.DataType.values()
        name = types_pb2.DataType.Name(proto.dtype) if known else f"number {proto.dtype}"
        raise TensorError(f"it is of type {name}, not DT_FLOAT")
    sizes = tuple(dim.size for dim in proto.tensor_shape.dim)
    if sizes != shape:
        raise TensorError(f"it has shape {sizes}, not {shape}")
    if len(proto.tensor_content) % 4:
        raise TensorError(f"its {len(proto.tensor_content)} bytes are no whole number of values")
    if proto.tensor_content:
        values = np.frombuffer(proto.tensor_content, dtype="<f4")
    else:
        values = np.array(proto.float_val, dtype=np.float32)
    if values.size != math.prod(shape):
        raise TensorError(f"it holds {values.size} values, not {math.prod(shape)}")
    if not np.isfinite(values).all():
        raise TensorError("it holds NaN or infinity")
    return values.astype(np.float32, copy=False).reshape(shape)
