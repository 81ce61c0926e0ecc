"""Writes a trained network as a SavedModel with the signature that the services call."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from services.contracts.domain.manifest import InputSize
from training.errors import TrainingError
from training.evaluation.evaluated_model import SIGNATURE
from training.networks.architectures import BuiltNetwork

OUTPUTS = ("probabilities", "vector")
FINGERPRINT = "fingerprint.pb"  # a random id; loading does not need it


def export_saved_model(network: BuiltNetwork, directory: Path) -> None:
    """Write `directory`/saved_model.pb and variables/: weights and graph, no optimizer state.

    The signature takes `image` uint8 (n, height, width, 3) and returns `probabilities` and `vector`, both float32.

    Raises:
        TrainingError: the SavedModel cannot be written.
    """
    size = network.architecture.input

    @tf.function(input_signature=[tf.TensorSpec([None, size.height, size.width, 3], tf.uint8, name="image")])  # type: ignore[untyped-decorator]
    def serve(image: Any) -> dict[str, Any]:
        outputs = network.whole(tf.cast(image, network.whole.input.dtype), training=False)
        return {name: tf.cast(outputs[name], tf.float32, name=name) for name in OUTPUTS}

    module = tf.Module()
    module.weights = network.whole.weights
    module.serve = serve
    save(module, directory)


def export_constant(
    network: Callable[[Any], dict[str, Any]], size: InputSize, outputs: Sequence[str], directory: Path
) -> None:
    """Write a network with its weights as constants in the graph.

    Args:
        network: returns the outputs for images, float32 (n, height, width, 3).
        size: of an image. The signature takes `image`, uint8.
        outputs: names of the outputs that the signature returns.
        directory: of the SavedModel.

    Raises:
        TrainingError: the SavedModel cannot be written.
    """
    image = tf.TensorSpec([None, size.height, size.width, 3], tf.uint8, name="image")

    @tf.function(input_signature=[image])  # type: ignore[untyped-decorator]
    def run(image: Any) -> list[Any]:
        values = network(tf.cast(image, tf.float32))
        return [values[name] for name in outputs]

    constant = convert_variables_to_constants_v2(run.get_concrete_function())

    @tf.function(input_signature=[image])  # type: ignore[untyped-decorator]
    def serve(image: Any) -> dict[str, Any]:
        return {name: tf.identity(value, name=name) for name, value in zip(outputs, constant(image), strict=True)}

    module = tf.Module()
    module.constant, module.serve = constant, serve
    save(module, directory)


def save(module: Any, directory: Path) -> None:
    """Write a module whose function `serve` is the signature, without the files that loading does not need.

    Raises:
        TrainingError: the SavedModel cannot be written.
    """
    try:
        tf.saved_model.save(module, str(directory), signatures={SIGNATURE: module.serve})
    except tf.errors.OpError as error:  # a full disk, for example
        raise TrainingError(f"the SavedModel cannot be written to {directory}: {error.message}") from None
    (directory / FINGERPRINT).unlink(missing_ok=True)
    if not any((directory / "assets").iterdir()):
        (directory / "assets").rmdir()
