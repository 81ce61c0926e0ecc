"""The warm-up requests can be read by TensorFlow Serving, and have the sizes of its batches."""

import re
from pathlib import Path

import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from services.contracts.domain.manifest import InputSize, load_manifest
from training.publishing.warmup import BATCH_SIZES, WARMUP_PATH, write_warmup

ROOT = Path(__file__).resolve().parents[4]


def shapes(path: Path) -> list[tuple[int, ...]]:
    batch_shapes = []
    for record in tf.data.TFRecordDataset([str(path)]):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        assert request.model_spec.name == "fashion"
        batch_shapes.append(tf.make_ndarray(request.inputs["image"]).shape)
    return batch_shapes


def test_there_is_a_request_for_each_batch_size(tmp_path: Path) -> None:
    path = write_warmup(tmp_path, "fashion", InputSize(height=8, width=6))
    assert path == tmp_path / WARMUP_PATH
    assert shapes(path) == [(count, 8, 6, 3) for count in BATCH_SIZES]


def test_the_batch_sizes_are_those_that_tensorflow_serving_allows() -> None:
    text = (ROOT / "deploy/serving/batching.config").read_text()
    assert tuple(map(int, re.findall(r"^allowed_batch_sizes: (\d+)", text, re.MULTILINE))) == BATCH_SIZES


@pytest.mark.parametrize("version", ["1", "2", "3"])
def test_a_shipped_model_has_its_warm_up_requests(version: str) -> None:
    directory = ROOT / "models/fashion" / version
    size = load_manifest(directory).input
    assert shapes(directory / WARMUP_PATH) == [(count, size.height, size.width, 3) for count in BATCH_SIZES]
