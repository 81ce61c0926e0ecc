"""The networks that can be trained, by name. Each takes RGB from 0 to 255 and scales it inside its own graph."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from services.contracts.domain.manifest import InputSize
from training.errors import TrainingError
from training.networks.fashion import DIMENSION, fashion
from training.networks.imagenet_weights import pretrained_path


@dataclass(frozen=True)
class Architecture:
    """The fixed facts of a network.

    Attributes:
        name: of the network.
        input: size of its images.
        dimension: of its vectors.
        unit_length: whether its vectors have length 1.
        parameters: how many are trainable; checked after building.
        build: makes the network for an input size and a number of categories.
        recipe: how it is trained, a name in `training.recipes.registry.RECIPES`.
    """

    name: str
    input: InputSize
    dimension: int
    unit_length: bool
    parameters: int
    build: Callable[[InputSize, int], Any]
    recipe: str = "baseline"


@dataclass(frozen=True)
class BuiltNetwork:
    """A network: `whole` has the outputs `probabilities` and `vector`; `classifier` shares its weights."""

    architecture: Architecture
    whole: Any
    classifier: Any


def baseline(size: InputSize, categories: int) -> Any:
    """Return the original CNN, layer by layer as in the design.

    Input uint8 (n, 80, 80, 3). Outputs: `probabilities` float32 (n, categories), and `vector` float32 (n, 64), the last
    hidden layer after ReLU, not of unit length.
    """
    image = keras.Input((size.height, size.width, 3), dtype="uint8", name="image")
    x = layers.Rescaling(1 / 255, name="scale")(image)
    x = layers.MaxPooling2D(2)(layers.Conv2D(32, 3, activation="relu")(x))
    x = layers.MaxPooling2D(2)(layers.Conv2D(32, 3, activation="relu")(x))
    x = layers.MaxPooling2D(2)(layers.Conv2D(64, 3, activation="relu", padding="same")(x))
    x = layers.Dense(128, activation="relu")(layers.Flatten()(x))
    vector = layers.Dense(64, activation="relu", name="vector")(x)
    x = layers.Dropout(0.5)(vector)
    probabilities = layers.Dense(categories, activation="softmax", name="probabilities")(x)
    return keras.Model(image, {"probabilities": probabilities, "vector": vector}, name="baseline")


def pretrained_fashion(size: InputSize, categories: int) -> Any:
    """Return the network that Lookalike ships, with ImageNet's weights in its backbone. It takes images of any size.

    Raises:
        TrainingError: the package with the weights is not installed, or they cannot be read.
    """
    return fashion(categories, pretrained_path())


ARCHITECTURES = {
    "baseline": Architecture("baseline", InputSize(height=80, width=80), 64, False, 701_161, baseline),
    "fashion": Architecture(
        "fashion", InputSize(height=128, width=128), DIMENSION, True, 7_465_823, pretrained_fashion, recipe="fashion"
    ),
}
DETECTOR = "detector"  # it makes boxes, not vectors, so it is no `Architecture`


def recipe_name(name: str) -> str:
    """Return the name of the recipe that trains a network.

    Raises:
        TrainingError: there is no network of that name.
    """
    return DETECTOR if name == DETECTOR else architecture(name).recipe


def architecture(name: str) -> Architecture:
    """Return a registered architecture.

    Raises:
        TrainingError: there is no network of that name.
    """
    if name not in ARCHITECTURES:
        raise TrainingError(
            f"there is no network called {name!r}: the names are {', '.join((*ARCHITECTURES, DETECTOR))}"
        )
    return ARCHITECTURES[name]


def build(name: str, categories: int) -> BuiltNetwork:
    """Build a network with new weights, drawn from Keras's global seed.

    Raises:
        TrainingError: the name is unknown, or the network does not have the expected number of parameters.
    """
    known = architecture(name)
    whole = known.build(known.input, categories)
    count = sum(int(weight.shape.num_elements()) for weight in whole.trainable_variables)
    if count != known.parameters:
        raise TrainingError(f"the network {name} has {count:,} trainable parameters; {known.parameters:,} are expected")
    classifier = keras.Model(whole.input, whole.output["probabilities"], name=f"{name}-classifier")
    return BuiltNetwork(known, whole, classifier)
