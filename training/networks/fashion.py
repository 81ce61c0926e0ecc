"""The network that Lookalike ships: a pretrained backbone, a unit vector of 64 numbers, and nine probabilities.

The probabilities come from a softmax over eleven classes: the nine, "other clothing" and "no clothing at all". The
shares of the last two are spread evenly over the nine: they add up to one, and the highest of them is low where there
is no clothing of the nine categories.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from training.networks.backbone import STAGES, Backbone, Stages

DIMENSION = 64
HIDDEN = 384  # between the features and the categories
SIMILARITY_HIDDEN = 2048  # between the features and the vectors, in addition to the features themselves
FIRST_SCALE = 12.0  # initial scale of the cosines in the softmax over proxies
KINDS = 32  # numbers of the vector for kind and colour; the others are for the individual product
LOOK_SHARE = (
    0.3  # of the similarity that the individual product makes up, chosen on the validation part (EXPERIMENTS.md)
)
DROPOUT = 0.1  # of the features in training
ATTENTION_MAPS = 4
BACKBONE_LAYERS = ("stem", "block")  # prefixes of the names of the backbone's layers
CATEGORY_LAYERS = ("hidden", "content_logits")  # used for the categories only
VECTOR_LAYERS = ("similarity_hidden", "kind_projection", "look_projection")  # used for the vectors only
NONE_CLASSES = 2  # classes after the categories: other clothing, and no clothing at all
ANCHOR_LAYERS = {"type_anchors": ("kinds", 0.3), "pair_anchors": ("pairs", 1.0)}  # attribute, and weight of its anchors
MOST_ANCHORS = 1024  # of an attribute
LEAST_CLASS = 4  # vectors that make a class an anchor
LEAST_LENGTH = 1e-6  # of a mean, before it is scaled to length 1
SHARPNESS = 30.0  # of the choice among anchors
NO_ANCHOR = -1e9
# The first layers are the most expensive to train, and the most general.
FROZEN = ("stem", "block0_", "block1_", "block2_", "block3_", "block4_")


class UnitLength(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Scales each vector to length 1."""

    def call(self, inputs: Any) -> Any:
        """Return float32 (n, dim) of unit length."""
        return inputs * ops.rsqrt(ops.maximum(ops.sum(inputs * inputs, axis=-1, keepdims=True), 1e-12))


class Anchors(layers.Layer):  # type: ignore[misc]
    """The mean of the anchors near each vector: the unit mean vectors of classes, which `place` sets.

    An anchor's share is the softmax of its cosine times `SHARPNESS` plus the logarithm of its class's size.
    Without anchors, the mean is 0.
    """

    def build(self, input_shape: Any) -> None:
        """Make room for the anchors, which no optimizer changes."""
        empty = {"initializer": "zeros", "trainable": False}
        self.anchors = self.add_weight(shape=(MOST_ANCHORS, input_shape[-1]), name="anchors", **empty)
        self.sizes = self.add_weight(shape=(MOST_ANCHORS,), name="sizes", **empty)

    def call(self, inputs: Any) -> Any:
        """Return float32 (n, dim)."""
        sizes = ops.where(self.sizes > 0, ops.log(ops.maximum(self.sizes, 1.0)), NO_ANCHOR)
        shares = ops.softmax(SHARPNESS * ops.matmul(inputs, ops.transpose(self.anchors)) + sizes)
        return ops.matmul(shares, self.anchors)

    def place(self, vectors: NDArray[np.float32], classes: NDArray[np.integer]) -> None:
        """Place an anchor at the mean of each of the largest classes.

        Args:
            vectors: float32 (n, dim), unit length.
            classes: of the vectors, (n,); −1 for none.
        """
        counts = np.bincount(classes[classes >= 0], minlength=1)
        means = np.zeros((len(counts), vectors.shape[1]), np.float32)
        np.add.at(means, classes[classes >= 0], vectors[classes >= 0])
        largest = [place for place in np.argsort(-counts, kind="stable")[:MOST_ANCHORS] if counts[place] >= LEAST_CLASS]
        anchors, sizes = (np.zeros(weight.shape, np.float32) for weight in (self.anchors, self.sizes))
        lengths = np.linalg.norm(means[largest], axis=1, keepdims=True)
        anchors[: len(largest)] = means[largest] / np.maximum(lengths, LEAST_LENGTH)
        sizes[: len(largest)] = counts[largest]
        self.set_weights([anchors, sizes])


class Proxies(layers.Layer):  # type: ignore[misc]
    """Logits: cosines to one learned direction a class, times a learned scale."""

    def __init__(self, classes: int, **options: Any) -> None:
        super().__init__(**options)
        self.classes = classes

    def build(self, input_shape: Any) -> None:
        """Draw the directions."""
        shape = (input_shape[-1], self.classes)
        self.directions = self.add_weight(shape=shape, initializer="glorot_normal", name="directions")
        self.scale = self.add_weight(shape=(), initializer=keras.initializers.Constant(FIRST_SCALE), name="scale")

    def call(self, inputs: Any) -> Any:
        """Return float32 (n, classes)."""
        length = ops.sqrt(ops.sum(self.directions * self.directions, axis=0, keepdims=True) + 1e-12)
        return self.scale * ops.matmul(inputs, self.directions / length)


class ChannelScaling(layers.Layer):  # type: ignore[misc]
    """Scales each channel to mean 0 and deviation 1 over the images it is fitted to. Gain and bias are trained."""

    def build(self, input_shape: Any) -> None:
        """Start with the identity."""
        self.gain = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="gain")
        self.bias = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        """Return float32 of the input's shape."""
        return inputs * self.gain + self.bias

    def fit_to(self, inputs: Any) -> None:
        """Set gain and bias by these inputs, float32 (n, h, w, channels)."""
        deviation = ops.std(inputs, axis=(0, 1, 2)) + 1e-3
        self.gain.assign(1 / deviation)
        self.bias.assign(-ops.mean(inputs, axis=(0, 1, 2)) / deviation)


class AttentionPooling(layers.Layer):  # type: ignore[misc]
    """Weighted means of a feature map, one for each map of scores."""

    def call(self, scores: Any, maps: Any) -> Any:
        """Return float32 (n, count * channels) for scores (n, h, w, count) and maps (n, h, w, channels)."""
        count, channels = scores.shape[-1], maps.shape[-1]
        shares = ops.softmax(ops.reshape(scores, (-1, ops.shape(scores)[1] * ops.shape(scores)[2], count)), axis=1)
        flat = ops.reshape(maps, (-1, ops.shape(maps)[1] * ops.shape(maps)[2], channels))
        return ops.reshape(ops.matmul(ops.transpose(shares, (0, 2, 1)), flat), (-1, count * channels))


def features(backbone: Backbone, image: Any) -> Any:
    """Return float32 (n, 2016): means, maxima and attention pooling of the stages' feature maps.

    The first five stages are pooled to the fifth's size, a sixteenth of the image's; the sixth has half of that.
    """
    backbone(image)
    last = len(backbone.stages) - 1
    reductions = [backbone.reduction(stage, last - 1) for stage in range(last)]
    first = [
        layers.AveragePooling2D(reduction, padding="same")(maps) if reduction > 1 else maps
        for maps, reduction in zip(backbone.stages, reductions, strict=False)
    ]
    together = ChannelScaling(name="scaled_first")(layers.Concatenate()(first))
    deepest = ChannelScaling(name="scaled_last")(backbone.stages[last])
    # The order in which layers are made decides which weights Keras's global seed gives them.
    score, hidden = (
        layers.Conv2D(ATTENTION_MAPS, 1, name="scores"),
        layers.Conv2D(32, 1, activation="relu", name="score_hidden"),
    )
    scores = score(hidden(together))
    pooled = [layers.GlobalAveragePooling2D()(x) for x in (deepest, together)]
    pooled += [layers.GlobalMaxPooling2D()(x) for x in (together, deepest)]
    pooled.append(AttentionPooling(name="attention")(scores, together))
    normalised = [layers.LayerNormalization(name=f"normalised{i}")(x) for i, x in enumerate(pooled)]
    return layers.Concatenate(name="features")(normalised)


def fit_channel_scaling(network: Any, images: Any) -> None:
    """Fit the network's channel scaling to these images, float32 (n, h, w, 3), 0 to 255."""
    for layer in network.layers:
        if isinstance(layer, ChannelScaling):
            layer.fit_to(keras.Model(network.input, layer.input)(images, training=False))


def freeze(network: Any) -> None:
    """Exclude the first layers from training: 112 images a second are trained instead of 83."""
    for layer in network.layers:
        if layer.name.startswith(FROZEN):
            layer.trainable = False


def fashion(categories: int, weights: Path | None = None, stages: Stages = STAGES) -> Any:
    """Return the network, with its first layers frozen.

    It takes images of any size, so that training can begin with smaller ones: float32 (n, h, w, 3), 0 to 255. Outputs,
    all float32: `probabilities` (n, categories), `vector` (n, 64) of unit length, `other_clothing` (n,), the
    probability of clothing outside the categories, `content_logits` (n, categories + 2), and the parts of the vector,
    `kind` (n, 32) and `look` (n, 32), each of unit length.

    Args:
        categories: how many.
        weights: the file of pretrained weights; None for random weights.
        stages: the backbone's six.
    """
    backbone = Backbone(stages)
    image = keras.Input((None, None, 3), name="image")
    model = keras.Model(image, _outputs(features(backbone, image), categories, DROPOUT), name="fashion")
    if weights is not None:
        backbone.load(model, weights)
    freeze(model)
    return model


def head_network(network: Any, dropout: float, fresh_layers: Collection[str] = ()) -> Any:
    """Return the layers after the network's features, as a network with a copy of the weights.

    It takes the features, float32 (n, 2016), and has the outputs of the whole network.

    Args:
        network: made by `fashion`.
        dropout: share of the features that dropout leaves out in training.
        fresh_layers: names of layers with new weights, drawn from Keras's global seed.
    """
    inputs = keras.Input((network.get_layer("features").output.shape[-1],), name="features")
    head = keras.Model(inputs, _outputs(inputs, network.output["probabilities"].shape[-1], dropout), name="head")
    copy_head(network, head, fresh_layers)
    return head


def place_anchors(network: Any, kinds: NDArray[np.float32], classes: Mapping[str, NDArray[np.integer]]) -> None:
    """Place the anchors of each attribute at the means of its classes.

    Args:
        network: made by `fashion` or `head_network`.
        kinds: its output `kind` for products on white, float32 (n, 32).
        classes: of each product by attribute, int (n,); −1 for none.
    """
    for layer, (attribute, _) in ANCHOR_LAYERS.items():
        network.get_layer(layer).place(kinds, classes[attribute])


def copy_head(source: Any, target: Any, left_out: Collection[str] = ()) -> None:
    """Copy the weights of the layers after the features by name, other than those of `left_out`."""
    names = (*CATEGORY_LAYERS, *VECTOR_LAYERS, *ANCHOR_LAYERS)
    for name in names:
        if name not in left_out:
            target.get_layer(name).set_weights(source.get_layer(name).get_weights())


def _outputs(inputs: Any, categories: int, dropout: float) -> dict[str, Any]:
    x = layers.Dropout(dropout, name="drop")(inputs)
    hidden = layers.Dense(HIDDEN, activation="relu", name="hidden")(x)
    similarity = layers.Dense(SIMILARITY_HIDDEN, activation="relu", name="similarity_hidden")(x)
    together = layers.Concatenate()([x, layers.Dropout(dropout, name="drop_similarity")(similarity)])
    kind = UnitLength(name="kind")(layers.Dense(KINDS, name="kind_projection")(together))
    look = UnitLength(name="look")(layers.Dense(DIMENSION - KINDS, name="look_projection")(together))
    near = sum(weight * Anchors(name=name)(kind) for name, (_, weight) in ANCHOR_LAYERS.items())
    settled = UnitLength(name="settled_kind")(kind + near)
    vector = layers.Concatenate(name="vector")([settled * (1 - LOOK_SHARE) ** 0.5, look * LOOK_SHARE**0.5])
    logits = layers.Dense(categories + NONE_CLASSES, name="content_logits")(hidden)
    shares = layers.Softmax(name="shares")(logits)
    none = ops.sum(shares[:, categories:], axis=1, keepdims=True)
    return {
        "probabilities": shares[:, :categories] + none / categories,
        "vector": vector,
        "other_clothing": shares[:, categories],
        "content_logits": logits,
        "kind": kind,
        "look": look,
    }
