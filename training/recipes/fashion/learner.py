"""The fashion network in training: a round is 50 steps, and every other round ends with a checkpoint."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from training.networks.architectures import BuiltNetwork
from training.recipes.fashion.batches import Batches
from training.recipes.fashion.plan import LOSSES
from training.recipes.fashion.trainer import FashionTrainer
from training.run.checkpoint import History

ROUND_STEPS = 50


class FashionLearner:
    """Trains a network in steps. The batches are read when they are first needed."""

    rounds_per_checkpoint = 2  # about a minute

    def __init__(self, network: BuiltNetwork, trainer: FashionTrainer, read_batches: Callable[[], Batches]) -> None:
        self.network, self.trainer = network, trainer
        self._read_batches = read_batches

    @cached_property
    def batches(self) -> Batches:
        """The images of each step: 4 GB for the archives."""
        return self._read_batches()

    @property
    def details(self) -> dict[str, Any]:
        """The classes of each attribute, and those that each label allows."""
        return self.trainer.details

    def variables(self) -> list[Any]:
        """Return the trainer's variables."""
        return self.trainer.variables()

    def resume(self, history: History) -> None:
        """Continue after the last step of the history."""
        self.trainer.step = steps_done(history)

    def finished(self, history: History) -> bool:
        """Say whether all steps are done."""
        return steps_done(history) >= self.trainer.plan.steps

    def train_round(self, history: History) -> dict[str, float]:
        """Train up to the next multiple of 50 steps or the end; return the mean of each loss."""
        trainer, sums = self.trainer, np.zeros(len(LOSSES))
        first = trainer.step
        last = min(trainer.plan.steps, (first // ROUND_STEPS + 1) * ROUND_STEPS)
        for step in range(first, last):
            sums += trainer.train(*self.batches(step, trainer.plan.size_at(step, self.batches.size)))
        means = dict(zip(LOSSES, (sums / (last - first)).tolist(), strict=True))
        return {"step": last, **means}

    def progress(self, history: History) -> str:
        """Return the line about the last round."""
        last, before = history[-1], steps_done(history[:-1])
        losses = "  ".join(f"{name} {last[name]:.3f}" for name in LOSSES)
        seconds = last["seconds"] / (last["step"] - before)
        return f"step {last['step']:,.0f}/{self.trainer.plan.steps:,}  {losses}  {seconds:.2f} s a step"


def steps_done(history: History) -> int:
    """Return how many steps the rounds of a history have."""
    return int(history[-1]["step"]) if history else 0
