"""How many garments of composed scenes are found: recall and precision at an overlap of one half."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.garments import DetectedGarments, distinct, overlaps
from training.recipes.detector.scenes import Scene

OVERLAP = 0.5
LEAST_TOLD = 0.02  # what is less sure says nothing about how to calibrate
THRESHOLDS = tuple(np.round(np.arange(0.1, 0.9, 0.025), 3).tolist())


@dataclass
class Count:
    """Garments that are there, boxes that were told, those of them that hit a garment, and of these those of its category."""

    there: int = 0
    told: int = 0
    hits: int = 0
    right: int = 0

    def figures(self) -> dict[str, float]:
        """Return recall, precision, their harmonic mean, and the share of right categories among the hits."""
        harmonic = 2 * self.hits / max(self.there + self.told, 1)
        return {
            "recall": self.hits / max(self.there, 1),
            "precision": self.hits / max(self.told, 1),
            "f1": harmonic,
            "right_category": self.right / max(self.hits, 1),
        }


def matches(found: DetectedGarments, scene: Scene) -> list[int]:
    """Return for each box, the surest first, which garment of the scene it hits; −1 for none. A garment is hit once."""
    if not len(found.boxes) or not len(scene.boxes):
        return [-1] * len(found.boxes)
    overlap, hit = overlaps(found.boxes, scene.boxes), []
    for row in overlap:
        best = int(row.argmax())
        hit.append(best if row[best] >= OVERLAP else -1)
        if hit[-1] >= 0:
            overlap[:, best] = 0
    return hit


def count(answers: Sequence[DetectedGarments], scenes: Sequence[Scene], threshold: float) -> Count:
    """Count over scenes with what the detector said of each, boxes in pixels."""
    counted = Count()
    for found, scene in zip(answers, scenes, strict=True):
        kept = distinct(found, threshold)
        hit = matches(kept, scene)
        counted.there += len(scene.boxes)
        counted.told += len(hit)
        counted.hits += sum(garment >= 0 for garment in hit)
        counted.right += sum(g >= 0 and c == scene.categories[g] for g, c in zip(hit, kept.categories, strict=True))
    return counted


def told_right(
    answers: Sequence[DetectedGarments], scenes: Sequence[Scene]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return how sure each box is that is told at all, and whether it hits a garment and names its category."""
    scores: list[float] = []
    right: list[bool] = []
    for found, scene in zip(answers, scenes, strict=True):
        kept = distinct(found, LEAST_TOLD)
        scores += kept.scores.tolist()
        for garment, category in zip(matches(kept, scene), kept.categories, strict=True):
            right.append(garment >= 0 and bool(category == scene.categories[garment]))
    return np.array(scores), np.array(right)


def best_threshold(answers: Sequence[DetectedGarments], scenes: Sequence[Scene]) -> float:
    """Return the least sureness at which recall and precision are best together."""
    return float(max(THRESHOLDS, key=lambda threshold: count(answers, scenes, threshold).figures()["f1"]))
