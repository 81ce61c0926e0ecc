"""The baseline in training: a round is an epoch, and training stops early when the validation loss no longer falls.

Each epoch draws its order, augmentation and dropout from (seed, epoch) alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from training.data.archives.dataset import Dataset
from training.data.split import Split
from training.networks.architectures import BuiltNetwork
from training.progress import Terminal
from training.recipes.baseline.augmentation import apply, random_transforms
from training.run.checkpoint import History
from training.run.schedule import refuse_not_finite

EVALUATION_BATCH = 256


@dataclass(frozen=True)
class BaselinePlan:
    """The numbers of a run: at most `epochs`; `patience` epochs without a lower validation loss end it."""

    seed: int
    epochs: int = 50
    patience: int = 12
    batch_size: int = 64
    learning_rate: float = 0.001


@dataclass(frozen=True)
class LabelledImages:
    """Images uint8 (n, height, width, 3), and their categories int64 (n,) as positions among `categories`."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    categories: int

    def one_hot(self) -> NDArray[np.float32]:
        """Return the labels as float32 (n, categories)."""
        return np.eye(self.categories, dtype=np.float32)[self.labels]


def make_deterministic(seed: int) -> None:
    """Seed Python, NumPy and TensorFlow, and select deterministic kernels (measured: no slower on a CPU)."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def best_epoch(history: History) -> int:
    """Return the first epoch with the lowest validation loss, counted from 1; 0 before the first epoch."""
    return 1 + int(np.argmin([entry["val_loss"] for entry in history])) if history else 0


class BaselineLearner:
    """Trains a network's classifier on the training part, and holds the weights of the best epoch."""

    rounds_per_checkpoint = 1

    def __init__(
        self, network: BuiltNetwork, data: Dataset, parts: Split, plan: BaselinePlan, terminal: Terminal
    ) -> None:
        self.network, self.data, self.parts, self.plan = network, data, parts, plan
        self.details: dict[str, Any] = {}
        self._terminal = terminal
        self._training, self._validation = (
            LabelledImages(data.images[part], data.labels[part], len(CATEGORIES))
            for part in (parts.training, parts.validation)
        )
        self._model = network.classifier
        optimizer = keras.optimizers.Adam(plan.learning_rate)
        # XLA is measured 1.8 to 3 times slower than oneDNN for this network on a CPU.
        self._model.compile(optimizer, loss="categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
        optimizer.build(self._model.trainable_variables)
        self._best = [tf.Variable(weight.value) for weight in self._model.weights]

    def variables(self) -> list[Any]:
        """Return the best epoch's weights, the optimizer's state and the weights."""
        return [*self._best, *self._model.optimizer.variables, *self._model.weights]

    def resume(self, history: History) -> None:
        """Do nothing: an epoch depends on its number alone."""

    def finished(self, history: History) -> bool:
        """Say whether the epochs are used up, or `patience` of them brought no lower validation loss."""
        epochs = len(history)
        return epochs >= self.plan.epochs or epochs - best_epoch(history) >= self.plan.patience

    def train_round(self, history: History) -> dict[str, float]:
        """Train one epoch and validate; return loss and accuracy of both, and keep the weights if they are the best."""
        epoch = len(history) + 1
        figures = self._train_epoch(epoch) | self._validate()
        refuse_not_finite(np.array([figures["loss"], figures["val_loss"]]), f"epoch {epoch}")
        if best_epoch([*history, figures]) == epoch:
            for best, weight in zip(self._best, self._model.weights, strict=True):
                best.assign(weight)
        return figures

    def progress(self, history: History) -> str:
        """Return the line about the last epoch."""
        last, epoch = history[-1], len(history)
        mark = "  best" if best_epoch(history) == epoch else ""
        return (
            f"epoch {epoch:>3}/{self.plan.epochs}  loss {last['loss']:.4f}  accuracy {last['accuracy']:.4f}  "
            f"validation loss {last['val_loss']:.4f}  accuracy {last['val_accuracy']:.4f}  "
            f"{last['seconds']:.0f} s{mark}"
        )

    def take_best(self) -> None:
        """Give the network the weights of the best epoch."""
        for best, weight in zip(self._best, self._model.weights, strict=True):
            weight.assign(best)

    def _train_epoch(self, epoch: int) -> dict[str, float]:
        """Return loss and accuracy as means over the augmented images."""
        rng = np.random.default_rng([self.plan.seed, epoch])
        self._reseed_dropout(epoch)
        targets, sums = self._training.one_hot(), np.zeros(2)
        steps = -(-len(targets) // self.plan.batch_size)
        for batch in self._terminal.track(_batches(len(targets), self.plan.batch_size, rng), steps, f"epoch {epoch}"):
            images = self._training.images[batch]
            augmented = apply(images, random_transforms(rng, len(batch), *images.shape[1:3]))
            logs = self._model.train_on_batch(augmented, targets[batch], return_dict=True)
            sums += len(batch) * np.array([logs["loss"], logs["accuracy"]])
        loss, accuracy = sums / len(targets)
        return {"loss": float(loss), "accuracy": float(accuracy)}

    def _validate(self) -> dict[str, float]:
        data = self._validation
        logs = self._model.evaluate(
            data.images, data.one_hot(), batch_size=EVALUATION_BATCH, verbose=0, return_dict=True
        )
        return {"val_loss": float(logs["loss"]), "val_accuracy": float(logs["accuracy"])}

    def _reseed_dropout(self, epoch: int) -> None:
        for layer in self._model.layers:
            if isinstance(layer, keras.layers.Dropout):
                layer.seed_generator.state.assign(np.array([self.plan.seed % 2**32, epoch], np.uint32))


def _batches(count: int, size: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    order = rng.permutation(count)
    return (order[start : start + size] for start in range(0, count, size))
