"""The network as it is served: the same operations in the form that TensorFlow fuses, weights as constants, one temperature.

One image on one core, through the SavedModel, with an earlier, smaller head: 2.6 ms, where Keras's own graph with
variables takes 3.8.
"""

from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from training.networks.architectures import Network
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


class _Mean(layers.GlobalAveragePooling2D):  # type: ignore[misc]
    def call(self, inputs: Any) -> Any:
        return tf.reduce_mean(inputs, (1, 2))


class _Even(layers.LayerNormalization):  # type: ignore[misc]
    def call(self, inputs: Any) -> Any:
        apart = inputs - tf.reduce_mean(inputs, -1, keepdims=True)
        spread = tf.reduce_mean(apart * apart, -1, keepdims=True)
        return apart * tf.math.rsqrt(spread + self.epsilon) * self.gamma + self.beta


class _Dense(layers.Dense):  # type: ignore[misc]
    """As two narrow products, once `narrowed`, where the weights are of a rank with which that is less to compute."""

    factors: tuple[Any, Any] | None = None

    def narrowed(self) -> None:
        """Find the rank and the factors."""
        kernel = self.kernel.numpy()
        if min(kernel.shape) < WIDE:
            return
        left, sizes, right = np.linalg.svd(kernel, full_matrices=False)
        rank = int((sizes > NOTHING * sizes[0]).sum())
        if rank * sum(kernel.shape) < kernel.size:
            self.factors = tf.constant(left[:, :rank] * sizes[:rank]), tf.constant(right[:rank])

    def call(self, inputs: Any, training: Any = None) -> Any:
        if self.factors is None:
            return super().call(inputs)
        first, second = self.factors
        return self.activation(tf.nn.bias_add(inputs @ first @ second, self.bias))


class _Softmax(layers.Softmax):  # type: ignore[misc]
    """Of logits that are divided by `temperature`."""

    temperature = 1.0

    def call(self, inputs: Any, mask: None = None) -> Any:
        return tf.nn.softmax(inputs / self.temperature)


WIDE = 512  # numbers in and out, from which on a dense layer may be worth two
NOTHING = 1e-5  # of the greatest singular value: what float32 leaves of one that is zero
FORMS: dict[Any, Any] = {
    layers.Conv2D: _Convolution,
    layers.Dense: _Dense,
    layers.DepthwiseConv2D: _Depthwise,
    layers.ReLU: _Relu6,
    layers.GlobalAveragePooling2D: _Mean,
    layers.LayerNormalization: _Even,
    layers.Softmax: _Softmax,
}


def served_form(whole: Any, temperature: float = 1.0) -> Any:
    """Return a copy of the Keras model with the same weights, its layers in the form that is fast for one image.

    Args:
        whole: the trained model.
        temperature: what the ten logits are divided by before the softmax.
    """

    def form(layer: Any) -> Any:
        made = FORMS.get(type(layer), type(layer)).from_config(layer.get_config())
        if isinstance(made, _Softmax):
            made.temperature = temperature
        return made

    copy = keras.models.clone_model(whole, clone_function=form)
    copy.set_weights(whole.get_weights())
    for layer in copy.layers:
        if isinstance(layer, _Dense):
            layer.narrowed()
    return copy


def export_served_form(network: Network, directory: Path, temperature: float = 1.0) -> None:
    """Write the SavedModel; errors as of `training.publishing.export.save`."""
    form = served_form(network.whole, temperature)
    export_constant(partial(form, training=False), network.architecture.input, OUTPUTS, directory)
