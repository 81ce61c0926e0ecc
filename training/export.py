"""A trained network as a SavedModel with the one signature that the services call."""

from pathlib import Path
from typing import Any

import tensorflow as tf

from training.errors import TrainingError
from training.networks import Network
from training.served import SIGNATURE

OUTPUTS = ("probabilities", "vector")
FINGERPRINT = "fingerprint.pb"  # a random id that no loader needs


def export_saved_model(network: Network, directory: Path) -> None:
    """Write `directory`/saved_model.pb and variables/: weights and graph, no optimizer state.

    The signature takes `image` uint8 (n, height, width, 3) and returns `probabilities` and `vector`, both float32.

    Raises:
        TrainingError: it cannot be written.
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


def save(module: Any, directory: Path) -> None:
    """Write a module whose function `serve` is the signature, without what no loader needs.

    Raises:
        TrainingError: it cannot be written.
    """
    try:
        tf.saved_model.save(module, str(directory), signatures={SIGNATURE: module.serve})
    except tf.errors.OpError as error:  # TensorFlow's own word for a full disk and the like
        raise TrainingError(f"the SavedModel cannot be written to {directory}: {error.message}") from None
    (directory / FINGERPRINT).unlink(missing_ok=True)
    if not any((directory / "assets").iterdir()):
        (directory / "assets").rmdir()
