"""The network that Lookalike ships: a pretrained backbone, a unit vector of 64 numbers, and nine probabilities.

The probabilities come from a softmax over ten, the tenth being "none of these"; what that one gets is spread evenly over
the nine. They still add up to one, and the greatest of them is low where there is no clothing of these kinds.
"""

from pathlib import Path
from typing import Any

import keras
from keras import layers, ops

from training.metric.backbone import STAGES, Backbone, Stages

DIMENSION = 64
HIDDEN = 384
FIRST_SCALE = 12.0  # of the cosines in the softmax over proxies, before it is learned
POOLED = (2, 4, 5)  # stages whose means are looked at: the last, and two that still know the colour
DEEP = ("stem", "block")  # how the names of the backbone's layers begin
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


def features(backbone: Backbone, image: Any) -> Any:
    """Return float32 (n, 344): the means of three stages' feature maps."""
    backbone(image)
    pooled = [layers.GlobalAveragePooling2D(name=f"mean{i}")(backbone.stages[i]) for i in POOLED]
    normal = [layers.LayerNormalization(name=f"even{i}")(mean) for i, mean in enumerate(pooled)]
    return layers.Concatenate(name="features")(normal)


def freeze(network: Any) -> None:
    """Leave the first layers as they are: 112 pictures a second are trained instead of 83."""
    for layer in network.layers:
        if layer.name.startswith(FROZEN):
            layer.trainable = False


def fashion(categories: int, weights: Path | None = None, stages: Stages = STAGES) -> Any:
    """Return the network, with its first layers frozen.

    It takes pictures of any size, so that training may begin with smaller ones: float32 (n, h, w, 3), 0 to 255. Outputs, all
    float32: `probabilities` (n, categories), `vector` (n, 64) of unit length, `ten` (n, categories + 1), logits.

    Args:
        categories: how many.
        weights: the file of pretrained weights; random ones when None.
        stages: the backbone's six.
    """
    backbone = Backbone(stages)
    image = keras.Input((None, None, 3), name="image")
    x = layers.Dropout(0.1, name="drop")(features(backbone, image))
    hidden = layers.Dense(HIDDEN, activation="relu", name="hidden")(x)
    vector = Unit(name="vector")(layers.Dense(DIMENSION, name="projection")(layers.Concatenate()([x, hidden])))
    ten = layers.Dense(categories + 1, name="ten")(hidden)
    shares = layers.Softmax(name="shares")(ten)
    spread = shares[:, :categories] + shares[:, categories:] / categories
    model = keras.Model(image, {"probabilities": spread, "vector": vector, "ten": ten}, name="fashion")
    if weights is not None:
        backbone.load(model, weights)
    freeze(model)
    return model
