"""The target maps, the losses against them, and the boxes that the maps give."""

import numpy as np
import pytest
import tensorflow as tf

from training.data.composing.scenes import SIZE, UNKNOWN, Scene
from training.networks.detector import LAYERS, PEAKS, STRIDE, corners, detector_head, peaks
from training.recipes.detector.targets import generalised_overlap, losses, target_maps

PLACES = SIZE // STRIDE
BOXES = np.array([[16, 24, 80, 120], [100, 40, 180, 96]], np.float32)
SCENE = Scene(np.zeros((SIZE, SIZE, 3), np.uint8), BOXES, np.array([1, 4], np.int32))
UNDER = np.array([[20, 24, 100, 150], [44, 34, 76, 130], [20, 110, 100, 180]], np.float32)  # jacket, shirt, trousers
WORN = Scene(SCENE.picture, UNDER, np.array([0, 0, 3], np.int32))
EMPTY = Scene(SCENE.picture, np.zeros((0, 4), np.float32), np.zeros(0, np.int32))


def perfect(expected: dict[str, np.ndarray], certain: float = 8.0) -> dict[str, tf.Tensor]:
    """Return the maps of a perfect network: logits, and the logarithms of the distances to the edges."""
    down, across = np.mgrid[0:PLACES, 0:PLACES][..., None] + 0.5
    left, top, right, bottom = np.moveaxis(expected["boxes"], -1, 0)
    away = np.stack([across - left, down - top, right - across, bottom - down], -1)
    edges = np.log(np.clip(np.where(expected["weights"][..., None] > 0, away, 1.0), 0.2, None)).astype(np.float32)
    chances = np.where(expected["chances"] >= 1, certain, -certain).astype(np.float32)
    return {"chances": _flat(chances), "edges": _flat(edges)}


def _flat(layers: np.ndarray) -> tf.Tensor:
    return tf.constant(layers.reshape(*layers.shape[:3], -1))


def silent(logit: float = -8.0) -> dict[str, tf.Tensor]:
    """Return the maps of a network that says the same of every place."""
    return {
        "chances": tf.fill((1, PLACES, PLACES, LAYERS * 9), logit),
        "edges": tf.zeros((1, PLACES, PLACES, LAYERS * 4)),
    }


def test_the_centre_of_each_garment_is_one_in_its_categorys_map() -> None:
    maps = target_maps([SCENE, EMPTY], 9)
    tops = [tuple(place) for place in np.argwhere(maps["chances"][0] == 1)]
    assert tops == [(8, 17, 0, 4), (9, 6, 0, 1)]
    assert maps["chances"][1].max() == 0
    assert maps["weights"].sum(axis=(1, 2, 3)).tolist() == pytest.approx([2, 0], abs=1e-5)
    np.testing.assert_allclose(maps["boxes"][0, 9, 6, 0], BOXES[0] / 8)


def test_boxes_come_out_of_the_maps_as_they_went_in() -> None:
    boxes = peaks(perfect(target_maps([SCENE], 9)))
    assert boxes["boxes"].shape == (1, PEAKS, 4)
    assert boxes["probabilities"].shape == (1, PEAKS, 9)
    order = np.argsort(boxes["probabilities"].numpy()[0].argmax(1)[:2])
    np.testing.assert_allclose(boxes["boxes"].numpy()[0, :2][order] * SIZE, BOXES, atol=0.01)
    assert boxes["probabilities"].numpy()[0, :2].max(1).min() > 0.99
    assert boxes["probabilities"].numpy()[0, 2:].max() < 0.01


def test_a_garment_under_a_larger_one_of_its_category_is_in_the_second_layer() -> None:
    maps = target_maps([WORN], 9)
    layers = [(layer, category) for _, _, layer, category in np.argwhere(maps["chances"][0] == 1).tolist()]
    assert sorted(layers) == [(0, 0), (0, 3), (1, 0)]
    boxes = peaks(perfect(maps))
    assert np.sort(boxes["probabilities"].numpy()[0, :3].argmax(1)).tolist() == [0, 0, 3]
    shown = boxes["boxes"].numpy()[0, :3] * SIZE
    assert all(np.abs(shown - box).max(1).min() < 0.02 for box in UNDER)


def test_the_losses_of_a_perfect_network_are_small_and_of_an_empty_one_large() -> None:
    expected = target_maps([SCENE], 9)
    best = losses(perfect(expected), expected).numpy()
    assert best.max() < 0.05
    assert (losses(silent(), expected).numpy()[:2] > [5, 0.5]).all()


def test_a_scene_without_garments_costs_nothing_but_inventions() -> None:
    expected = target_maps([EMPTY], 9)
    assert losses(silent(), expected).numpy().max() < 1e-2
    assert losses(silent(3.0), expected).numpy()[0] > 1


def test_the_labels_cost_only_where_a_mask_says_them() -> None:
    labels = np.full((SIZE, SIZE), UNKNOWN, np.uint8)
    labels[: SIZE // 2] = 3
    expected = target_maps([Scene(SCENE.picture, BOXES, SCENE.categories, labels)], 9)
    right = np.full((1, PLACES, PLACES, 5), -9.0, np.float32)
    right[..., 3] = 9
    wrong = np.roll(right, 1, -1)
    halves = np.where(np.arange(PLACES)[None, :, None, None] < PLACES // 2, right, wrong)
    costs = [losses({**silent(), "labels": tf.constant(logits)}, expected).numpy()[2] for logits in (halves, wrong)]
    assert costs[0] < 1e-3
    assert costs[1] > 9
    unknown = target_maps([SCENE], 9)
    assert losses({**silent(), "labels": tf.constant(wrong)}, unknown).numpy()[2] == 0


def test_the_generalised_overlap_is_one_for_the_same_box_and_negative_for_boxes_far_apart() -> None:
    ours = tf.constant([[0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 1, 1]], tf.float32)
    theirs = tf.constant([[0, 0, 2, 2], [1, 0, 3, 2], [3, 0, 4, 1]], tf.float32)
    np.testing.assert_allclose(generalised_overlap(ours, theirs).numpy(), [1, 1 / 3, -0.5], atol=1e-6)


def test_edges_are_distances_from_the_middle_of_a_place() -> None:
    edges = corners(tf.math.log(tf.constant([[[[1.0, 2.0, 3.0, 4.0]]]])))
    np.testing.assert_allclose(edges.numpy()[0, 0, 0, 0], [-0.5, -1.5, 3.5, 4.5], atol=1e-5)


def test_the_head_takes_four_maps_and_begins_with_few_garments() -> None:
    network = detector_head(9)
    levels = ((16, 24), (8, 40), (4, 112), (2, 192))
    maps = [tf.random.stateless_normal((2, side, side, depth), (1, 2)) for side, depth in levels]
    outputs = network(maps)
    assert outputs["chances"].shape == (2, 8, 8, LAYERS * 9)
    assert outputs["edges"].shape == (2, 8, 8, LAYERS * 4)
    assert tf.reduce_mean(tf.sigmoid(outputs["chances"])) < 0.1
