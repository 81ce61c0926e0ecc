"""A detector's version directory, run as TensorFlow Serving runs it."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from services.contracts.domain.garments import DetectedGarments
from services.contracts.domain.manifest import DetectorManifest, load_detector_manifest
from training.errors import TrainingError
from training.evaluation.served_model import SIGNATURE
from training.recipes.detector.scenes import SIZE, Scene

CHUNK = 32


class ServedDetector:
    """A detector by its SavedModel."""

    def __init__(self, directory: Path, manifest: DetectorManifest | None = None) -> None:
        """Load it.

        Raises:
            TrainingError: TensorFlow cannot load it, or it takes other pictures than the scenes are.
        """
        try:
            self._loaded = tf.saved_model.load(str(directory))
            self._run: Any = self._loaded.signatures[SIGNATURE]
        except Exception as error:  # TensorFlow raises anything for half a model
            raise TrainingError(f"{directory} cannot be loaded: {' '.join(str(error).split())[:200]}") from None
        if manifest and (manifest.input.height, manifest.input.width) != (SIZE, SIZE):
            raise TrainingError(f"{directory} takes pictures of another size than {SIZE}×{SIZE}")

    @classmethod
    def load(cls, directory: Path) -> tuple["ServedDetector", DetectorManifest]:
        """Return the detector of a version directory such as `models/detector/1`, and its manifest.

        Raises:
            ManifestError: the directory is missing or not whole.
            TrainingError: as for the class.
        """
        manifest = load_detector_manifest(directory)
        return cls(directory, manifest), manifest

    def __call__(self, scenes: list[Scene]) -> list[DetectedGarments]:
        """Return all boxes of each scene, in pixels."""
        answers = []
        for start in range(0, len(scenes), CHUNK):
            pictures = np.stack([scene.picture for scene in scenes[start : start + CHUNK]])
            said = self._run(image=tf.constant(pictures))
            for boxes, probabilities in zip(said["boxes"].numpy(), said["probabilities"].numpy(), strict=True):
                answers.append(DetectedGarments(boxes * SIZE, probabilities))
        return answers
