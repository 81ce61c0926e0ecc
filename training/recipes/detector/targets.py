"""The target maps of a scene, and the losses of the detector's maps against them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.data.composing.scenes import Scene
from training.networks.detector import STRIDE, corners

SPREAD = 0.54 / 6  # of a garment's side: the standard deviation of its bell (Training-Time-Friendly Network, 3.2)
LEAST_SPREAD = 0.5  # places
INSIDE = 0.3  # height of the bell from which on a place has to predict the edges
TargetMaps = dict[str, NDArray[np.float32]]
DEPTHS = {"boxes": 4, "weights": 1}


def target_maps(scenes: Sequence[Scene], categories: int) -> TargetMaps:
    """Return the maps of scenes of one size, float32: `chances` (n, rows, columns, categories), `boxes` (…, 4) in
    places, `weights` (…, 1).

    The centre of a garment is 1 in its category's map, with a bell around it. The weights of a garment's boxes add up
    to 1.
    """
    places = len(scenes[0].picture) // STRIDE
    shape = (len(scenes), places, places)
    depths = {"chances": categories, **DEPTHS}
    maps = {name: np.zeros((*shape, depth), np.float32) for name, depth in depths.items()}
    for number, scene in enumerate(scenes):
        _draw({name: values[number] for name, values in maps.items()}, scene)
    return maps


def _draw(maps: TargetMaps, scene: Scene) -> None:
    places = len(maps["weights"])
    down, across = np.mgrid[0:places, 0:places].astype(np.float32)
    highest = np.full((places, places), INSIDE, np.float32)
    owner = np.full((places, places), -1)
    for number, (box, category) in enumerate(zip(scene.boxes / STRIDE, scene.categories, strict=True)):
        column, row = np.minimum(((box[:2] + box[2:]) / 2).astype(int), places - 1)
        spread = np.maximum((box[2:] - box[:2]) * SPREAD, LEAST_SPREAD)
        bell = np.exp(-(((across - column) / spread[0]) ** 2 + ((down - row) / spread[1]) ** 2) / 2)
        np.maximum(maps["chances"][:, :, category], bell, out=maps["chances"][:, :, category])
        owner[bell >= highest] = number
        np.maximum(highest, bell, out=highest)
    for number, box in enumerate(scene.boxes / STRIDE):
        owned = owner == number
        maps["boxes"][owned] = box
        maps["weights"][owned, 0] = highest[owned] / max(float(highest[owned].sum()), 1e-9)


def losses(outputs: dict[str, Any], targets: dict[str, Any]) -> Any:
    """Return two losses a garment, float32 (2,).

    The focal loss of the chances (Objects as Points, 3), and one minus the generalised overlap of the boxes
    (Rezatofighi et al., arXiv:1902.09630).
    """
    truth, garments = targets["chances"], tf.maximum(tf.reduce_sum(targets["weights"]), 1.0)
    chance, certain = tf.sigmoid(outputs["chances"]), tf.math.log_sigmoid(outputs["chances"])
    missed = (1 - chance) ** 2 * certain
    invented = (1 - truth) ** 4 * chance**2 * (certain - outputs["chances"])
    focal = -tf.reduce_sum(tf.where(truth >= 1.0, missed, invented)) / garments
    distance = 1 - generalised_overlap(corners(outputs["edges"]), targets["boxes"])
    return tf.stack([focal, tf.reduce_sum(distance * targets["weights"][..., 0]) / garments])


def generalised_overlap(ours: Any, theirs: Any) -> Any:
    """Return intersection over union, less the share of the common hull that neither covers: float32 (…), −1 to 1."""
    common = _area(tf.maximum(ours[..., :2], theirs[..., :2]), tf.minimum(ours[..., 2:], theirs[..., 2:]))
    hull = _area(tf.minimum(ours[..., :2], theirs[..., :2]), tf.maximum(ours[..., 2:], theirs[..., 2:]))
    union = _area(ours[..., :2], ours[..., 2:]) + _area(theirs[..., :2], theirs[..., 2:]) - common
    return common / tf.maximum(union, 1e-6) - (hull - union) / tf.maximum(hull, 1e-6)


def _area(low: Any, high: Any) -> Any:
    return tf.reduce_prod(tf.maximum(high - low, 0.0), -1)
