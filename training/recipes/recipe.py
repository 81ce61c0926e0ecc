"""What a recipe is: how one kind of network is trained, from its data to a published model version."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from training.context import TrainingContext
from training.run.checkpoint import History, TrainingCheckpoint
from training.run.loop import Learner
from training.run.settings import RunSettings

AnyLearner = TypeVar("AnyLearner", bound=Learner)


@dataclass(frozen=True)
class CompletedRun:
    """A run that has reached its end: what it was, and the figures of its rounds."""

    settings: RunSettings
    history: History


class Recipe(Protocol[AnyLearner]):
    """Reads the data, makes the learner that the loop trains, and evaluates and publishes the trained network."""

    @property
    def defaults(self) -> Mapping[str, int | None]:
        """The recipe's own options of the command, with their defaults."""

    def settings(self, context: TrainingContext) -> RunSettings:
        """Check the sources and return what identifies the run.

        Raises:
            TrainingError: a source is missing or cannot be used.
        """

    def learner(self, context: TrainingContext, checkpoint: TrainingCheckpoint | None) -> AnyLearner:
        """Read the data and build the network; the loop restores the checkpoint.

        Raises:
            ArchiveError, TrainingError: the data cannot be used.
        """

    def publish(self, context: TrainingContext, learner: AnyLearner, run: CompletedRun) -> None:
        """Export the network, evaluate the export, and write the model version.

        Raises:
            TrainingError: the version exists and may not be replaced, or a part of the data is empty.
            OSError: the disk is full or the folder cannot be written.
        """
