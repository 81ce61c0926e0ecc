"""The last stage: the layers that make the vectors are trained alone, on features that are computed once.

A step costs a fiftieth of a step of the whole network, so these layers learn all that the features hold
(EXPERIMENTS.md). They start from new weights, which gives better retrieval than their weights so far; the categories'
layers do not change. The widest layer is trained at full rank and reduced to a lower rank afterwards, which is served
as two narrow layers (`publishing/served_form.py`).
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

from training.data.training_images import NONE
from training.networks.fashion import CATEGORY_LAYERS, VECTOR_LAYERS, head_network, trainable_layers
from training.progress import Terminal
from training.recipes.fashion.batches import ATTRIBUTES, Batches
from training.recipes.fashion.plan import FashionPlan
from training.recipes.fashion.trainer import FashionTrainer

HEAD_NAME = "head_finetune.npz"
DROPOUT = 0.4
RANK = 512  # of the widest layer's weights at the end
IMAGES_A_BATCH = 256
INPUTS_A_BATCH = 4096
TARGETS = ("categories", *ATTRIBUTES)
Features = NDArray[np.float16]


@dataclass(frozen=True)
class FeatureCache:
    """The features and targets of the products of the nine categories.

    Attributes:
        plan: of the last stage.
        white: on white, float16 (n, 2016).
        scenes: in scenes, float16 (scenes, n, 2016).
        targets: classes by attribute, and `ids`, each (n,).
    """

    plan: FashionPlan
    white: Features
    scenes: Features
    targets: dict[str, NDArray[Any]]

    @classmethod
    def of(cls, network: Any, batches: Batches, plan: FashionPlan, terminal: Terminal) -> "FeatureCache":
        """Compute the features of the training part's products, the studio shots unchanged."""
        body = keras.Model(network.input, network.get_layer("features").output)
        extract = tf.function(
            lambda images: tf.cast(body(tf.cast(images, tf.float32), training=False), tf.float16),
            reduce_retracing=True,
        )
        products = batches.products[batches.studio.categories[batches.products] != NONE]
        parts = [products[start : start + IMAGES_A_BATCH] for start in range(0, len(products), IMAGES_A_BATCH)]
        passes = [(part, number) for number in range(plan.finetune_scenes + 1) for part in parts]
        features = [
            extract(batches.scenes(part, place) if number else batches.studio.images[part]).numpy()
            for place, (part, number) in enumerate(terminal.track(passes, len(passes), "features"))
        ]
        starts = range(0, len(features), len(parts))
        white, *scenes = (np.concatenate(features[start : start + len(parts)]) for start in starts)
        targets = {name: getattr(batches.studio, name)[products] for name in TARGETS}
        return cls(plan.finetune(len(products)), white, np.stack(scenes), targets | {"ids": products})

    def __call__(self, step: int) -> tuple[Features, dict[str, NDArray[Any]]]:
        """Return a step's features and targets as a trainer expects them: on white, then the same in scenes."""
        count, products = len(self.white), self.plan.products
        epoch, place = divmod(step, count // products)
        order = np.random.default_rng([self.plan.seed, 8, epoch]).permutation(count)
        batch = order[place * products :][:products]
        scenes = np.random.default_rng([self.plan.seed, 10, step]).integers(0, len(self.scenes), products)
        targets = {name: np.tile(self.targets[name][batch], 2) for name in TARGETS}
        features = np.concatenate([self.white[batch], self.scenes[scenes, batch]])
        return features, targets | {"ids": self.targets["ids"][batch]}


def finetune_head(trainer: FashionTrainer, batches: Batches, terminal: Terminal) -> None:
    """Train the layers that make the vectors alone, and give the network their weights."""
    network, classes = trainer.network, {name: head.classes for name, head in trainer.heads.items()}
    cache = FeatureCache.of(network, batches, trainer.plan, terminal)
    keras.utils.set_random_seed(trainer.plan.seed)
    head = head_network(network, DROPOUT, fresh_layers=VECTOR_LAYERS)
    for name in CATEGORY_LAYERS:
        head.get_layer(name).trainable = False
    head_trainer = FashionTrainer(head, classes, cache.plan)
    for step in terminal.track(range(cache.plan.steps), cache.plan.steps, "finetuning the head"):
        head_trainer.train(*cache(step))
    head_trainer.take_averages()
    reduce_rank(head.get_layer("similarity_hidden"), [cache.white, cache.scenes[0]])
    _copy_weights(head, network)


def reduce_rank(layer: Any, inputs: Sequence[Features], rank: int = RANK) -> None:
    """Reduce a dense layer's weights to a rank, with the least squared change of its outputs before the activation.

    Args:
        layer: with a bias.
        inputs: of the layer, each (n, width).
        rank: of the weights afterwards.
    """
    kernel, bias = layer.get_weights()
    total, products, count = np.zeros(len(bias)), np.zeros((len(bias), len(bias))), 0
    for part in inputs:
        for start in range(0, len(part), INPUTS_A_BATCH):
            outputs = part[start : start + INPUTS_A_BATCH].astype(np.float32) @ kernel
            total += outputs.sum(axis=0)
            products += outputs.T @ outputs
            count += len(outputs)
    mean = total / count
    directions = np.linalg.eigh(products / count - np.outer(mean, mean))[1][:, -rank:]
    projection = directions @ directions.T
    layer.set_weights([kernel @ projection, bias + mean - mean @ projection])


def save_head(network: Any, run_dir: Path) -> None:
    """Write the weights of the layers after the features, whole or not at all."""
    head = head_network(network, DROPOUT)
    temporary = run_dir / f"{HEAD_NAME}.part"
    with temporary.open("wb") as file:
        np.savez(file, *head.get_weights())
    temporary.replace(run_dir / HEAD_NAME)


def load_head(network: Any, run_dir: Path) -> bool:
    """Give the network the finetuned weights in the run's directory; say whether they are there, undamaged."""
    head = head_network(network, DROPOUT)
    try:
        with np.load(run_dir / HEAD_NAME, allow_pickle=False) as file:
            head.set_weights([file[f"arr_{place}"] for place in range(len(file.files))])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return False
    _copy_weights(head, network)
    return True


def _copy_weights(head: Any, network: Any) -> None:
    for layer in trainable_layers(head):
        network.get_layer(layer.name).set_weights(layer.get_weights())
