"""The target maps of a scene, and the losses of the detector's maps against them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.data.archives.street_photos import NO_MASK
from training.data.composing.scenes import UNKNOWN, Scene
from training.networks.detector import LAYERS, STRIDE, corners, layered

SPREAD = 0.54 / 6  # of a garment's side: the standard deviation of its bell (Training-Time-Friendly Network, 3.2)
LEAST_SPREAD = 0.5  # places
INSIDE = 0.3  # height of the bell from which on a place has to predict the edges
COVERED = 0.5  # share of a garment's box in a larger one of its category from which on it is in the second layer
BACKGROUND = 0.2  # weight of a place that shows no garment, hair or skin, which most places do not
TargetMaps = dict[str, NDArray[np.generic]]


def target_maps(scenes: Sequence[Scene], categories: int) -> TargetMaps:
    """Return the maps of scenes of one size: float32 `chances` (n, rows, columns, layers, categories), `boxes`
    (n, rows, columns, layers, 4) in places and `weights` (n, rows, columns, layers), and int32 `labels`
    (n, rows, columns).

    The centre of a garment is 1 in its category's map, with a bell around it. The weights of a garment's boxes add up
    to 1.
    """
    places = len(scenes[0].picture) // STRIDE
    shape = (len(scenes), places, places)
    depths = {"chances": (LAYERS, categories), "boxes": (LAYERS, 4), "weights": (LAYERS,)}
    maps = {name: np.zeros((*shape, *depth), np.float32) for name, depth in depths.items()}
    for number, scene in enumerate(scenes):
        layer = covered(scene).astype(int)
        for place in range(LAYERS):
            drawn = {name: values[number, :, :, place] for name, values in maps.items()}
            _draw(drawn, scene.boxes[layer == place], scene.categories[layer == place])
    return {**maps, "labels": np.stack([_labels(scene, places) for scene in scenes])}


def covered(scene: Scene) -> NDArray[np.bool_]:
    """Say which garments are covered, by half or more, by a larger one of their category."""
    boxes, same = scene.boxes, scene.categories[:, None] == scene.categories[None, :]
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    low, high = np.maximum(boxes[:, None, :2], boxes[:, :2]), np.minimum(boxes[:, None, 2:], boxes[:, 2:])
    shares = (high - low).clip(0).prod(axis=2) / areas.clip(1e-6)[:, None]
    return np.asarray((same & (areas[:, None] < areas) & (shares >= COVERED)).any(axis=1))


def _labels(scene: Scene, places: int) -> NDArray[np.int32]:
    if scene.labels is None:
        return np.full((places, places), UNKNOWN, np.int32)
    return scene.labels[STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE].astype(np.int32)


def _draw(maps: dict[str, NDArray[np.float32]], boxes: NDArray[np.float32], categories: NDArray[np.int32]) -> None:
    places = len(maps["weights"])
    down, across = np.mgrid[0:places, 0:places].astype(np.float32)
    highest = np.full((places, places), INSIDE, np.float32)
    owner = np.full((places, places), -1)
    for number, (box, category) in enumerate(zip(boxes / STRIDE, categories, strict=True)):
        column, row = np.minimum(((box[:2] + box[2:]) / 2).astype(int), places - 1)
        spread = np.maximum((box[2:] - box[:2]) * SPREAD, LEAST_SPREAD)
        bell = np.exp(-(((across - column) / spread[0]) ** 2 + ((down - row) / spread[1]) ** 2) / 2)
        np.maximum(maps["chances"][:, :, category], bell, out=maps["chances"][:, :, category])
        owner[bell >= highest] = number
        np.maximum(highest, bell, out=highest)
    for number, box in enumerate(boxes / STRIDE):
        owned = owner == number
        maps["boxes"][owned] = box
        maps["weights"][owned] = highest[owned] / max(float(highest[owned].sum()), 1e-9)


def losses(outputs: dict[str, Any], targets: dict[str, Any]) -> Any:
    """Return three losses, float32 (3,).

    Two are a garment's: the focal loss of the chances (Objects as Points, 3), and one minus the generalised overlap of
    the boxes (Rezatofighi et al., arXiv:1902.09630). The third is the mean cross-entropy of the labels of all places,
    0 if the outputs have none.
    """
    truth, garments = targets["chances"], tf.maximum(tf.reduce_sum(targets["weights"]), 1.0)
    logits = layered(outputs["chances"], truth.shape[-1])
    chance, certain = tf.sigmoid(logits), tf.math.log_sigmoid(logits)
    missed = (1 - chance) ** 2 * certain
    invented = (1 - truth) ** 4 * chance**2 * (certain - logits)
    focal = -tf.reduce_sum(tf.where(truth >= 1.0, missed, invented)) / garments
    distance = 1 - generalised_overlap(corners(outputs["edges"]), targets["boxes"])
    labels = _label_loss(outputs["labels"], targets["labels"]) if "labels" in outputs else tf.zeros(())
    return tf.stack([focal, tf.reduce_sum(distance * targets["weights"]) / garments, labels])


def _label_loss(logits: Any, labels: Any) -> Any:
    known = tf.cast(labels != UNKNOWN, tf.float32)
    weights = known * tf.where(labels == NO_MASK, BACKGROUND, 1.0)
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.where(labels == UNKNOWN, NO_MASK, labels), logits)
    return tf.reduce_sum(entropy * weights) / tf.maximum(tf.reduce_sum(weights), 1.0)


def generalised_overlap(ours: Any, theirs: Any) -> Any:
    """Return intersection over union, less the share of the common hull that neither covers: float32 (…), −1 to 1."""
    common = _area(tf.maximum(ours[..., :2], theirs[..., :2]), tf.minimum(ours[..., 2:], theirs[..., 2:]))
    hull = _area(tf.minimum(ours[..., :2], theirs[..., :2]), tf.maximum(ours[..., 2:], theirs[..., 2:]))
    union = _area(ours[..., :2], ours[..., 2:]) + _area(theirs[..., :2], theirs[..., 2:]) - common
    return common / tf.maximum(union, 1e-6) - (hull - union) / tf.maximum(hull, 1e-6)


def _area(low: Any, high: Any) -> Any:
    return tf.reduce_prod(tf.maximum(high - low, 0.0), -1)
