"""Recall and precision on street photos: a box counts only with the right category."""

import numpy as np

from services.contracts.domain.garments import DetectedGarments
from training.data.composing.scenes import Scene
from training.evaluation.detector.street_photos import street_figures

SCENE = Scene(
    np.zeros((96, 96, 3), np.uint8),
    np.array([[0, 0, 40, 40], [0, 50, 40, 90], [50, 0, 90, 40]], np.float32),
    np.array([0, 3, 2], np.int32),
)


def detected(*boxes: tuple[float, float, float, float, int, float]) -> DetectedGarments:
    probabilities = np.zeros((len(boxes), 9), np.float32)
    for row, box in enumerate(boxes):
        probabilities[row, box[4]] = box[5]
    return DetectedGarments(np.array([box[:4] for box in boxes], np.float32).reshape(-1, 4), probabilities)


def test_a_box_with_another_category_is_no_hit() -> None:
    boxes = detected((0, 0, 40, 38, 0, 0.9), (0, 50, 40, 90, 1, 0.8), (50, 0, 90, 20, 2, 0.7), (60, 60, 90, 90, 0, 0.1))
    figures = street_figures([boxes], [SCENE], 0.5)
    assert (figures["photos"], figures["garments"], figures["boxes"]) == (1, 3, 3)
    assert (figures["recall"], figures["precision"]) == (0.6667, 0.6667)
    assert figures["recall_by_category"] == {"Topwear": 1.0, "Bags": 1.0, "Bottomwear": 0.0}
    assert figures["precision_by_category"] == {"Topwear": 1.0, "Shoes": 0.0, "Bags": 1.0}
    assert figures["garments_by_category"] == {"Topwear": 1, "Bags": 1, "Bottomwear": 1}


def test_a_box_hits_the_garment_of_its_category_although_another_overlaps_more() -> None:
    layered = Scene(SCENE.picture, np.array([[0, 0, 40, 40], [0, 0, 40, 30]], np.float32), np.array([0, 2], np.int32))
    assert street_figures([detected((0, 0, 40, 40, 2, 0.9))], [layered], 0.5)["recall_by_category"]["Bags"] == 1.0


def test_photos_without_garments_and_boxes_have_figures() -> None:
    empty = Scene(SCENE.picture, np.zeros((0, 4), np.float32), np.zeros(0, np.int32))
    figures = street_figures([detected()], [empty], 0.5)
    assert (figures["recall"], figures["precision"], figures["f1"]) == (0.0, 0.0, 0.0)
