"""The time of one image, of two networks of which one does thirty times as much."""

from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from training.evaluation.cost import cost


def export(directory: Path, repeats: int) -> Path:
    module = tf.Module()
    module.kernel = tf.Variable(tf.ones((3, 3, 3, 3)))

    @tf.function(input_signature=[tf.TensorSpec([None, 64, 64, 3], tf.uint8, name="image")])
    def serve(image: Any) -> dict[str, Any]:
        x = tf.cast(image, tf.float32)
        for _ in range(repeats):
            x = tf.nn.conv2d(x, module.kernel, 1, "SAME") * 0.01
        return {"vector": x}

    module.serve = serve
    tf.saved_model.save(module, str(directory), signatures={"serving_default": serve})
    return directory


def test_the_cost_is_a_ratio_to_another_model_in_the_same_process(tmp_path: Path) -> None:
    dear, cheap = export(tmp_path / "2", 30), export(tmp_path / "1", 1)
    found = cost(dear, cheap, rounds=4)
    assert found["ratio"] == pytest.approx(found["ms"] / found["reference_ms"])
    assert found["ratio"] > 2
