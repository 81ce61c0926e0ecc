"""How a network was trained, as its report and manifest tell it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from services.contracts.domain.manifest import Manifest
from training.data.split import Split
from training.evaluation.figures import Answers
from training.evaluation.served_model import ServedModel
from training.networks.architectures import Architecture
from training.progress import Terminal
from training.recipes.baseline.checkpoint import RunState
from training.report import plots
from training.report.markdown import percent


class Story(Protocol):
    """One for each way of training."""

    @property
    def seed(self) -> int:
        """The seed of the split, the weights and the pictures."""

    def document(self) -> dict[str, Any]:
        """Return settings and history, ready for JSON."""

    def metrics(self) -> dict[str, Any]:
        """Return what the manifest says of the training."""

    def markdown(self) -> str:
        """Return the report's section; its pictures are those that `draw` writes."""

    def draw(self, directory: Path) -> None:
        """Write the curves."""


@dataclass(frozen=True)
class Trained:
    """A trained network, ready to be published.

    `export` writes its SavedModel into a directory; `thresholds` fits them on the validation part; `card` writes the model
    card; `materials` is what it was trained on beside the archive; `drawn` asks for pictures of the sample catalogue.
    """

    architecture: Architecture
    story: Story
    export: Callable[[Path], None]
    thresholds: Callable[[ServedModel, Answers, Split, Terminal], dict[str, float]]
    card: Callable[[Manifest, dict[str, Any]], str]
    materials: dict[str, Any] = field(default_factory=dict)
    drawn: bool = False


@dataclass(frozen=True)
class EpochsStory:
    """Of a network trained in epochs, whose best one by validation loss is kept."""

    state: RunState

    @property
    def seed(self) -> int:
        return self.state.settings.seed

    def document(self) -> dict[str, Any]:
        state = self.state
        return {"settings": asdict(state.settings), "best_epoch": state.best_epoch, "history": state.history}

    def metrics(self) -> dict[str, Any]:
        best = self.state.history[self.state.best_epoch - 1]
        return {
            "validation_accuracy": best["val_accuracy"],
            "validation_loss": best["val_loss"],
            "epochs": self.state.epoch,
            "best_epoch": self.state.best_epoch,
            "training_seconds": round(self._seconds()),
        }

    def _seconds(self) -> float:
        return sum(entry["seconds"] for entry in self.state.history)

    def markdown(self) -> str:
        state = self.state
        best, last = state.history[state.best_epoch - 1], state.history[-1]
        return f"""{state.epoch} epochs in {self._seconds() / 60:,.0f} minutes on a CPU that other work shared; the weights kept are those of
epoch {state.best_epoch}: validation loss {best["val_loss"]:.4f}, validation accuracy {percent(best["val_accuracy"])}. In the
last epoch the training loss was {last["loss"]:.4f} (measured with augmentation and dropout, which is why it lies above the
validation's).

![Loss and accuracy by epoch](curves.png)"""

    def draw(self, directory: Path) -> None:
        plots.curves(self.state.history, self.state.best_epoch, directory / "curves.png")
