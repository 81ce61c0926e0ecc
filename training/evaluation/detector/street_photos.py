"""How many garments of street photos a detector finds. A box counts only with the right category."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.garments import DetectedGarments, distinct
from training.data.composing.scenes import Scene
from training.evaluation.detector.matching import matches


def street_figures(detections: Sequence[DetectedGarments], scenes: Sequence[Scene], threshold: float) -> dict[str, Any]:
    """Return recall and precision over all garments and by category, ready for JSON.

    A box hits a garment of its category if they overlap by one half; each garment is hit once.
    """
    garments, boxes, hits = (np.zeros(len(CATEGORIES), int) for _ in range(3))
    for detection, scene in zip(detections, scenes, strict=True):
        detected = distinct(detection, threshold)
        np.add.at(garments, scene.categories, 1)
        np.add.at(boxes, detected.categories, 1)
        places = [place for place, garment in enumerate(matches(detected, scene, same_category=True)) if garment >= 0]
        np.add.at(hits, detected.categories[places], 1)
    return {
        "photos": len(scenes),
        "garments": int(garments.sum()),
        "boxes": int(boxes.sum()),
        "recall": _share(hits.sum(), garments.sum()),
        "precision": _share(hits.sum(), boxes.sum()),
        "f1": _share(2 * hits.sum(), garments.sum() + boxes.sum()),
        "garments_by_category": {name: int(count) for name, count in zip(CATEGORIES, garments, strict=True) if count},
        "recall_by_category": _shares(hits, garments),
        "precision_by_category": _shares(hits, boxes),
    }


def _shares(hits: NDArray[np.int_], counts: NDArray[np.int_]) -> dict[str, float]:
    rows = zip(CATEGORIES, hits, counts, strict=True)
    return {name: _share(hit, count) for name, hit, count in rows if count}


def _share(hits: Any, count: Any) -> float:
    return round(float(hits / max(count, 1)), 4)
