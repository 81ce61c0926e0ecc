"""The training loop of all recipes: rounds with a line each, and checkpoints from which an interrupted run resumes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from training.progress import Terminal
from training.run.checkpoint import CHECKPOINT_NAME, History, TrainingCheckpoint, load_checkpoint, save_checkpoint
from training.run.settings import RunSettings


class Learner(Protocol):
    """A network in training, as the loop drives it and a checkpoint stores it.

    A round is what one entry of the history describes: an epoch, or a number of steps. All random draws of a round
    depend on the seed and the round's place in the run alone, so that a resumed run does what an uninterrupted one
    would have done.
    """

    @property
    def rounds_per_checkpoint(self) -> int:
        """How many rounds lie between two checkpoints."""

    @property
    def details(self) -> dict[str, Any]:
        """What a checkpoint has to hold to build the network again, ready for JSON."""

    def variables(self) -> Sequence[Any]:
        """Return all variables that a checkpoint holds, in an order that stored checkpoints rely on."""

    def resume(self, history: History) -> None:
        """Continue after these rounds; the variables are restored."""

    def finished(self, history: History) -> bool:
        """Say whether the run is complete after these rounds."""

    def train_round(self, history: History) -> dict[str, float]:
        """Train the round after these, and return its figures.

        Raises:
            TrainingError: a loss is no longer a number.
        """

    def progress(self, history: History) -> str:
        """Return the line about the last round."""


@dataclass(frozen=True)
class TrainingRun:
    """What identifies a run, where its checkpoints are, and where its progress is shown."""

    settings: RunSettings
    directory: Path
    terminal: Terminal
    clock: Callable[[], float] = time.monotonic

    def checkpoint(self) -> TrainingCheckpoint | None:
        """Return the last checkpoint, or None; errors as of `load_checkpoint`."""
        return load_checkpoint(self.directory, self.settings)

    def discard(self) -> None:
        """Remove the checkpoint."""
        (self.directory / CHECKPOINT_NAME).unlink(missing_ok=True)

    def save(self, learner: Learner, history: History) -> None:
        """Write a checkpoint; errors as of `save_checkpoint`."""
        arrays = [variable.numpy() for variable in learner.variables()]
        save_checkpoint(self.directory, TrainingCheckpoint(self.settings.document(), history, arrays, learner.details))


def train_to_end(learner: Learner, run: TrainingRun, checkpoint: TrainingCheckpoint | None = None) -> History:
    """Train until the learner is finished, from the checkpoint if there is one; return the figures of all rounds.

    Raises:
        TrainingError: the checkpoint is of another network, or a loss is no longer a number.
        OSError: a checkpoint cannot be written.
        KeyboardInterrupt: passed on; the last checkpoint is in the run's directory.
    """
    history = _resumed(learner, run, checkpoint) if checkpoint else []
    while not learner.finished(history):
        began = run.clock()
        figures = learner.train_round(history)
        history.append(figures | {"seconds": run.clock() - began})
        run.terminal.line(learner.progress(history))
        if len(history) % learner.rounds_per_checkpoint == 0 or learner.finished(history):
            run.save(learner, history)
    return history


def _resumed(learner: Learner, run: TrainingRun, checkpoint: TrainingCheckpoint) -> History:
    history = list(checkpoint.history)
    checkpoint.restore(learner.variables())
    learner.resume(history)
    if learner.finished(history):
        run.terminal.line(f"the run in {run.directory} is complete")
    elif history:
        run.terminal.line(f"resuming the run in {run.directory} after {learner.progress(history)}")
    return history
