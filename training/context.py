"""What every part of a training command needs."""

from dataclasses import dataclass
from functools import cached_property

from training.model_version import ModelVersion
from training.options import TrainOptions
from training.progress import Terminal


@dataclass(frozen=True)
class TrainingContext:
    """The options of the command, complete with the recipe's defaults, and the terminal that shows its progress."""

    options: TrainOptions
    terminal: Terminal

    @cached_property
    def version(self) -> ModelVersion:
        """The model version to write."""
        return ModelVersion.of(self.options.out)
