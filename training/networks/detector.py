"""The detector: feature maps of a pretrained backbone, and a small head that predicts garments and their edges at each
place.

A garment is a peak in the map of its category, and the maps at the peak give the distances to its four edges: Zhou et
al., Objects as Points (arXiv:1904.07850), with the edges of Liu et al., Training-Time-Friendly Network
(arXiv:1909.00700). The head is trained first, on maps of the fixed backbone; then the head and the backbone's later
stages, on maps of its first stages. Maps of fixed stages are computed once.

A garment under a larger one of its category, such as a shirt under a jacket, has nearly the same centre: such garments
have maps of their own, the second layer.
"""

from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from training.networks.backbone import Backbone

SIDE = 352  # pixels a side of the served input: a multiple of the coarsest stage's 32
STRIDE = 8  # pixels a place
LEVELS = (1, 2, 4, 5)  # the head's input stages: a 4th, an 8th, a 16th and a 32nd of the image's size
DEPTHS = (24, 40, 112, 192)  # channels of these stages
WIDTH, WIDE = 64, 96  # channels of the maps of an 8th, and of the smaller maps
LAYERS = 2  # of garments: those that a larger one of their category covers, by half or more, are in the second
PEAKS = 24  # boxes an image, at most; the weakest have probabilities near 0
RARE = -3.5  # initial bias of the chances: the centre of a garment is rare
LEAST_EDGE, MOST_EDGE = -2.0, 3.5  # bounds of an edge's distance, natural logarithms of places


@dataclass(frozen=True)
class DetectorNetwork:
    """The network's parts in two divisions, which share their layers.

    Attributes:
        features, head: images → the four maps of the backbone; the maps → `chances` and `edges`.
        fixed, trained: images → the maps that training computes once; these maps → `chances`, `edges` and, with a
            reader, `labels`.
        tuned: the variables of the backbone that are trained.
        reader: predicts what each place shows, to train the maps better; None without masks. It is not served.
    """

    features: Any
    head: Any
    fixed: Any
    trained: Any
    tuned: list[Any]
    reader: Any = None


def detector_network(backbone: Backbone, categories: int, is_tuned: bool, labels: int = 0) -> DetectorNetwork:
    """Return the network; only if `is_tuned`, the stages after the first of the `LEVELS` are trained with the head.

    `labels` is the number of values in the masks of the training photos; 0: there are no masks.
    """
    features, head = feature_maps(backbone), detector_head(categories)
    reader = layers.Conv2D(labels, 1, name="labels") if labels else None
    if not is_tuned:
        maps = [keras.Input(level.shape[1:]) for level in features.outputs]
        return DetectorNetwork(features, head, features, _trained(maps, maps, head, reader), [], reader)
    first, *later = (backbone.stages[level] for level in LEVELS)
    tail = keras.Model(first, later, name="later_stages")
    for layer in tail.layers:
        layer.trainable = True
    finest = keras.Input(first.shape[1:], name="first_map")
    trained = _trained([finest], [finest, *tail(finest)], head, reader)
    fixed = keras.Model(features.input, [features.outputs[0]], name="first_stages")
    return DetectorNetwork(features, head, fixed, trained, tail.trainable_variables, reader)


def _trained(inputs: list[Any], maps: list[Any], head: Any, reader: Any) -> Any:
    outputs = head(maps)
    shown = {} if reader is None else {"labels": reader(outputs["mixed"])}
    return keras.Model(inputs, {"chances": outputs["chances"], "edges": outputs["edges"], **shown}, name="trained")


def feature_maps(backbone: Backbone) -> Any:
    """Return the backbone: float32 images (n, h, w, 3), 0 to 255 → four maps, fine to coarse."""
    image = keras.Input((None, None, 3), name="image")
    backbone(image)
    maps = [backbone.stages[level] for level in LEVELS]
    model = keras.Model(image, maps, name="features")
    model.trainable = False
    return model


def detector_head(categories: int) -> Any:
    """Return the head.

    It takes the four maps and returns `chances` (n, h/8, w/8, layers × categories), logits, `edges` (…, layers × 4),
    the logarithms of the distances to the left, upper, right and lower edge, in places, and `mixed` (…, 64), the maps
    that both are read from.
    """
    finest, fine, middle, coarse = (
        keras.Input((None, None, depth), name=f"level{i}") for i, depth in enumerate(DEPTHS)
    )
    x = _mixed(_mixed(layers.Conv2D(WIDE, 1, name="coarse")(coarse), "coarse_mix0", WIDE), "coarse_mix1", WIDE)
    x = layers.UpSampling2D(2, interpolation="bilinear", name="coarse_up")(x)
    x = layers.Add(name="middle_add")([x, layers.Conv2D(WIDE, 1, name="middle")(middle)])
    x = _mixed(_mixed(x, "middle_mix0", WIDE), "middle_mix1", WIDE)
    x = layers.UpSampling2D(2, interpolation="bilinear", name="middle_up")(layers.Conv2D(WIDTH, 1, name="narrow")(x))
    detail = layers.Conv2D(WIDTH // 2, 3, 2, padding="same", activation="relu", name="finest")(finest)
    x = layers.Add(name="fine_add")([x, layers.Conv2D(WIDTH, 1, name="fine")(layers.Concatenate()([detail, fine]))])
    x = _mixed(_mixed(x, "mix0", WIDTH), "mix1", WIDTH)
    rare = keras.initializers.Constant(RARE)
    chances = layers.Conv2D(LAYERS * categories, 1, name="chances", bias_initializer=rare)(x)
    edges = layers.Conv2D(LAYERS * 4, 1, name="edges", bias_initializer=keras.initializers.Constant(1.0))(x)
    return keras.Model(
        [finest, fine, middle, coarse], {"chances": chances, "edges": edges, "mixed": x}, name="detector"
    )


def _mixed(x: Any, name: str, width: int) -> Any:
    x = layers.Conv2D(width, 3, padding="same", use_bias=False, name=name)(x)
    return layers.ReLU(name=f"{name}_relu")(layers.GroupNormalization(8, name=f"{name}_even")(x))


def layered(maps: Any, depth: int) -> Any:
    """Return maps (n, rows, columns, layers × depth) as (n, rows, columns, layers, depth)."""
    shape = tf.shape(maps)
    return tf.reshape(maps, [shape[0], shape[1], shape[2], -1, depth])


def corners(edges: Any) -> Any:
    """Return the boxes of all places, float32 (n, rows, columns, layers, 4): left, top, right, bottom in places."""
    edges = layered(edges, 4)
    shape = tf.shape(edges)
    down, across = tf.meshgrid(tf.range(shape[1]), tf.range(shape[2]), indexing="ij")
    centre = tf.cast(tf.stack([across, down], -1)[:, :, None], tf.float32) + 0.5
    distance = tf.exp(tf.clip_by_value(edges, LEAST_EDGE, MOST_EDGE))
    return tf.concat([centre - distance[..., :2], centre + distance[..., 2:]], -1)


def peaks(maps: dict[str, Any]) -> dict[str, Any]:
    """Return the places with the highest chances, highest first, without the neighbours of a higher one in its layer.

    Returns:
        `boxes` float32 (n, 24, 4): left, top, right, bottom as parts of width and height; `probabilities` float32
        (n, 24, categories), 0 to 1.
    """
    categories = maps["chances"].shape[-1] // LAYERS
    chances = tf.sigmoid(layered(maps["chances"], categories))
    best = tf.reduce_max(chances, -1)
    best = tf.where(best >= tf.nn.max_pool2d(best, 3, 1, "SAME"), best, 0.0)
    shape = tf.shape(chances)
    count, rows, columns = shape[0], shape[1], shape[2]
    scores, places = tf.math.top_k(tf.reshape(best, [count, -1]), PEAKS)
    whole = tf.cast(tf.stack([columns, rows, columns, rows]), tf.float32)
    boxes = tf.gather(tf.reshape(corners(maps["edges"]) / whole, [count, -1, 4]), places, batch_dims=1)
    probabilities = tf.gather(tf.reshape(chances, [count, -1, categories]), places, batch_dims=1)
    probabilities = tf.where(scores[..., None] > 0, probabilities, 0.0)
    return {"boxes": tf.clip_by_value(boxes, 0.0, 1.0), "probabilities": probabilities}
