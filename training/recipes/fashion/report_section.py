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
        losses = ", ".join(f"{name} {last[name]:.3f}" for name in LOSSES)
        return f"""{plan.steps:,} steps in {self._seconds / 60:,.0f} minutes on a shared CPU{self._start()}.
A step has {plan.images} images: {_listed(plan)}.
The weights are a running average over about the last {1 / (1 - plan.average_decay):,.0f} steps.
Losses over the last steps: {losses}.
At the end the layers after the features are trained alone, on features that are computed once:
each product on white and in scenes ({plan.finetune_scenes}), every other picture unchanged and in
{plan.finetune_views} moved view, {plan.finetune_products} products a step, {plan.finetune_epochs} epochs.

![Losses by step](curves.png)"""

    def draw(self, directory: Path) -> None:
        plots.losses(self.run.history, LOSSES, self.plan.full_size_from(), directory / "curves.png")


def _listed(plan: FashionPlan) -> str:
    counts = {
        "products on white": plan.products,
        "of them in scenes": plan.products,
        "street garments and their cut-outs": 2 * plan.pairs,
        "other street garments": plan.street,
        "people's photos": plan.photos,
        "real pictures without clothing": plan.negatives,
        "backgrounds alone": plan.backgrounds,
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)
