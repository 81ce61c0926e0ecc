"""The last stage: the layers that make the vectors alone, on features that are computed once.

A step costs a fiftieth of one through the whole network, so that these layers learn what the features know (EXPERIMENTS.md).
They begin anew, which finds more alike than going on from where they are; the categories' layers stay as they are. The
widest layer learns with all of its weights, and is brought to a lower rank afterwards, which is served as two narrow
layers (`serving.py`).
"""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.data.material import NONE
from training.networks.fashion import OF_CATEGORIES, OF_VECTORS, head_of, weighted
from training.progress import Terminal
from training.recipes.fashion.batches import Batches
from training.recipes.fashion.plan import Plan
from training.recipes.fashion.trainer import Trainer

POLISHED_NAME = "polished.npz"
DROPPED = 0.4
RANK = 512  # of the widest layer's weights in the end
LOOKED_AT = 256  # pictures at a time
NARROWED_BY = 4096  # inputs at a time
ATTRIBUTES = ("categories", "kinds", "colours", "pairs", "genders")
Features = NDArray[np.float16]


@dataclass(frozen=True)
class Cache:
    """Products of the nine categories: features on white, float16 (n, 2016), and in scenes (views, n, 2016), and targets (n,)."""

    plan: Plan
    white: Features
    scenes: Features
    targets: dict[str, NDArray[Any]]

    @classmethod
    def of(cls, network: Any, batches: Batches, plan: Plan, terminal: Terminal) -> "Cache":
        """Compute the features of the training part's products, the studio shots unchanged, for the last stage of a plan."""
        cut = keras.Model(network.input, network.get_layer("features").output)
        look = tf.function(
            lambda pictures: tf.cast(cut(tf.cast(pictures, tf.float32), training=False), tf.float16),
            reduce_retracing=True,
        )
        products = batches.products[batches.studio.categories[batches.products] != NONE]
        parts = [products[begin : begin + LOOKED_AT] for begin in range(0, len(products), LOOKED_AT)]
        looks = [(part, number) for number in range(plan.views + 1) for part in parts]
        seen = [
            look(batches.scenes(part, place) if number else batches.studio.images[part]).numpy()
            for place, (part, number) in enumerate(terminal.track(looks, len(looks), "features"))
        ]
        white, *scenes = (np.concatenate(seen[begin : begin + len(parts)]) for begin in range(0, len(seen), len(parts)))
        targets = {name: getattr(batches.studio, name)[products] for name in ATTRIBUTES}
        return cls(plan.polish(len(products)), white, np.stack(scenes), targets | {"ids": products})

    def __call__(self, step: int) -> tuple[Features, dict[str, NDArray[Any]]]:
        """Return a step's features and targets in the order that a trainer expects: on white, then the same in scenes."""
        count, together = len(self.white), self.plan.products
        around, place = divmod(step, count // together)
        order = np.random.default_rng([self.plan.seed, 8, around]).permutation(count)
        chosen = order[place * together :][:together]
        views = np.random.default_rng([self.plan.seed, 10, step]).integers(0, len(self.scenes), together)
        targets = {name: np.tile(self.targets[name][chosen], 2) for name in ATTRIBUTES}
        features = np.concatenate([self.white[chosen], self.scenes[views, chosen]])
        return features, targets | {"ids": self.targets["ids"][chosen]}


def polish(trainer: Trainer, batches: Batches, terminal: Terminal) -> None:
    """Train the layers that make the vectors alone, and put what they have learned into the network."""
    network, classes = trainer.network, {name: head.classes for name, head in trainer.heads.items()}
    cache = Cache.of(network, batches, trainer.plan, terminal)
    keras.utils.set_random_seed(trainer.plan.seed)
    head = head_of(network, DROPPED, but=OF_VECTORS)
    for name in OF_CATEGORIES:
        head.get_layer(name).trainable = False
    learner = Trainer(head, classes, cache.plan)
    for step in terminal.track(range(learner.plan.steps), learner.plan.steps, "polishing"):
        learner.train(*cache(step))
    learner.take_means()
    narrow(head.get_layer("seen"), [cache.white, cache.scenes[0]])
    _give(network, head)


def narrow(layer: Any, inputs: Sequence[Features], rank: int = RANK) -> None:
    """Bring a dense layer's weights to a rank, with the least squared change of its outputs before the activation.

    Args:
        layer: with a bias.
        inputs: what it is given, each (n, width).
        rank: of the weights afterwards.
    """
    kernel, bias = layer.get_weights()
    total, products, count = np.zeros(len(bias)), np.zeros((len(bias), len(bias))), 0
    for part in inputs:
        for begin in range(0, len(part), NARROWED_BY):
            outputs = part[begin : begin + NARROWED_BY].astype(np.float32) @ kernel
            total += outputs.sum(axis=0)
            products += outputs.T @ outputs
            count += len(outputs)
    mean = total / count
    directions = np.linalg.eigh(products / count - np.outer(mean, mean))[1][:, -rank:]
    kept = directions @ directions.T
    layer.set_weights([kernel @ kept, bias + mean - mean @ kept])


def save_polished(network: Any, run_dir: Path) -> None:
    """Write the weights of the layers after the features, whole or not at all."""
    head = head_of(network, DROPPED)
    temporary = run_dir / f"{POLISHED_NAME}.part"
    with temporary.open("wb") as file:
        np.savez(file, *head.get_weights())
    temporary.replace(run_dir / POLISHED_NAME)


def load_polished(network: Any, run_dir: Path) -> bool:
    """Put the polished weights of an earlier time into the network; say whether the run directory has them, undamaged."""
    head = head_of(network, DROPPED)
    try:
        with np.load(run_dir / POLISHED_NAME, allow_pickle=False) as file:
            head.set_weights([file[f"arr_{place}"] for place in range(len(file.files))])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return False
    _give(network, head)
    return True


def _give(network: Any, head: Any) -> None:
    for layer in weighted(head):
        network.get_layer(layer.name).set_weights(layer.get_weights())
