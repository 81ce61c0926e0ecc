"""The served form of a network: the same operations in the form that TensorFlow fuses, with weights as constants.

One image on one core, through the SavedModel, with an earlier, smaller head: 2.6 ms; Keras's own graph with variables:
3.8 ms.
"""

from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from training.networks.architectures import BuiltNetwork
from training.publishing.export import OUTPUTS, export_constant


class _Convolution(layers.Conv2D):  # type: ignore[misc]
    def call(self, inputs: Any) -> Any:
        return self.activation(tf.nn.bias_add(tf.nn.conv2d(inputs, self.kernel, self.strides, "SAME"), self.bias))


class _Depthwise(layers.DepthwiseConv2D):  # type: ignore[misc]
    def call(self, inputs: Any) -> Any:
        convolved = tf.nn.depthwise_conv2d(inputs, self.kernel, (1, *self.strides, 1), "SAME")
        return tf.nn.bias_add(convolved, self.bias)


class _Relu6(layers.ReLU):  # type: ignore[misc]
    def call(self, inputs: Any) -> Any:
        return tf.nn.relu6(inputs)


class _GlobalMean(layers.GlobalAveragePooling2D):  # type: ignore[misc]
    def call(self, inputs: Any) -> Any:
        return tf.reduce_mean(inputs, (1, 2))


class _LayerNorm(layers.LayerNormalization):  # type: ignore[misc]
    def call(self, inputs: Any) -> Any:
        centred = inputs - tf.reduce_mean(inputs, -1, keepdims=True)
        variance = tf.reduce_mean(centred * centred, -1, keepdims=True)
        return centred * tf.math.rsqrt(variance + self.epsilon) * self.gamma + self.beta


class _Dense(layers.Dense):  # type: ignore[misc]
    """Two narrow products after `factorise`, if the rank of the weights is low enough to make them cheaper."""

    factors: tuple[Any, Any] | None = None

    def factorise(self) -> None:
        """Compute the rank and the factors."""
        kernel = self.kernel.numpy()
        if min(kernel.shape) < LEAST_WIDTH:
            return
        left, sizes, right = np.linalg.svd(kernel, full_matrices=False)
        rank = int((sizes > LEAST_SINGULAR_VALUE * sizes[0]).sum())
        if rank * sum(kernel.shape) < kernel.size:
            self.factors = tf.constant(left[:, :rank] * sizes[:rank]), tf.constant(right[:rank])

    def call(self, inputs: Any, training: Any = None) -> Any:
        if self.factors is None:
            return super().call(inputs)
        first, second = self.factors
        return self.activation(tf.nn.bias_add(inputs @ first @ second, self.bias))


class _Softmax(layers.Softmax):  # type: ignore[misc]
    """The softmax of logits that are divided by `temperature`."""

    temperature = 1.0

    def call(self, inputs: Any, mask: None = None) -> Any:
        return tf.nn.softmax(inputs / self.temperature)


OTHER_CLOTHING = "other_clothing"  # an output that not every network has
LEAST_WIDTH = 512  # inputs and outputs of a dense layer that may be split into two
LEAST_SINGULAR_VALUE = 1e-5  # as a share of the greatest; in float32 smaller ones are zero
FORMS: dict[Any, Any] = {
    layers.Conv2D: _Convolution,
    layers.Dense: _Dense,
    layers.DepthwiseConv2D: _Depthwise,
    layers.ReLU: _Relu6,
    layers.GlobalAveragePooling2D: _GlobalMean,
    layers.LayerNormalization: _LayerNorm,
    layers.Softmax: _Softmax,
}


def served_form(network: Any, temperature: float = 1.0) -> Any:
    """Return a copy of the Keras model with the same weights, its layers in the form that is fast for one image.

    Args:
        network: the trained model.
        temperature: what the logits are divided by before the softmax.
    """

    def form(layer: Any) -> Any:
        copied = FORMS.get(type(layer), type(layer)).from_config(layer.get_config())
        if isinstance(copied, _Softmax):
            copied.temperature = temperature
        return copied

    copy = keras.models.clone_model(network, clone_function=form)
    copy.set_weights(network.get_weights())
    for layer in copy.layers:
        if isinstance(layer, _Dense):
            layer.factorise()
    return copy


def export_served_form(network: BuiltNetwork, directory: Path, temperature: float = 1.0) -> None:
    """Write the SavedModel; errors as of `training.publishing.export.save`."""
    form = served_form(network.whole, temperature)
    outputs = (*OUTPUTS, OTHER_CLOTHING) if OTHER_CLOTHING in network.whole.output else OUTPUTS
    export_constant(partial(form, training=False), network.architecture.input, outputs, directory)
