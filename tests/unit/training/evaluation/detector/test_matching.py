"""Recall and precision of boxes."""

import numpy as np
import pytest

from services.contracts.domain.garments import DetectedGarments
from training.data.composing.scenes import SIZE, Scene
from training.evaluation.detector.matching import best_threshold, correct_boxes, count_detections, matches

SCENE = Scene(
    np.zeros((SIZE, SIZE, 3), np.uint8),
    np.array([[0, 0, 50, 50], [100, 100, 150, 150]], np.float32),
    np.array([1, 2], np.int32),
)


def detected(*boxes: tuple[float, float, float, float, int, float]) -> DetectedGarments:
    probabilities = np.zeros((len(boxes), 9), np.float32)
    for row, box in enumerate(boxes):
        probabilities[row, box[4]] = box[5]
    return DetectedGarments(np.array([box[:4] for box in boxes], np.float32).reshape(-1, 4), probabilities)


def test_each_garment_is_hit_once_by_the_box_with_the_highest_score_that_overlaps_it_by_half() -> None:
    garments = detected((0, 0, 50, 40, 1, 0.9), (0, 10, 50, 50, 1, 0.8), (100, 100, 120, 150, 2, 0.7))
    assert matches(garments, SCENE) == [0, -1, -1]


def test_recall_precision_and_right_categories_are_counted() -> None:
    garments = detected(
        (0, 0, 50, 50, 1, 0.9), (100, 100, 150, 150, 5, 0.8), (60, 0, 90, 20, 3, 0.7), (0, 60, 10, 70, 3, 0.1)
    )
    figures = count_detections([garments], [SCENE], 0.5).figures()
    assert figures == pytest.approx({"recall": 1, "precision": 2 / 3, "f1": 0.8, "right_category": 0.5})


def test_scenes_without_boxes_and_garments_have_figures() -> None:
    empty = Scene(SCENE.picture, np.zeros((0, 4), np.float32), np.zeros(0, np.int32))
    assert count_detections([detected(), detected((0, 0, 9, 9, 1, 0.9))], [SCENE, empty], 0.5).figures()["recall"] == 0


def test_the_best_threshold_leaves_out_what_is_wrong() -> None:
    garments = detected((0, 0, 50, 50, 1, 0.62), (100, 100, 150, 150, 2, 0.58), (60, 0, 90, 20, 3, 0.4))
    assert 0.4 < best_threshold([([garments], [SCENE])]) <= 0.58


def test_the_threshold_is_a_compromise_between_sets_of_scenes() -> None:
    sure = detected((0, 0, 50, 50, 1, 0.82), (100, 100, 150, 150, 2, 0.78), (60, 0, 90, 20, 3, 0.71))
    unsure = detected((0, 0, 50, 50, 1, 0.42), (100, 100, 150, 150, 2, 0.38), (60, 0, 90, 20, 3, 0.2))
    assert best_threshold([([sure], [SCENE])]) > 0.71
    assert 0.2 < best_threshold([([sure], [SCENE]), ([unsure], [SCENE])]) <= 0.38


def test_a_box_hits_only_garments_of_its_category_if_that_is_required() -> None:
    garments = detected((0, 0, 50, 50, 2, 0.9), (100, 100, 150, 150, 2, 0.8))
    assert matches(garments, SCENE) == [0, 1]
    assert matches(garments, SCENE, same_category=True) == [-1, 1]


def test_a_box_is_right_when_it_hits_a_garment_and_names_its_kind() -> None:
    garments = detected(
        (0, 0, 50, 50, 1, 0.9), (100, 100, 150, 150, 5, 0.8), (60, 0, 90, 20, 3, 0.7), (0, 60, 9, 70, 3, 0.01)
    )
    scores, correct = correct_boxes([garments], [SCENE])
    np.testing.assert_allclose(scores, [0.9, 0.8, 0.7])
    assert correct.tolist() == [True, False, False]
