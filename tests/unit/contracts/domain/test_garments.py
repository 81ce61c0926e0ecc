"""Boxes of the detector: duplicates, and their place in the picture."""

import numpy as np
import pytest

from services.contracts.domain.garments import DetectedGarments, distinct, overlaps, within_picture
from services.contracts.domain.manifest import InputSize

SIZE = InputSize(height=100, width=100)


def garments(*boxes: tuple[float, ...], scores: tuple[float, ...] = (), category: int = 0) -> DetectedGarments:
    probabilities = np.zeros((len(boxes), 3), np.float32)
    probabilities[:, category] = scores or (0.9,) * len(boxes)
    return DetectedGarments(np.array(boxes, np.float32).reshape(-1, 4), probabilities)


def test_the_overlap_is_the_intersection_over_the_union() -> None:
    left = np.array([[0, 0, 2, 2]], np.float32)
    right = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [2, 2, 3, 3], [1, 1, 1, 1]], np.float32)
    np.testing.assert_allclose(overlaps(left, right), np.array([[1, 1 / 3, 0, 0]]), atol=1e-6)


def test_the_best_of_overlapping_boxes_stays() -> None:
    best = distinct(garments((0, 0, 10, 10), (0, 0, 10, 11), (20, 0, 30, 10), scores=(0.5, 0.8, 0.6)), 0.3)
    assert best.boxes[:, 3].tolist() == [11, 10]
    np.testing.assert_allclose(best.scores, [0.8, 0.6])


def test_overlapping_boxes_of_different_categories_are_duplicates() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 10]], np.float32)
    best = distinct(DetectedGarments(boxes, np.array([[0.9, 0, 0], [0, 0.7, 0]], np.float32)), 0.3)
    assert best.categories.tolist() == [0]


@pytest.mark.parametrize(("threshold", "count"), [(0.29, 2), (0.5, 1), (0.95, 0)])
def test_a_box_with_the_score_of_the_threshold_counts(threshold: float, count: int) -> None:
    assert len(distinct(garments((0, 0, 5, 5), (6, 6, 9, 9), scores=(0.3, 0.5)), threshold).boxes) == count


def test_without_boxes_there_are_no_garments() -> None:
    empty = DetectedGarments(np.zeros((0, 4), np.float32), np.zeros((0, 3), np.float32))
    assert len(distinct(empty, 0.3).boxes) == 0


def test_boxes_are_converted_to_the_picture_without_its_white_frame() -> None:
    converted = within_picture(garments((0.25, 0.1, 0.5, 0.6), (0.1, 0, 0.75, 1)), (25, 0, 75, 100), SIZE)
    np.testing.assert_allclose(converted.boxes, np.array([[0, 0.1, 0.5, 0.6], [0, 0, 1, 1]]), atol=1e-6)


def test_a_box_outside_the_picture_or_too_narrow_is_dropped() -> None:
    converted = within_picture(
        garments((0, 0, 0.2, 1), (0.5, 0.2, 0.505, 0.8), (0.3, 0, 0.6, 1)), (25, 0, 75, 100), SIZE
    )
    assert len(converted.boxes) == 1
