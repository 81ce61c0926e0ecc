"""Arrays ↔ TensorFlow's tensors, in both encodings."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from services.contracts.wire.serving_messages import tensor_pb2, types_pb2
from services.embedding.serving.tensors import TensorError, read_float32, write_uint8
from tests.support.servers.tfs import content_tensor, field_tensor

VALUES = np.array([[0.1, -2.5, 3e-9], [1, 0, 65504]], np.float32)


@pytest.mark.parametrize("encode", [content_tensor, field_tensor], ids=["content", "field"])
def test_both_encodings_are_read_exactly(encode: Callable[[Any], Any]) -> None:
    values = read_float32(encode(VALUES), (2, 3))
    assert values.dtype == np.float32
    assert (values == VALUES).all()


def test_an_image_is_written_as_raw_bytes_with_its_shape() -> None:
    image = np.arange(24, dtype=np.uint8).reshape(1, 2, 4, 3)
    proto = tensor_pb2.TensorProto()
    write_uint8(proto, image)
    assert proto.dtype == types_pb2.DT_UINT8
    assert [dim.size for dim in proto.tensor_shape.dim] == [1, 2, 4, 3]
    assert proto.tensor_content == bytes(range(24))


def test_a_view_of_an_array_is_written_in_its_own_order() -> None:
    image = np.arange(24, dtype=np.uint8).reshape(1, 2, 4, 3)[:, ::-1]
    proto = tensor_pb2.TensorProto()
    write_uint8(proto, image)
    assert proto.tensor_content == bytes(range(12, 24)) + bytes(range(12))


def changed(change: Callable[[Any], Any], encode: Callable[[Any], Any] = content_tensor) -> Any:
    proto = encode(VALUES)
    change(proto)
    return proto


@pytest.mark.parametrize(
    ("proto", "reason"),
    [
        (content_tensor(VALUES.astype(np.int32)), "DT_INT32"),
        (content_tensor(VALUES.T.copy()), r"shape \(3, 2\), not \(2, 3\)"),
        (changed(lambda p: setattr(p, "tensor_content", p.tensor_content[:8])), "2 values, not 6"),
        (changed(lambda p: setattr(p, "tensor_content", p.tensor_content[:7])), "7 bytes"),
        (changed(lambda p: p.float_val.pop(), field_tensor), "5 values, not 6"),
        (content_tensor(np.full((2, 3), np.nan, np.float32)), "NaN"),
        (field_tensor(np.full((2, 3), np.inf, np.float32)), "infinity"),
        (tensor_pb2.TensorProto(), "DT_INVALID"),
        (tensor_pb2.TensorProto(dtype=9999), "number 9999"),
    ],
    ids=["type", "shape", "short", "partial value", "short field", "nan", "infinity", "missing", "unknown type"],
)
def test_a_malformed_tensor_is_an_error_with_the_reason(proto: Any, reason: str) -> None:
    with pytest.raises(TensorError, match=reason):
        read_float32(proto, (2, 3))
