"""How a network was trained, as its report and manifest tell it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from services.contracts.manifest import Manifest
from training import plots
from training.checkpoint import RunState
from training.networks import Network
from training.text import percent


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
    """A network with its final weights, and what is told of it.

    `materials` is what it was trained on beside the archive; `card` writes the model card.
    """

    network: Network
    story: Story
    card: Callable[[Manifest, dict[str, Any]], str]
    materials: dict[str, Any] = field(default_factory=dict)


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
