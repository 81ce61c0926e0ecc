"""The detector: feature maps of a pretrained backbone, and a small head that predicts garments and their edges at each
place.

A garment is a peak in the map of its category, and the maps at the peak give the distances to its four edges: Zhou et
al., Objects as Points (arXiv:1904.07850), with the edges of Liu et al., Training-Time-Friendly Network
(arXiv:1909.00700). The backbone is fixed, so the head is trained on feature maps that are computed once.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import layers

from training.networks.backbone import Backbone

STRIDE = 8  # pixels a place
LEVELS = (2, 4, 5)  # the head's input stages: an 8th, a 16th and a 32nd of the image's size
DEPTHS = (40, 112, 192)  # channels of these stages
WIDTH = 64
PEAKS = 24  # boxes an image, at most; the weakest have probabilities near 0
RARE = -3.5  # initial bias of the chances: the centre of a garment is rare
LEAST_EDGE, MOST_EDGE = -2.0, 3.5  # bounds of an edge's distance, natural logarithms of places


def feature_maps(backbone: Backbone) -> Any:
    """Return the fixed part: float32 images (n, h, w, 3), 0 to 255 → three maps, fine to coarse."""
    image = keras.Input((None, None, 3), name="image")
    backbone(image)
    maps = [backbone.stages[level] for level in LEVELS]
    model = keras.Model(image, maps, name="features")
    model.trainable = False
    return model


def detector_head(categories: int) -> Any:
    """Return the trained part.

    It takes the three maps and returns `chances` (n, h/8, w/8, categories), logits, and `edges` (…, 4), the logarithms
    of the distances to the left, upper, right and lower edge, in places.
    """
    fine, middle, coarse = (keras.Input((None, None, depth), name=f"level{i}") for i, depth in enumerate(DEPTHS))
    x = _mixed(layers.Conv2D(WIDTH, 1, name="coarse")(coarse), "coarse_mix")
    x = layers.UpSampling2D(2, name="coarse_up")(x)
    x = layers.Add(name="middle_add")([x, layers.Conv2D(WIDTH, 1, name="middle")(middle)])
    x = layers.UpSampling2D(2, interpolation="bilinear", name="middle_up")(_mixed(x, "middle_mix"))
    x = layers.Concatenate(name="both")([x, layers.Conv2D(WIDTH // 2, 1, name="fine")(fine)])
    x = _mixed(_mixed(x, "mix0"), "mix1")
    rare = keras.initializers.Constant(RARE)
    chances = layers.Conv2D(categories, 1, name="chances", bias_initializer=rare)(x)
    edges = layers.Conv2D(4, 1, name="edges", bias_initializer=keras.initializers.Constant(1.0))(x)
    return keras.Model([fine, middle, coarse], {"chances": chances, "edges": edges}, name="detector")


def _mixed(x: Any, name: str) -> Any:
    x = layers.Conv2D(WIDTH, 3, padding="same", use_bias=False, name=name)(x)
    return layers.ReLU(name=f"{name}_relu")(layers.GroupNormalization(8, name=f"{name}_even")(x))


def corners(edges: Any) -> Any:
    """Return the boxes of all places, float32 (n, rows, columns, 4): left, top, right, bottom in places."""
    shape = tf.shape(edges)
    down, across = tf.meshgrid(tf.range(shape[1]), tf.range(shape[2]), indexing="ij")
    centre = tf.cast(tf.stack([across, down], -1), tf.float32) + 0.5
    distance = tf.exp(tf.clip_by_value(edges, LEAST_EDGE, MOST_EDGE))
    return tf.concat([centre - distance[..., :2], centre + distance[..., 2:]], -1)


def peaks(maps: dict[str, Any]) -> dict[str, Any]:
    """Return the places with the highest chances, highest first, without the neighbours of a higher one.

    Returns:
        `boxes` float32 (n, 24, 4): left, top, right, bottom as parts of width and height; `probabilities` float32
        (n, 24, categories), 0 to 1.
    """
    chances = tf.sigmoid(maps["chances"])
    best = tf.reduce_max(chances, -1, keepdims=True)
    best = tf.where(best >= tf.nn.max_pool2d(best, 3, 1, "SAME"), best, 0.0)
    shape = tf.shape(chances)
    count, rows, columns = shape[0], shape[1], shape[2]
    scores, places = tf.math.top_k(tf.reshape(best, [count, -1]), PEAKS)
    whole = tf.cast(tf.stack([columns, rows, columns, rows]), tf.float32)
    boxes = tf.gather(tf.reshape(corners(maps["edges"]) / whole, [count, -1, 4]), places, batch_dims=1)
    probabilities = tf.gather(
        tf.reshape(chances, [count, rows * columns, maps["chances"].shape[-1]]), places, batch_dims=1
    )
    probabilities = tf.where(scores[..., None] > 0, probabilities, 0.0)
    return {"boxes": tf.clip_by_value(boxes, 0.0, 1.0), "probabilities": probabilities}
