"""The last stage: the layers after the features alone, on features that are computed once.

A step costs a fiftieth of one through the whole network, so that these layers learn what the features know (EXPERIMENTS.md).
"""

import zipfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.metric.batches import Batches
from training.metric.network import head_of, weighted
from training.metric.plan import Plan
from training.metric.trainer import Trainer
from training.progress import Terminal

POLISHED_NAME = "polished.npz"
DROPPED = 0.4
FIRST = 2_000_000  # number of the first cached step, far from those that the whole network was trained on


@dataclass(frozen=True)
class Cache:
    """Features, float16 (steps, n, 2016), and targets of as many steps of `plan`, by attribute (steps, n)."""

    plan: Plan
    features: NDArray[np.float16]
    targets: dict[str, NDArray[Any]]

    @classmethod
    def of(cls, network: Any, batches: Batches, plan: Plan, terminal: Terminal) -> "Cache":
        """Compute the features of the plan's pictures in full size."""
        cut = keras.Model(network.input, network.get_layer("features").output)
        look = tf.function(lambda pictures: tf.cast(cut(pictures, training=False), tf.float16))
        kept, told = [], []
        for step in terminal.track(range(plan.cached), plan.cached, "features"):
            pictures, targets = batches(FIRST + step, batches.size)
            kept.append(look(pictures).numpy())
            told.append(targets)
        return cls(plan, np.stack(kept), {name: np.stack([one[name] for one in told]) for name in told[0]})

    def __call__(self, step: int) -> tuple[NDArray[np.float16], dict[str, NDArray[Any]]]:
        """Return several cached steps, drawn by the number of this one, as a single one in the order that a trainer expects."""
        a_round, joined = self.plan.cached // self.plan.joined, self.plan.joined
        order = np.random.default_rng([self.plan.seed, 8, step // a_round]).permutation(self.plan.cached)
        chosen = order[step % a_round * joined :][:joined]
        targets = {name: self._together(values[chosen]) for name, values in self.targets.items()}
        return self._together(self.features[chosen]), targets

    def _together(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return (n, ...) of (steps, n, ...): products that scenes show come first, in the scenes' order."""
        shown, whites = self.plan.scenes, self.plan.products
        photos = whites + shown + self.plan.photos
        bounds = [0, shown, whites, whites + shown, photos, values.shape[1]]
        parts = [values[:, start:end] for start, end in pairwise(bounds)]
        return np.concatenate([part.reshape(-1, *part.shape[2:]) for part in parts])


def polish(trainer: Trainer, batches: Batches, terminal: Terminal) -> None:
    """Train the layers after the features alone, and put the mean of their weights before and after into the network.

    The mean finds nearly as much alike as the weights after, and names categories as well as those before (EXPERIMENTS.md).
    """
    network, classes = trainer.network, {name: head.classes for name, head in trainer.heads.items()}
    cache = Cache.of(network, batches, trainer.plan, terminal)
    learner = Trainer(head_of(network, DROPPED), classes, trainer.plan.polish())
    for name, proxies in trainer.heads.items():
        learner.heads[name].set_weights(proxies.get_weights())
    before = learner.network.get_weights()
    for step in terminal.track(range(learner.plan.steps), learner.plan.steps, "polishing"):
        learner.train(*cache(step))
    learner.take_means()
    learner.network.set_weights([(a + b) / 2 for a, b in zip(before, learner.network.get_weights(), strict=True)])
    _give(network, learner.network)


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
