"""What the report tells of a run in steps."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.recipes.fashion.checkpoint import History, RunSettings
from training.recipes.fashion.plan import LOSSES
from training.report import plots


@dataclass(frozen=True)
class StepsStory:
    """Of a network trained in steps, whose running mean of weights is kept."""

    settings: RunSettings
    history: History

    @property
    def seed(self) -> int:
        return self.settings.plan.seed

    def document(self) -> dict[str, Any]:
        return {"settings": self.settings.document(), "history": self.history}

    def metrics(self) -> dict[str, Any]:
        return {"steps": self.settings.plan.steps, "training_seconds": round(self._seconds())}

    def _seconds(self) -> float:
        return sum(entry["seconds"] for entry in self.history)

    def _begun(self) -> str:
        digest = self.settings.start_sha256
        return f", begun with the backbone of another run (checkpoint `{digest[:12]}…`)" if digest else ""

    def markdown(self) -> str:
        plan, last = self.settings.plan, self.history[-1]
        shown = plan.products + plan.scenes + plan.photos + plan.nothing
        losses = ", ".join(f"{name} {last[name]:.3f}" for name in LOSSES)
        return f"""{plan.steps:,} steps of {shown} pictures ({plan.products} products on white, {plan.scenes} of them on backgrounds too,
{plan.photos} people's photos, {plan.nothing} backgrounds alone) in {self._seconds() / 60:,.0f} minutes on a CPU that other work shared{self._begun()}. The
weights kept are a running mean over about the last {1 / (1 - plan.mean):,.0f} steps. Losses over the last steps: {losses}. At the end the layers that make the
vectors alone, on features that were computed once: of each product as it is and in {plan.views} scenes, {plan.together} products a step, each seen {plan.rounds} times.

![Losses by step](curves.png)"""

    def draw(self, directory: Path) -> None:
        plots.losses(self.history, LOSSES, self.settings.plan.small_until(), directory / "curves.png")
