"""What the detector's maps should show of a scene, and the losses against it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.networks.detector import STRIDE, corners
from training.recipes.detector.scenes import SIZE, Scene

PLACES = SIZE // STRIDE
SPREAD = 0.54 / 6  # of a garment's side: the standard deviation of its bell (Training-Time-Friendly Network, 3.2)
LEAST_SPREAD = 0.5  # places
INSIDE = 0.3  # height of the bell from which on a place has to know the edges
Maps = dict[str, NDArray[np.float32]]


def targets(scenes: Sequence[Scene], categories: int) -> Maps:
    """Return the maps of scenes, float32: `chances` (n, 24, 24, categories), `boxes` (…, 4) in places, and `weights` (…, 1).

    The middle of a garment is 1 in its category's map, with a bell around it. Weights of a garment's boxes add up to 1.
    """
    shape = (len(scenes), PLACES, PLACES)
    maps = {
        n: np.zeros((*shape, depth), np.float32) for n, depth in (("chances", categories), ("boxes", 4), ("weights", 1))
    }
    for place, scene in enumerate(scenes):
        _draw({name: values[place] for name, values in maps.items()}, scene)
    return maps


def _draw(maps: Maps, scene: Scene) -> None:
    down, across = np.mgrid[0:PLACES, 0:PLACES].astype(np.float32)
    highest = np.full((PLACES, PLACES), INSIDE, np.float32)
    owner = np.full((PLACES, PLACES), -1)
    for number, (box, category) in enumerate(zip(scene.boxes / STRIDE, scene.categories, strict=True)):
        column, row = np.minimum(((box[:2] + box[2:]) / 2).astype(int), PLACES - 1)
        spread = np.maximum((box[2:] - box[:2]) * SPREAD, LEAST_SPREAD)
        bell = np.exp(-(((across - column) / spread[0]) ** 2 + ((down - row) / spread[1]) ** 2) / 2)
        np.maximum(maps["chances"][:, :, category], bell, out=maps["chances"][:, :, category])
        owner[bell >= highest] = number
        np.maximum(highest, bell, out=highest)
    for number, box in enumerate(scene.boxes / STRIDE):
        mine = owner == number
        maps["boxes"][mine] = box
        maps["weights"][mine, 0] = highest[mine] / max(float(highest[mine].sum()), 1e-9)


def losses(said: dict[str, Any], wanted: dict[str, Any]) -> Any:
    """Return the focal loss of the chances (Objects as Points, 3) and one minus the generalised overlap of the boxes
    (Rezatofighi et al., arXiv:1902.09630), both a garment: float32 (2,).
    """
    truth, garments = wanted["chances"], tf.maximum(tf.reduce_sum(wanted["weights"]), 1.0)
    chance, certain = tf.sigmoid(said["chances"]), tf.math.log_sigmoid(said["chances"])
    missed = (1 - chance) ** 2 * certain
    invented = (1 - truth) ** 4 * chance**2 * (certain - said["chances"])
    found = -tf.reduce_sum(tf.where(truth >= 1.0, missed, invented)) / garments
    apart = 1 - generalised_overlap(corners(said["edges"]), wanted["boxes"])
    return tf.stack([found, tf.reduce_sum(apart * wanted["weights"][..., 0]) / garments])


def generalised_overlap(ours: Any, theirs: Any) -> Any:
    """Return intersection over union, less the share of the common hull that neither covers: float32 (…), −1 to 1."""
    common = _area(tf.maximum(ours[..., :2], theirs[..., :2]), tf.minimum(ours[..., 2:], theirs[..., 2:]))
    hull = _area(tf.minimum(ours[..., :2], theirs[..., :2]), tf.maximum(ours[..., 2:], theirs[..., 2:]))
    union = _area(ours[..., :2], ours[..., 2:]) + _area(theirs[..., :2], theirs[..., 2:]) - common
    return common / tf.maximum(union, 1e-6) - (hull - union) / tf.maximum(hull, 1e-6)


def _area(low: Any, high: Any) -> Any:
    return tf.reduce_prod(tf.maximum(high - low, 0.0), -1)
