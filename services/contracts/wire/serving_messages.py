"""TensorFlow Serving's gRPC messages and stubs, without running TensorFlow.

`tensorflow_serving.apis` imports message modules of the package `tensorflow`, whose `__init__` loads all of
TensorFlow: 5.3 s and 632 MB, against 0.14 s and 33 MB for the messages alone (docs/adr/0002). While the messages are
imported, an empty module therefore takes the place of `tensorflow`. It is removed afterwards, so that a later import of
TensorFlow loads the real package, which uses the message modules already imported.
"""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def _without_tensorflow() -> Iterator[None]:
    if "tensorflow" in sys.modules:  # the stand-in and training use the real package
        yield
        return
    spec = importlib.util.find_spec("tensorflow")
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError("TensorFlow's message modules (tensorflow/**/*_pb2.py) are not installed")
    placeholder = ModuleType("tensorflow")
    placeholder.__path__ = list(spec.submodule_search_locations)
    sys.modules["tensorflow"] = placeholder
    try:
        yield
    finally:
        del sys.modules["tensorflow"]


with _without_tensorflow():
    from tensorflow.core.framework import tensor_pb2, types_pb2
    from tensorflow_serving.apis import (
        get_model_status_pb2,
        model_management_pb2,
        model_service_pb2_grpc,
        predict_pb2,
        prediction_service_pb2_grpc,
    )
    from tensorflow_serving.config import model_server_config_pb2

__all__ = [
    "get_model_status_pb2",
    "model_management_pb2",
    "model_server_config_pb2",
    "model_service_pb2_grpc",
    "predict_pb2",
    "prediction_service_pb2_grpc",
    "tensor_pb2",
    "types_pb2",
]
