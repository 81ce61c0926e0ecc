"""The end of the last stage: the projection of the look alone is trained on pairs of images.

Street garments and their cut-outs, and products in scenes and on white, find each other among those of their category.
The layers before the projection have learnt kinds, colours and pairs together; the projection alone is cheap to train,
and does not forget them (EXPERIMENTS.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.recipes.fashion.losses import ShownProducts, same_product

LAYER = "look_projection"
EPOCHS = 150  # over the street garments
PAIRS, PRODUCTS = 384, 256  # in a step, at most
PRODUCTS_WEIGHT = 0.4  # of the products in scenes, compared with the street garments
TEMPERATURE = 0.07
PEAK_RATE, DECAY, DROPOUT = 1e-3, 1e-2, 0.3
INPUTS_A_BATCH = 4096
Features = NDArray[np.float16]


class Views(Protocol):
    """The features of images in one or more views: see `ViewFeatures`."""

    @property
    def positions(self) -> NDArray[np.int64]:
        """The images' positions in their source, ascending."""

    @property
    def views(self) -> Features:
        """Float16 (views, n, width)."""


@dataclass(frozen=True)
class ImagePairs:
    """Two images of each thing: queries and gallery, float16 (views, n, width), and categories, int32 (n,)."""

    queries: Features
    gallery: Features
    categories: NDArray[np.int32]

    def through(self, network: Any) -> Self:
        """Return the pairs with the network's outputs in place of the features."""
        return type(self)(_outputs(network, self.queries), _outputs(network, self.gallery), self.categories)

    def draw(self, rng: np.random.Generator, count: int) -> tuple[Any, ...]:
        """Return queries, gallery, ids and categories of `count` things, in a view that is drawn."""
        chosen = rng.choice(len(self.categories), min(count, len(self.categories)), replace=False)
        query, gallery = (views[rng.integers(len(views)), chosen] for views in (self.queries, self.gallery))
        images = tf.constant(query, tf.float32), tf.constant(gallery, tf.float32)
        return *images, tf.constant(chosen), tf.constant(self.categories[chosen])


def street_pairs(groups: Mapping[str, Views], categories: NDArray[np.int32]) -> ImagePairs:
    """Return street garments and their cut-outs."""
    cutouts, crops = groups["cutouts"], groups["crops"]
    places = np.searchsorted(crops.positions, cutouts.positions)
    return ImagePairs(crops.views[:, places], cutouts.views, categories[cutouts.positions])


def scene_pairs(groups: Mapping[str, Views], categories: NDArray[np.int32]) -> ImagePairs:
    """Return products in scenes and on white, those that have features in a scene."""
    products, scenes = groups["products"], groups["scenes"]
    composed = np.flatnonzero((scenes.views[0] != products.views[0]).any(axis=1))
    return ImagePairs(scenes.views[:1, composed], products.views[:, composed], categories[products.positions[composed]])


def finetune_look(head: Any, street: ImagePairs, scenes: ImagePairs, seed: int) -> None:
    """Train the projection of the look."""
    layer = head.get_layer(LAYER)
    before = keras.Model(head.input, layer.input)
    street, scenes = street.through(before), scenes.through(before)
    steps = EPOCHS * max(1, len(street.categories) // PAIRS)
    schedule = keras.optimizers.schedules.CosineDecay(PEAK_RATE, steps)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=DECAY)
    optimizer.build(layer.trainable_variables)
    train = tf.function(_step, reduce_retracing=True)
    for step in range(steps):
        rng = np.random.default_rng([seed, 14, step])
        train(layer, optimizer, street.draw(rng, PAIRS), scenes.draw(rng, PRODUCTS), tf.constant([seed, step]))


def _step(layer: Any, optimizer: Any, street: Any, scenes: Any, seed: Any) -> None:
    with tf.GradientTape() as tape:
        loss = _both_ways(layer, street, seed) + PRODUCTS_WEIGHT * _both_ways(layer, scenes, seed + 1)
    variables = layer.trainable_variables
    optimizer.apply(tape.gradient(loss, variables), variables)


def _both_ways(layer: Any, pairs: tuple[Any, ...], seed: Any) -> Any:
    query, gallery, *shown = pairs
    first, second = (
        tf.math.l2_normalize(layer(tf.nn.experimental.stateless_dropout(images, DROPOUT, seed + 2 * place)), axis=1)
        for place, images in enumerate((query, gallery))
    )
    things = ShownProducts(*shown)
    forth = same_product(first, second, things, things, TEMPERATURE)
    return forth + same_product(second, first, things, things, TEMPERATURE)


def _outputs(network: Any, views: Features) -> Features:
    def whole(features: Features) -> Features:
        starts = range(0, len(features), INPUTS_A_BATCH)
        batches = [features[start : start + INPUTS_A_BATCH].astype(np.float32) for start in starts]
        return np.concatenate([np.asarray(network(batch, training=False), np.float16) for batch in batches])

    return np.stack([whole(features) for features in views])
