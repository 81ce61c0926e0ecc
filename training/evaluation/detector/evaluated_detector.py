"""A detector's version directory, loaded as TensorFlow Serving loads it."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from services.contracts.domain.garments import DetectedGarments
from services.contracts.domain.manifest import DetectorManifest, InputSize, load_detector_manifest
from training.data.composing.scenes import Scene
from training.errors import TrainingError
from training.evaluation.evaluated_model import SIGNATURE

SCENES_A_BATCH = 32


class EvaluatedDetector:
    """The signature `serving_default` of a detector's SavedModel."""

    def __init__(self, directory: Path, size: InputSize) -> None:
        """Load the SavedModel, whose images have this size.

        Raises:
            TrainingError: TensorFlow cannot load it, or its images are not square, as the scenes are.
        """
        try:
            self._loaded = tf.saved_model.load(str(directory))
            self._run: Any = self._loaded.signatures[SIGNATURE]
        except Exception as error:  # TensorFlow raises many types for an incomplete model
            raise TrainingError(f"{directory} cannot be loaded: {' '.join(str(error).split())[:200]}") from None
        if size.width != size.height:
            raise TrainingError(
                f"{directory} takes images of {size.width}×{size.height} pixels: they have to be square"
            )
        self._side = size.width

    @classmethod
    def load(cls, directory: Path) -> tuple["EvaluatedDetector", DetectorManifest]:
        """Return the detector of a version directory such as `models/detector/2`, and its manifest.

        Raises:
            ManifestError: the directory is missing or incomplete.
            TrainingError: as for the class.
        """
        manifest = load_detector_manifest(directory)
        return cls(directory, manifest.input), manifest

    def __call__(self, scenes: list[Scene]) -> list[DetectedGarments]:
        """Return all boxes of each scene, in pixels of the scene, which is resized to the detector's input."""
        detections = []
        for start in range(0, len(scenes), SCENES_A_BATCH):
            batch = scenes[start : start + SCENES_A_BATCH]
            outputs = self._run(image=tf.constant(np.stack([scene.resized(self._side).picture for scene in batch])))
            boxes, probabilities = outputs["boxes"].numpy(), outputs["probabilities"].numpy()
            for place, scene in enumerate(batch):
                detections.append(DetectedGarments(boxes[place] * len(scene.picture), probabilities[place]))
        return detections
