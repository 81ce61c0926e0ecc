"""Vectors as documents hold them: BSON's float32 vector binaries, and the plain arrays of older documents."""

import base64
import struct
from typing import Any

import numpy as np
from bson.binary import Binary
from numpy.typing import NDArray

from services.catalogue.product import Float32Array, InvalidVector, unit_vector

VECTOR_SUBTYPE = 9  # BSON's binary vector
FLOAT32_HEADER = b"\x27\x00"  # data type FLOAT32, no padding bits (BSON binary vector specification)
STAND_IN_BINARY = "__neosqlite_binary__"  # how nx-27017 shows binary values in its change events, with base64 in `data`


def stored_vector(vector: Float32Array) -> Binary:
    """Return a vector, brought to unit length, as a document holds it.

    Raises:
        InvalidVector: it has no direction.
    """
    return Binary(FLOAT32_HEADER + unit_vector(vector).astype("<f4").tobytes(), VECTOR_SUBTYPE)


def read_vector(value: Any) -> Float32Array:
    """Return the numbers of a vector in either form: float32, shape (dimension,), of any length.

    Raises:
        InvalidVector: it is missing, or is none.
    """
    if isinstance(value, dict) and STAND_IN_BINARY in value:
        value = base64.b64decode(str(value.get("data")))
    if isinstance(value, (bytes, Binary)):
        return _binary_vector(bytes(value))
    if not isinstance(value, list):
        raise InvalidVector("the vector is missing" if value is None else f"the vector is a {type(value).__name__}")
    try:
        array: NDArray[np.float32] = np.asarray(value, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        raise InvalidVector("the vector holds something that is not a number") from None
    return array


def _binary_vector(data: bytes) -> Float32Array:
    """Read a BSON vector binary, whose subtype the stand-in for MongoDB loses."""
    if data[:2] == FLOAT32_HEADER and len(data) % 4 == 2:
        return np.frombuffer(data, dtype="<f4", offset=2)
    try:
        return np.asarray(Binary(data, VECTOR_SUBTYPE).as_vector().data, dtype=np.float32)
    except (ValueError, TypeError, IndexError, struct.error):
        raise InvalidVector("the vector's bytes are no BSON vector") from None
