"""The training loop: epochs, early stopping, a checkpoint after each epoch.

Each epoch draws its order, augmentation and dropout from (seed, epoch) alone, so that a resumed run does what an
uninterrupted one would have done.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.errors import TrainingError
from training.networks.architectures import Network
from training.progress import Terminal
from training.recipes.baseline.augmentation import apply, random_transforms
from training.recipes.baseline.checkpoint import Arrays, RunSettings, RunState, load_checkpoint, save_checkpoint

EVALUATION_BATCH = 256


@dataclass(frozen=True)
class Labelled:
    """Pictures uint8 (n, height, width, 3), and their categories int64 (n,) as positions among `categories`."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    categories: int

    def one_hot(self) -> NDArray[np.float32]:
        """Return the labels as float32 (n, categories)."""
        return np.eye(self.categories, dtype=np.float32)[self.labels]


def make_deterministic(seed: int) -> None:
    """Seed Python, NumPy and TensorFlow, and ask TensorFlow for deterministic kernels (measured: no slower on a CPU)."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def _values(variables: list[Any]) -> Arrays:
    return [variable.numpy().copy() for variable in variables]


def _assign(variables: list[Any], values: Arrays) -> None:
    if [tuple(v.shape) for v in variables] != [tuple(a.shape) for a in values]:
        raise TrainingError("the checkpoint is of another network: begin again with --fresh")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _reseed_dropout(model: Any, seed: int, epoch: int) -> None:
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.seed_generator.state.assign(np.array([seed % 2**32, epoch], np.uint32))


def _batches(count: int, size: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    order = rng.permutation(count)
    return (order[start : start + size] for start in range(0, count, size))


def _train_epoch(model: Any, data: Labelled, settings: RunSettings, epoch: int, terminal: Terminal) -> dict[str, float]:
    """Train one epoch; return loss and accuracy as means over the pictures as they were seen."""
    rng = np.random.default_rng([settings.seed, epoch])
    _reseed_dropout(model, settings.seed, epoch)
    targets, sums = data.one_hot(), np.zeros(2)
    steps = -(-len(targets) // settings.batch_size)
    batches = _batches(len(targets), settings.batch_size, rng)
    for chosen in terminal.track(batches, steps, f"epoch {epoch}"):
        images = data.images[chosen]
        size = images.shape[1:3]
        seen = apply(images, random_transforms(rng, len(chosen), *size))
        logs = model.train_on_batch(seen, targets[chosen], return_dict=True)
        sums += len(chosen) * np.array([logs["loss"], logs["accuracy"]])
    loss, accuracy = sums / len(targets)
    return {"loss": float(loss), "accuracy": float(accuracy)}


def _validate(model: Any, data: Labelled) -> dict[str, float]:
    logs = model.evaluate(data.images, data.one_hot(), batch_size=EVALUATION_BATCH, verbose=0, return_dict=True)
    return {"val_loss": float(logs["loss"]), "val_accuracy": float(logs["accuracy"])}


def _begin(model: Any, settings: RunSettings, run_dir: Path, terminal: Terminal) -> RunState:
    state = load_checkpoint(run_dir, settings)
    if state is None:
        weights = _values(model.weights)
        return RunState(settings, weights, _values(model.optimizer.variables), weights)
    _assign(model.weights, state.weights)
    _assign(model.optimizer.variables, state.optimizer)
    terminal.line(f"going on from {run_dir}: {state.epoch} epochs are done, the best was {state.best_epoch}")
    return state


def _compile(model: Any, learning_rate: float) -> None:
    optimizer = keras.optimizers.Adam(learning_rate)
    # XLA is measured 1.8 to 3 times slower than oneDNN for this network on a CPU.
    model.compile(optimizer, loss="categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    optimizer.build(model.trainable_variables)


def _told(state: RunState) -> str:
    last = state.history[-1]
    mark = "  best" if state.best_epoch == state.epoch else ""
    return (
        f"epoch {state.epoch:>3}/{state.settings.epochs}  loss {last['loss']:.4f}  accuracy {last['accuracy']:.4f}  "
        f"validation loss {last['val_loss']:.4f}  accuracy {last['val_accuracy']:.4f}  {last['seconds']:.0f} s{mark}"
    )


def fit(
    network: Network,
    training: Labelled,
    validation: Labelled,
    settings: RunSettings,
    run_dir: Path,
    terminal: Terminal,
    clock: Callable[[], float] = time.monotonic,
) -> RunState:
    """Train until the epochs are used up or patience is, going on from a checkpoint; leave the best weights in `network`.

    Raises:
        TrainingError: the run directory holds another run, or the loss is no longer a number.
        OSError: the checkpoint cannot be written.
        KeyboardInterrupt: passed on; the last whole epoch is in the run directory.
    """
    model = network.classifier
    _compile(model, settings.learning_rate)
    state = _begin(model, settings, run_dir, terminal)
    while not state.finished:
        began = clock()
        figures = _train_epoch(model, training, settings, state.epoch + 1, terminal)
        figures |= _validate(model, validation) | {"seconds": clock() - began}
        if not np.isfinite([figures["loss"], figures["val_loss"]]).all():
            raise TrainingError(f"the loss is no longer a number in epoch {state.epoch + 1}: try another --seed")
        state = _after_epoch(model, state, figures)
        save_checkpoint(run_dir, state)
        terminal.line(_told(state))
    _assign(model.weights, state.best_weights)
    return state


def _after_epoch(model: Any, state: RunState, figures: dict[str, float]) -> RunState:
    better = figures["val_loss"] < state.best_loss
    weights = _values(model.weights)
    return RunState(
        settings=state.settings,
        weights=weights,
        optimizer=_values(model.optimizer.variables),
        best_weights=weights if better else state.best_weights,
        history=[*state.history, figures],
        best_epoch=state.epoch + 1 if better else state.best_epoch,
    )
