"""The report's section about a fashion run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.recipes.fashion.plan import LOSSES, FashionPlan
from training.recipes.recipe import CompletedRun
from training.report import plots


@dataclass(frozen=True)
class StepSection:
    """Describes a network trained in steps, with a running average of its weights."""

    run: CompletedRun
    plan: FashionPlan

    @property
    def seed(self) -> int:
        return self.plan.seed

    def document(self) -> dict[str, Any]:
        return {"settings": self.run.settings.document(), "history": self.run.history}

    def metrics(self) -> dict[str, Any]:
        return {"steps": self.plan.steps, "training_seconds": round(self._seconds)}

    @property
    def _seconds(self) -> float:
        return sum(entry["seconds"] for entry in self.run.history)

    def _start(self) -> str:
        digest = self.run.settings.sources.get("start")
        return f" from the backbone of an earlier run (checkpoint `{digest[:12]}…`)" if digest else ""

    def markdown(self) -> str:
        plan, last = self.plan, self.run.history[-1]
        images = plan.products + plan.scenes + plan.photos + plan.backgrounds
        losses = ", ".join(f"{name} {last[name]:.3f}" for name in LOSSES)
        return f"""{plan.steps:,} steps in {self._seconds / 60:,.0f} minutes on a shared CPU{self._start()}.
A step has {images} images: {plan.products} products on white, {plan.scenes} of them on backgrounds too,
{plan.photos} people's photos and {plan.backgrounds} backgrounds alone.
The weights are a running average over about the last {1 / (1 - plan.average_decay):,.0f} steps.
Losses over the last steps: {losses}.
At the end the layers that make the vectors are trained alone, on features that are computed once:
each product on white and in {plan.finetune_scenes} scenes, {plan.finetune_products} products a step,
{plan.finetune_epochs} epochs.

![Losses by step](curves.png)"""

    def draw(self, directory: Path) -> None:
        plots.losses(self.run.history, LOSSES, self.plan.full_size_from(), directory / "curves.png")
