"""EfficientNet-lite0 up to its sixth stage, each batch normalisation folded into the convolution before it.

Source: Tan & Le, EfficientNet (arXiv:1905.11946); the lite variant (no squeeze-and-excitation, ReLU6, stem of 32) as in
TensorFlow's model garden. The last stage and the head of 1,280 are left out: they take a quarter of the time of an
image and serve ImageNet's thousand classes.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import layers

from training.networks.imagenet_weights import folded, read_weights

# repeats, kernel, stride of the first, expansion, filters
Stages = tuple[tuple[int, int, int, int, int], ...]
STAGES: Stages = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
)
MEAN, DEVIATION = 127.0, 128.0  # of the images that the weights were trained on, of 255


@dataclass(frozen=True)
class WeightSource:
    """The source of a layer's weights: names in the file of pretrained weights."""

    convolution: str
    normalisation: str
    depthwise: bool = False


class Backbone:
    """Builds the layers, and records the source of each layer's weights; `stages` has the output of each stage."""

    def __init__(self, stages: Stages = STAGES) -> None:
        self._plan = stages
        self.sources: dict[str, WeightSource] = {}
        self.stages: list[Any] = []

    def reduction(self, stage: int, to: int) -> int:
        """Return how many times smaller the maps of the stage `to` are than those of `stage`."""
        return math.prod(stride for _, _, stride, _, _ in self._plan[stage + 1 : to + 1])

    def __call__(self, image: Any) -> Any:
        """Return the last feature map."""
        x = layers.Rescaling(1 / DEVIATION, offset=-MEAN / DEVIATION, name="normalise")(image)
        x = self._convolution(x, 32, 3, 2, "stem", WeightSource("_conv_stem", "_bn0"))
        block = 0
        for repeats, kernel, stride, expansion, filters in self._plan:
            for repeat in range(repeats):
                x = self._block(x, block, kernel, 1 if repeat else stride, expansion, filters)
                block += 1
            self.stages.append(x)
        return x

    def load(self, model: Any, path: Any) -> None:
        """Give a model with these layers the pretrained weights.

        Raises:
            TrainingError: the file of weights cannot be read.
        """
        weights = read_weights(path)
        for name, source in self.sources.items():
            kernel, bias = folded(weights, source.convolution, source.normalisation)
            order = (2, 3, 0, 1) if source.depthwise else (2, 3, 1, 0)
            model.get_layer(name).set_weights([np.ascontiguousarray(kernel.transpose(order)), bias])

    def _convolution(
        self, x: Any, filters: int, kernel: int, stride: int, name: str, source: WeightSource, active: bool = True
    ) -> Any:
        self.sources[name] = source
        x = layers.Conv2D(filters, kernel, stride, padding="same", name=name)(x)
        return layers.ReLU(6.0, name=f"{name}_relu")(x) if active else x

    def _block(self, x: Any, block: int, kernel: int, stride: int, expansion: int, filters: int) -> Any:
        """Return a mobile inverted bottleneck: widen, convolve each channel, narrow; added to its input if possible."""
        block_input, theirs, ours = x, f"_blocks.{block}.", f"block{block}"
        if expansion != 1:
            source = WeightSource(f"{theirs}_expand_conv", f"{theirs}_bn0")
            x = self._convolution(x, x.shape[-1] * expansion, 1, 1, f"{ours}_widen", source)
        name = f"{ours}_depthwise"
        self.sources[name] = WeightSource(f"{theirs}_depthwise_conv", f"{theirs}_bn1", depthwise=True)
        x = layers.DepthwiseConv2D(kernel, stride, padding="same", name=name)(x)
        x = layers.ReLU(6.0, name=f"{name}_relu")(x)
        source = WeightSource(f"{theirs}_project_conv", f"{theirs}_bn2")
        x = self._convolution(x, filters, 1, 1, f"{ours}_narrow", source, active=False)
        residual = stride == 1 and block_input.shape[-1] == filters
        return layers.Add(name=f"{ours}_add")([block_input, x]) if residual else x
