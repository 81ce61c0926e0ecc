"""The report's section about the training, and the training's part of the manifest."""

from pathlib import Path
from typing import Any, Protocol


class TrainingSection(Protocol):
    """Describes how a network was trained; each recipe has its own."""

    @property
    def seed(self) -> int:
        """The seed of the split, the weights and the images."""

    def document(self) -> dict[str, Any]:
        """Return settings and history, ready for JSON."""

    def metrics(self) -> dict[str, Any]:
        """Return the manifest's metrics of the training."""

    def markdown(self) -> str:
        """Return the report's section; its pictures are those that `draw` writes."""

    def draw(self, directory: Path) -> None:
        """Write the curves."""
