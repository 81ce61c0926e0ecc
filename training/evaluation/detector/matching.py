"""Recall and precision of boxes against the garments of scenes, at an overlap of one half."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.garments import DetectedGarments, distinct, overlaps
from training.data.composing.scenes import Scene

OVERLAP = 0.5
LEAST_SCORE = 0.02  # boxes with a lower score do not help to calibrate
THRESHOLDS = tuple(np.round(np.arange(0.1, 0.9, 0.025), 3).tolist())


@dataclass
class DetectionCounts:
    """Garments in the scenes, boxes, boxes that hit a garment, and of these the boxes with its category."""

    garments: int = 0
    boxes: int = 0
    hits: int = 0
    right: int = 0

    def figures(self) -> dict[str, float]:
        """Return recall, precision, their harmonic mean, and the share of right categories among the hits."""
        return {
            "recall": self.hits / max(self.garments, 1),
            "precision": self.hits / max(self.boxes, 1),
            "f1": 2 * self.hits / max(self.garments + self.boxes, 1),
            "right_category": self.right / max(self.hits, 1),
        }

    @property
    def right_f1(self) -> float:
        """The harmonic mean of recall and precision if only boxes with the right category count."""
        return 2 * self.right / max(self.garments + self.boxes, 1)


def matches(detection: DetectedGarments, scene: Scene, same_category: bool = False) -> list[int]:
    """Return for each box, highest score first, the garment that it hits, −1 for none. A garment is hit once.

    With `same_category`, a box hits only garments of its category.
    """
    if not len(detection.boxes) or not len(scene.boxes):
        return [-1] * len(detection.boxes)
    overlap, hits = overlaps(detection.boxes, scene.boxes), []
    if same_category:
        overlap = np.where(detection.categories[:, None] == scene.categories[None, :], overlap, 0)
    for row in overlap:
        best = int(row.argmax())
        hits.append(best if row[best] >= OVERLAP else -1)
        if hits[-1] >= 0:
            overlap[:, best] = 0
    return hits


def count_detections(
    detections: Sequence[DetectedGarments], scenes: Sequence[Scene], threshold: float
) -> DetectionCounts:
    """Count over scenes with the detector's boxes in pixels."""
    counts = DetectionCounts()
    for detection, scene in zip(detections, scenes, strict=True):
        boxes = distinct(detection, threshold)
        hits = matches(boxes, scene)
        counts.garments += len(scene.boxes)
        counts.boxes += len(hits)
        counts.hits += sum(garment >= 0 for garment in hits)
        counts.right += sum(g >= 0 and c == scene.categories[g] for g, c in zip(hits, boxes.categories, strict=True))
    return counts


def correct_boxes(
    detections: Sequence[DetectedGarments], scenes: Sequence[Scene]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the score of each box, and whether the box hits a garment and has its category."""
    scores: list[float] = []
    correct: list[bool] = []
    for detection, scene in zip(detections, scenes, strict=True):
        boxes = distinct(detection, LEAST_SCORE)
        scores += boxes.scores.tolist()
        for garment, category in zip(matches(boxes, scene), boxes.categories, strict=True):
            correct.append(garment >= 0 and bool(category == scene.categories[garment]))
    return np.array(scores), np.array(correct)


def best_threshold(sets: Sequence[tuple[Sequence[DetectedGarments], Sequence[Scene]]]) -> float:
    """Return the threshold with the best harmonic mean of recall and precision, the mean over sets of scenes.

    Only boxes with the right category count.
    """

    def f1(threshold: float) -> float:
        return sum(count_detections(detections, scenes, threshold).right_f1 for detections, scenes in sets)

    return float(max(THRESHOLDS, key=f1))
