"""Warm-up requests of a SavedModel: TensorFlow Serving runs them when it loads the version, before it reports
AVAILABLE.

Without them the first request of each batch size waits until TensorFlow has prepared itself for the size.
"""

from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2

from services.contracts.domain.manifest import InputSize
from training.errors import TrainingError

# https://www.tensorflow.org/tfx/serving/saved_model_warmup: a TFRecord file of PredictionLog messages.
WARMUP_PATH = Path("assets.extra") / "tf_serving_warmup_requests"
# `allowed_batch_sizes` of deploy/serving/batching.config: other sizes are padded to one of these.
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)


def _white(count: int, size: InputSize) -> Any:
    """Return white images as a TensorProto with one value, which stands for all values that are missing."""
    shape = tf.TensorShape((count, size.height, size.width, 3)).as_proto()
    return tensor_pb2.TensorProto(dtype=types_pb2.DT_UINT8, tensor_shape=shape, int_val=[255])


def write_warmup(directory: Path, name: str, size: InputSize) -> Path:
    """Write one request a batch size for the model `name` into its version directory; return the file.

    Raises:
        TrainingError: the file cannot be written.
    """
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    path = directory / WARMUP_PATH
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tf.io.TFRecordWriter(str(path)) as file:
            for count in BATCH_SIZES:
                request = predict_pb2.PredictRequest()
                request.model_spec.name = name
                request.inputs["image"].CopyFrom(_white(count, size))
                log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
                file.write(log.SerializeToString())
    except (OSError, tf.errors.OpError) as error:
        raise TrainingError(f"the warm-up requests cannot be written to {path}: {error}") from None
    return path
