"""The network that Lookalike ships: a pretrained backbone, a unit vector of 64 numbers, and nine probabilities.

The probabilities come from a softmax over ten, the tenth being "none of these"; what that one gets is spread evenly over
the nine. They still add up to one, and the greatest of them is low where there is no clothing of these kinds.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import keras
from keras import layers, ops

from training.networks.backbone import STAGES, Backbone, Stages

DIMENSION = 64
HIDDEN = 384  # between the features and the categories
SEEN = 2048  # between the features and the vectors, beside the features themselves
FIRST_SCALE = 12.0  # of the cosines in the softmax over proxies, before it is learned
KINDS = 32  # of the vector's numbers say what kind and colour it is; the others, what this very product looks like
SHARE = 0.2  # of a similarity that the looks make up: chosen on the validation part (EXPERIMENTS.md)
DROPPED = 0.1  # of the features in training
GLANCES = 4  # places of a picture that are looked at on their own
DEEP = ("stem", "block")  # how the names of the backbone's layers begin
OF_CATEGORIES = ("hidden", "ten")  # the layers that only the categories come from
OF_VECTORS = ("seen", "kind_projection", "look_projection")  # and those that only the vectors come from
FROZEN = ("stem", "block0_", "block1_", "block2_")  # first layers: the dearest to train, and the most general


class Unit(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Brings each vector to length 1."""

    def call(self, inputs: Any) -> Any:
        """Return float32 (n, dim) of unit length."""
        return inputs * ops.rsqrt(ops.maximum(ops.sum(inputs * inputs, axis=-1, keepdims=True), 1e-12))


class Proxies(layers.Layer):  # type: ignore[misc]
    """Cosines to one learned direction a class, times a learned scale: logits."""

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


class Scaled(layers.Layer):  # type: ignore[misc]
    """Brings each channel to mean 0 and deviation 1 over the pictures it was settled on; both are learned on from there."""

    def build(self, input_shape: Any) -> None:
        """Begin with nothing changed."""
        self.gain = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="gain")
        self.bias = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        """Return float32 of the input's shape."""
        return inputs * self.gain + self.bias

    def settle(self, inputs: Any) -> None:
        """Set both by these inputs, float32 (n, h, w, channels)."""
        deviation = ops.std(inputs, axis=(0, 1, 2)) + 1e-3
        self.gain.assign(1 / deviation)
        self.bias.assign(-ops.mean(inputs, axis=(0, 1, 2)) / deviation)


class Glances(layers.Layer):  # type: ignore[misc]
    """Means of a map, each over the places that one of several scores finds worth looking at."""

    def call(self, scores: Any, maps: Any) -> Any:
        """Return float32 (n, glances * channels) of scores (n, h, w, glances) and maps (n, h, w, channels)."""
        count, channels = scores.shape[-1], maps.shape[-1]
        shares = ops.softmax(ops.reshape(scores, (-1, ops.shape(scores)[1] * ops.shape(scores)[2], count)), axis=1)
        flat = ops.reshape(maps, (-1, ops.shape(maps)[1] * ops.shape(maps)[2], channels))
        return ops.reshape(ops.matmul(ops.transpose(shares, (0, 2, 1)), flat), (-1, count * channels))


def features(backbone: Backbone, image: Any) -> Any:
    """Return float32 (n, 2016): means, greatest values and glances of the stages' feature maps.

    The first five stages are brought to the fifth's size, a sixteenth of the picture's; the sixth has half of that.
    """
    backbone(image)
    last = len(backbone.stages) - 1
    sizes = [backbone.reduction(stage, last - 1) for stage in range(last)]
    first = [
        layers.AveragePooling2D(size, padding="same")(maps) if size > 1 else maps
        for maps, size in zip(backbone.stages, sizes, strict=False)
    ]
    together = Scaled(name="scaled_first")(layers.Concatenate()(first))
    deepest = Scaled(name="scaled_last")(backbone.stages[last])
    scores = layers.Conv2D(GLANCES, 1, name="scores")(layers.Conv2D(32, 1, activation="relu", name="worth")(together))
    pooled = [layers.GlobalAveragePooling2D()(x) for x in (deepest, together)]
    pooled += [layers.GlobalMaxPooling2D()(x) for x in (together, deepest)]
    pooled.append(Glances(name="glances")(scores, together))
    normal = [layers.LayerNormalization(name=f"even{i}")(x) for i, x in enumerate(pooled)]
    return layers.Concatenate(name="features")(normal)


def settle(network: Any, pictures: Any) -> None:
    """Settle the network's scaled maps on these pictures, float32 (n, h, w, 3), 0 to 255."""
    for layer in network.layers:
        if isinstance(layer, Scaled):
            layer.settle(keras.Model(network.input, layer.input)(pictures, training=False))


def freeze(network: Any) -> None:
    """Leave the first layers as they are: 112 pictures a second are trained instead of 83."""
    for layer in network.layers:
        if layer.name.startswith(FROZEN):
            layer.trainable = False


def fashion(categories: int, weights: Path | None = None, stages: Stages = STAGES) -> Any:
    """Return the network, with its first layers frozen.

    It takes pictures of any size, so that training may begin with smaller ones: float32 (n, h, w, 3), 0 to 255. Outputs, all
    float32: `probabilities` (n, categories), `vector` (n, 64) of unit length, `ten` (n, categories + 1), logits; and what the
    vector is made of, `kind` (n, 32) and `look` (n, 32), each of unit length.

    Args:
        categories: how many.
        weights: the file of pretrained weights; random ones when None.
        stages: the backbone's six.
    """
    backbone = Backbone(stages)
    image = keras.Input((None, None, 3), name="image")
    model = keras.Model(image, _answers(features(backbone, image), categories, DROPPED), name="fashion")
    if weights is not None:
        backbone.load(model, weights)
    freeze(model)
    return model


def head_of(network: Any, dropped: float, but: Collection[str] = ()) -> Any:
    """Return what comes after the network's features, as a network of its own with a copy of the weights.

    It takes the features, float32 (n, 2016), and answers as the whole does.

    Args:
        network: made by `fashion`.
        dropped: share of the features that dropout leaves out in training.
        but: names of layers that begin anew, with weights drawn from Keras's global seed.
    """
    taken = keras.Input((network.get_layer("features").output.shape[-1],), name="taken")
    head = keras.Model(taken, _answers(taken, network.output["probabilities"].shape[-1], dropped), name="head")
    for layer in weighted(head):
        if layer.name not in but:
            layer.set_weights(network.get_layer(layer.name).get_weights())
    return head


def weighted(network: Any) -> list[Any]:
    """Return the layers that have weights."""
    return [layer for layer in network.layers if layer.weights and layer.trainable]


def _answers(features: Any, categories: int, dropped: float) -> dict[str, Any]:
    x = layers.Dropout(dropped, name="drop")(features)
    hidden = layers.Dense(HIDDEN, activation="relu", name="hidden")(x)
    similarity = layers.Dense(SEEN, activation="relu", name="seen")(x)
    seen = layers.Concatenate()([x, layers.Dropout(dropped, name="drop_seen")(similarity)])
    kind = Unit(name="kind")(layers.Dense(KINDS, name="kind_projection")(seen))
    look = Unit(name="look")(layers.Dense(DIMENSION - KINDS, name="look_projection")(seen))
    vector = layers.Concatenate(name="vector")([kind * (1 - SHARE) ** 0.5, look * SHARE**0.5])
    ten = layers.Dense(categories + 1, name="ten")(hidden)
    shares = layers.Softmax(name="shares")(ten)
    spread = shares[:, :categories] + shares[:, categories:] / categories
    return {"probabilities": spread, "vector": vector, "ten": ten, "kind": kind, "look": look}
