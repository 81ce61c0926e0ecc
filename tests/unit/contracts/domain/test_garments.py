"""Boxes of the detector: duplicates, and their place in the picture."""

from typing import Any

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


def overlap_of(left: list[float], right: list[float]) -> float:
    """Return the intersection over union of two boxes, of which either may be empty."""

    def area(box: list[float]) -> float:
        return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])

    common = area([*map(max, left[:2], right[:2]), *map(min, left[2:], right[2:])])
    whole = area(left) + area(right) - common
    return common / whole if whole else 0.0


def test_the_overlaps_of_any_boxes_are_those_of_each_pair() -> None:
    edges: Any = np.float32(0.2) * np.random.default_rng(3).integers(0, 6, (40, 4)).astype(np.float32)
    left, right = edges[:17], edges[17:]
    expected: Any = np.array([[overlap_of(list(map(float, a)), list(map(float, b))) for b in right] for a in left])
    assert overlaps(left, right).shape == (17, 23)
    np.testing.assert_allclose(overlaps(left, right), expected, atol=1e-5)
    large = edges * 300
    np.testing.assert_allclose(overlaps(large[:17], large[17:]), expected, atol=1e-5)


@pytest.mark.parametrize(("height", "kept"), [(54, 2), (56, 1)])
def test_boxes_that_overlap_by_more_than_55_percent_are_one_garment(height: float, kept: int) -> None:
    assert len(distinct(garments((0, 0, 10, 100), (0, 0, 10, height), scores=(0.5, 0.9)), 0.3).boxes) == kept


def test_a_box_is_compared_with_each_better_one_that_stayed() -> None:
    boxes = (0, 0, 10, 10), (0, 0, 10, 7), (20, 0, 30, 10), (20, 0, 30, 8), (0, 0, 10, 5)
    best = distinct(garments(*boxes, scores=(0.9, 0.8, 0.7, 0.6, 0.5)), 0.3)
    assert best.boxes.tolist() == [list(boxes[row]) for row in (0, 2, 4)]


def test_equal_scores_keep_the_order_of_the_boxes() -> None:
    boxes = (0, 0, 1, 1), (2, 0, 3, 1), (4, 0, 5, 1)
    assert distinct(garments(*boxes), 0.3).boxes.tolist() == [list(box) for box in boxes]


def test_each_box_has_its_best_score_and_category() -> None:
    probabilities = np.array([[0.1, 0.7, 0.2], [0.0, 0.0, 0.0], [0.3, 0.2, 0.9]], np.float32)
    detected = DetectedGarments(np.zeros((3, 4), np.float32), probabilities)
    assert detected.scores.tolist() == pytest.approx([0.7, 0, 0.9])
    assert detected.categories.tolist() == [1, 0, 2]
    assert detected.scores.dtype == np.float32
    taken = detected.take([2, 0])
    assert taken.scores.tolist() == pytest.approx([0.9, 0.7])
    assert DetectedGarments(np.zeros((1, 4), np.float32), np.zeros((1, 0), np.float32)).scores.tolist() == [0]


def test_boxes_are_converted_in_both_directions() -> None:
    size = InputSize(height=80, width=100)
    placement = 10, 20, 90, 60  # a picture of 80×40 pixels
    converted = within_picture(garments((0.3, 0.5, 0.7, 0.625), (0, 0, 1, 1), (0.1, 0.25, 0.9, 0.75)), placement, size)
    expected: Any = np.array([[0.25, 0.5, 0.75, 0.75], [0, 0, 1, 1], [0, 0, 1, 1]])
    np.testing.assert_allclose(converted.boxes, expected, atol=1e-6)
    assert converted.boxes.dtype == np.float32


@pytest.mark.parametrize(("side", "is_kept"), [(0.0, False), (0.0199, False), (0.0201, True)])
def test_a_box_has_a_fiftieth_of_each_side_of_the_picture(side: float, is_kept: bool) -> None:
    for box in ((0.5, 0, 0.5 + side, 1), (0, 0.5, 1, 0.5 + side)):
        assert len(within_picture(garments(box), (0, 0, 100, 100), SIZE).boxes) == is_kept


def test_a_box_that_ends_before_the_picture_begins_is_outside() -> None:
    outside = (0, 0, 0.09, 1), (0.91, 0, 1, 1), (0, 0, 1, 0.19), (0, 0.61, 1, 1)
    assert len(within_picture(garments(*outside), (10, 20, 90, 60), SIZE).boxes) == 0
