"""The report's section about a run in epochs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.recipes.baseline.learner import best_epoch
from training.recipes.recipe import CompletedRun
from training.report import plots
from training.report.markdown import percent


@dataclass(frozen=True)
class EpochSection:
    """Describes a network trained in epochs, with the weights of the epoch with the lowest validation loss."""

    run: CompletedRun

    @property
    def seed(self) -> int:
        return int(self.run.settings.plan["seed"])

    def document(self) -> dict[str, Any]:
        settings = self.run.settings.document()
        return {"settings": settings, "best_epoch": self._best_epoch, "history": self.run.history}

    def metrics(self) -> dict[str, Any]:
        best = self.run.history[self._best_epoch - 1]
        return {
            "validation_accuracy": best["val_accuracy"],
            "validation_loss": best["val_loss"],
            "epochs": len(self.run.history),
            "best_epoch": self._best_epoch,
            "training_seconds": round(self._seconds),
        }

    @property
    def _best_epoch(self) -> int:
        return best_epoch(self.run.history)

    @property
    def _seconds(self) -> float:
        return sum(entry["seconds"] for entry in self.run.history)

    def markdown(self) -> str:
        best, last = self.run.history[self._best_epoch - 1], self.run.history[-1]
        return f"""{len(self.run.history)} epochs in {self._seconds / 60:,.0f} minutes on a shared CPU.
The model has the weights of epoch {self._best_epoch}, which has the lowest validation loss: {best["val_loss"]:.4f},
with a validation accuracy of {percent(best["val_accuracy"])}.
The training loss of the last epoch is {last["loss"]:.4f}.
It lies above the validation loss because it is measured with augmentation and dropout.

![Loss and accuracy by epoch](curves.png)"""

    def draw(self, directory: Path) -> None:
        plots.curves(self.run.history, self._best_epoch, directory / "curves.png")
