"""Boxes of the detector: which are the same garment, and where they are in the picture itself."""

import numpy as np
import pytest

from services.contracts.domain.garments import DetectedGarments, distinct, overlaps, within
from services.contracts.domain.manifest import InputSize

SIZE = InputSize(height=100, width=100)


def found(*boxes: tuple[float, ...], sure: tuple[float, ...] = (), category: int = 0) -> DetectedGarments:
    probabilities = np.zeros((len(boxes), 3), np.float32)
    probabilities[:, category] = sure or (0.9,) * len(boxes)
    return DetectedGarments(np.array(boxes, np.float32).reshape(-1, 4), probabilities)


def test_the_overlap_is_the_common_area_of_the_area_of_both() -> None:
    ours = np.array([[0, 0, 2, 2]], np.float32)
    theirs = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [2, 2, 3, 3], [1, 1, 1, 1]], np.float32)
    np.testing.assert_allclose(overlaps(ours, theirs), [[1, 1 / 3, 0, 0]], atol=1e-6)


def test_of_boxes_that_are_nearly_the_same_the_surest_stays() -> None:
    kept = distinct(found((0, 0, 10, 10), (0, 0, 10, 11), (20, 0, 30, 10), sure=(0.5, 0.8, 0.6)), 0.3)
    assert kept.boxes[:, 3].tolist() == [11, 10]
    np.testing.assert_allclose(kept.scores, [0.8, 0.6])


def test_the_same_place_is_told_once_whatever_the_categories() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 10]], np.float32)
    kept = distinct(DetectedGarments(boxes, np.array([[0.9, 0, 0], [0, 0.7, 0]], np.float32)), 0.3)
    assert kept.categories.tolist() == [0]


@pytest.mark.parametrize(("threshold", "count"), [(0.29, 2), (0.5, 1), (0.95, 0)])
def test_a_box_counts_from_the_threshold_on(threshold: float, count: int) -> None:
    assert len(distinct(found((0, 0, 5, 5), (6, 6, 9, 9), sure=(0.3, 0.5)), threshold).boxes) == count


def test_no_box_at_all_is_no_garment() -> None:
    nothing = DetectedGarments(np.zeros((0, 4), np.float32), np.zeros((0, 3), np.float32))
    assert len(distinct(nothing, 0.3).boxes) == 0


def test_a_box_is_told_of_the_picture_and_not_of_the_white_beside_it() -> None:
    told = within(found((0.25, 0.1, 0.5, 0.6), (0.1, 0, 0.75, 1)), (25, 0, 75, 100), SIZE)
    np.testing.assert_allclose(told.boxes, [[0, 0.1, 0.5, 0.6], [0, 0, 1, 1]], atol=1e-6)


def test_a_box_beside_the_picture_or_too_narrow_is_left_out() -> None:
    told = within(found((0, 0, 0.2, 1), (0.5, 0.2, 0.505, 0.8), (0.3, 0, 0.6, 1)), (25, 0, 75, 100), SIZE)
    assert len(told.boxes) == 1
