"""The time of one image, for two networks of which one computes thirty times as much."""

from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from training.evaluation.cost import cost


def export(directory: Path, repeats: int) -> Path:
    module = tf.Module()
    module.kernel = tf.Variable(tf.ones((3, 3, 3, 3)))

    @tf.function(input_signature=[tf.TensorSpec([None, 64, 64, 3], tf.uint8, name="image")])  # type: ignore[untyped-decorator]
    def serve(image: Any) -> dict[str, Any]:
        x = tf.cast(image, tf.float32)
        for _ in range(repeats):
            x = tf.nn.conv2d(x, module.kernel, 1, "SAME") * 0.01
        return {"vector": x}

    module.serve = serve
    tf.saved_model.save(module, str(directory), signatures={"serving_default": serve})
    return directory


def test_the_cost_is_a_ratio_to_another_model_in_the_same_process(tmp_path: Path) -> None:
    slow, fast = export(tmp_path / "2", 30), export(tmp_path / "1", 1)
    result = cost(slow, fast, rounds=4)
    assert result["ratio"] == pytest.approx(result["ms"] / result["reference_ms"])
    assert result["ratio"] > 2
