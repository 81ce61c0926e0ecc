"""Warm-up requests beside a SavedModel: TensorFlow Serving runs them when it loads the version, before it says AVAILABLE.

Without them the first request of each batch size waits for TensorFlow to set itself up for it.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf

from services.contracts.manifest import InputSize
from training.errors import TrainingError

# https://www.tensorflow.org/tfx/serving/saved_model_warmup: a TFRecord file of PredictionLog messages.
WARMUP_PATH = Path("assets.extra") / "tf_serving_warmup_requests"
# `allowed_batch_sizes` of deploy/serving/batching.config: every other size is padded up to one of these.
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)


def write_warmup(directory: Path, name: str, size: InputSize) -> Path:
    """Write one request a batch size for the model `name` into its version directory; return the file.

    Raises:
        TrainingError: it cannot be written.
    """
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    path = directory / WARMUP_PATH
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tf.io.TFRecordWriter(str(path)) as file:
            for count in BATCH_SIZES:
                request = predict_pb2.PredictRequest()
                request.model_spec.name = name
                white = np.full((count, size.height, size.width, 3), 255, np.uint8)
                request.inputs["image"].CopyFrom(tf.make_tensor_proto(white))
                log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
                file.write(log.SerializeToString())
    except (OSError, tf.errors.OpError) as error:
        raise TrainingError(f"the warm-up requests cannot be written to {path}: {error}") from None
    return path
