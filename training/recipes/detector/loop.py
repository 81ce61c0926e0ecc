"""Trains the detector's head in rounds: scenes are drawn, their feature maps made once, and learned from several times."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.progress import Terminal
from training.recipes.detector.checkpoint import DetectorRun, History, load_checkpoint, save_checkpoint
from training.recipes.detector.plan import DetectorPlan
from training.recipes.detector.scenes import Scene, Scenes
from training.recipes.detector.targets import Maps, targets
from training.recipes.detector.trainer import LOSSES, DetectorTrainer

CHUNK = 32  # pictures in one run of the backbone
Levels = list[NDArray[np.float16]]


class Features:
    """Makes the feature maps of scenes, in half precision: 92 kB a scene."""

    def __init__(self, network: Any) -> None:
        self._run = tf.function(lambda pictures: network(tf.cast(pictures, tf.float32), training=False))

    def __call__(self, scenes: list[Scene]) -> Levels:
        """Return the maps of all scenes, one array a level, float16 (n, rows, columns, channels)."""
        chunks = [scenes[start : start + CHUNK] for start in range(0, len(scenes), CHUNK)]
        each = [self._run(tf.constant(np.stack([scene.picture for scene in chunk]))) for chunk in chunks]
        return [
            np.concatenate([level.numpy().astype(np.float16) for level in levels]) for levels in zip(*each, strict=True)
        ]


class Rounds:
    """The scenes of each round with what is to be said of them."""

    def __init__(self, scenes: Scenes, features: Features, plan: DetectorPlan, categories: int) -> None:
        self._scenes, self._features, self._plan, self._categories = scenes, features, plan, categories

    def __call__(self, number: int) -> tuple[Levels, Maps]:
        """Return the feature maps and the targets of a round."""
        first = number * self._plan.round_scenes
        drawn = [self._scenes(place) for place in range(first, first + self._plan.round_scenes)]
        return self._features(drawn), targets(drawn, self._categories)


def fit(
    trainer: DetectorTrainer,
    rounds: Rounds,
    run: DetectorRun,
    run_dir: Path,
    terminal: Terminal,
    clock: Callable[[], float] = time.monotonic,
) -> History:
    """Train to the plan's end, going on from a checkpoint; return the mean losses of each round.

    Raises:
        TrainingError: the run directory holds another run, or a loss is no longer a number.
        OSError: the checkpoint cannot be written.
        KeyboardInterrupt: passed on; the last whole round is in the run directory.
    """
    plan, history = trainer.plan, load_checkpoint(run_dir, run, trainer)
    if trainer.step:
        terminal.line(f"going on from {run_dir}: {trainer.step:,} steps of {plan.steps:,} are done")
    while trainer.step < plan.steps:
        began, number = clock(), trainer.step // plan.round_steps
        means = _round(trainer, *rounds(number), np.random.default_rng([plan.seed, 3, number]))
        history.append({"step": trainer.step, **means, "seconds": clock() - began})
        told = "  ".join(f"{name} {value:.3f}" for name, value in means.items())
        terminal.line(f"step {trainer.step:,}/{plan.steps:,}  {told}  {history[-1]['seconds']:.0f} s")
        save_checkpoint(run_dir, run, trainer, history)
    return history


def _round(trainer: DetectorTrainer, levels: Levels, wanted: Maps, rng: np.random.Generator) -> dict[str, float]:
    plan, each = trainer.plan, []
    for _ in range(plan.epochs):
        order = rng.permutation(plan.round_scenes)
        for start in range(0, plan.round_scenes, plan.scenes):
            if trainer.step == plan.steps:
                break
            chosen = order[start : start + plan.scenes]
            each.append(trainer.train([level[chosen] for level in levels], {n: v[chosen] for n, v in wanted.items()}))
    return dict(zip(LOSSES, np.mean(each, axis=0).tolist(), strict=True))
