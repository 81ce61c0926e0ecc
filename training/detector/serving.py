"""The detector as it is served: pictures in, boxes out, all in one graph with its weights as constants."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from training.detector.network import peaks
from training.detector.scenes import SIZE
from training.export import save
from training.metric.serving import served_form

OUTPUTS = ("boxes", "probabilities")


@dataclass(frozen=True)
class Scale:
    """What makes of the head's logits those of probabilities that are as often right as they say: gain × logit + shift."""

    gain: float = 1.0
    shift: float = 0.0


PLAIN = Scale()


def export_detector(features: Any, head: Any, directory: Path, scale: Scale = PLAIN) -> None:
    """Write the SavedModel: `image` uint8 (n, 192, 192, 3) → `boxes` and `probabilities` as of `network.peaks`.

    Raises:
        TrainingError: it cannot be written.
    """
    below = served_form(features)
    image = tf.TensorSpec([None, SIZE, SIZE, 3], tf.uint8, name="image")

    @tf.function(input_signature=[image])  # type: ignore[untyped-decorator]
    def run(image: Any) -> list[Any]:
        maps = head(below(tf.cast(image, tf.float32), training=False), training=False)
        said = peaks({**maps, "chances": scale.gain * maps["chances"] + scale.shift})
        return [said[name] for name in OUTPUTS]

    constant = convert_variables_to_constants_v2(run.get_concrete_function())

    @tf.function(input_signature=[image])  # type: ignore[untyped-decorator]
    def serve(image: Any) -> dict[str, Any]:
        return {name: tf.identity(value, name=name) for name, value in zip(OUTPUTS, constant(image), strict=True)}

    module = tf.Module()
    module.constant, module.serve = constant, serve
    save(module, directory)
