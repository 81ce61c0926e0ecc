"""A model version directory, loaded as TensorFlow Serving loads it."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from services.contracts.domain.manifest import Manifest, load_manifest
from training.errors import TrainingError
from training.progress import Terminal

BATCH = 256
SIGNATURE = "serving_default"


class EvaluatedModel:
    """The signature `serving_default` of a SavedModel, checked against the contract of its manifest."""

    def __init__(self, directory: Path, manifest: Manifest) -> None:
        """Load the SavedModel.

        Raises:
            TrainingError: it cannot be loaded, or has another signature.
        """
        self.manifest = manifest
        try:
            self._model = tf.saved_model.load(str(directory))
        except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
            raise TrainingError(
                f"the SavedModel in {directory} cannot be loaded: {str(error).splitlines()[0]}"
            ) from None
        if SIGNATURE not in self._model.signatures:
            raise TrainingError(f"the SavedModel in {directory} has no signature {SIGNATURE}")
        self._run = self._model.signatures[SIGNATURE]
        inputs = set(self._run.structured_input_signature[1])
        if inputs != {"image"} or not {"probabilities", "vector"} <= set(self._run.structured_outputs):
            raise TrainingError(f"the SavedModel in {directory} must take image and return probabilities and vector")

    @classmethod
    def load(cls, directory: Path) -> "EvaluatedModel":
        """Load a version directory.

        Raises:
            ManifestError, TrainingError: it is missing, incomplete or breaks the contract.
        """
        return cls(directory, load_manifest(directory))

    def predict(
        self, images: NDArray[np.uint8], terminal: Terminal, description: str = "network"
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Run the network over uint8 (n, height, width, 3).

        Returns:
            probabilities float32 (n, categories), and vectors float32 (n, dimension) as the graph returns them.

        Raises:
            TrainingError: the shapes are not those of the manifest.
        """
        starts = terminal.track(range(0, len(images), BATCH), -(-len(images) // BATCH), description)
        batches = [self._predict_batch(images[start : start + BATCH]) for start in starts]
        probabilities, vectors = zip(*batches, strict=True)
        return np.concatenate(probabilities), np.concatenate(vectors)

    def _predict_batch(self, images: NDArray[np.uint8]) -> tuple[Any, Any]:
        outputs = self._run(image=tf.constant(images))
        probabilities, vectors = outputs["probabilities"].numpy(), outputs["vector"].numpy()
        expected = (len(images), len(self.manifest.categories)), (len(images), self.manifest.dimension)
        if (probabilities.shape, vectors.shape) != expected:
            raise TrainingError(
                f"the network returns shapes {probabilities.shape} and {vectors.shape}; its manifest says {expected}"
            )
        return probabilities, vectors
