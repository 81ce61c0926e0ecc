"""A detector's version directory, loaded as TensorFlow Serving loads it."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from services.contracts.domain.garments import DetectedGarments
from services.contracts.domain.manifest import DetectorManifest, load_detector_manifest
from training.data.scenes import SIZE, Scene
from training.errors import TrainingError
from training.evaluation.evaluated_model import SIGNATURE

SCENES_A_BATCH = 32


class EvaluatedDetector:
    """The signature `serving_default` of a detector's SavedModel."""

    def __init__(self, directory: Path, manifest: DetectorManifest | None = None) -> None:
        """Load the SavedModel.

        Raises:
            TrainingError: TensorFlow cannot load it, or its images have another size than the scenes.
        """
        try:
            self._loaded = tf.saved_model.load(str(directory))
            self._run: Any = self._loaded.signatures[SIGNATURE]
        except Exception as error:  # TensorFlow raises many types for an incomplete model
            raise TrainingError(f"{directory} cannot be loaded: {' '.join(str(error).split())[:200]}") from None
        if manifest and (manifest.input.height, manifest.input.width) != (SIZE, SIZE):
            raise TrainingError(f"{directory} takes images of another size than {SIZE}×{SIZE}")

    @classmethod
    def load(cls, directory: Path) -> tuple["EvaluatedDetector", DetectorManifest]:
        """Return the detector of a version directory such as `models/detector/1`, and its manifest.

        Raises:
            ManifestError: the directory is missing or incomplete.
            TrainingError: as for the class.
        """
        manifest = load_detector_manifest(directory)
        return cls(directory, manifest), manifest

    def __call__(self, scenes: list[Scene]) -> list[DetectedGarments]:
        """Return all boxes of each scene, in pixels."""
        detections = []
        for start in range(0, len(scenes), SCENES_A_BATCH):
            pictures = np.stack([scene.picture for scene in scenes[start : start + SCENES_A_BATCH]])
            outputs = self._run(image=tf.constant(pictures))
            for boxes, probabilities in zip(outputs["boxes"].numpy(), outputs["probabilities"].numpy(), strict=True):
                detections.append(DetectedGarments(boxes * SIZE, probabilities))
        return detections
