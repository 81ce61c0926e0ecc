"""What a run of the metric recipe is made of: the numbers that were tried, and the ones that won (training/EXPERIMENTS.md)."""

from dataclasses import dataclass, replace

SMALL_UNTIL = 0.8  # share of the steps that see smaller pictures
LOSSES = ("category", "kind", "colour", "pair", "gender", "same")


@dataclass(frozen=True)
class Plan:
    """Counts are pictures a step; `weights` are of the losses, in the order of LOSSES; `small` is in pixels.

    Of the last stage: the features of `cached` steps are kept, `joined` of them make a step, and each is seen `rounds` times.
    """

    steps: int
    seed: int = 7
    products: int = 56
    scenes: int = 28
    photos: int = 10
    nothing: int = 6
    memory: int = 4096
    peak_rate: float = 1.6e-3
    backbone_rate: float = 0.25
    warm_up: int = 150
    decay: float = 2e-5
    mean: float = 0.998
    temperature: float = 0.07
    weights: tuple[float, ...] = (1.0, 1.0, 1.0, 0.7, 0.05, 0.5)
    small: int = 80
    cached: int = 1100
    joined: int = 4
    rounds: int = 12

    def size_at(self, step: int, full: int) -> int:
        """Return the width and height of the pictures of a step: the first ones are smaller, and cost less."""
        return min(self.small, full) if step < self.small_until() else full

    def small_until(self) -> float:
        """Return the step from which on the pictures have their full size."""
        return SMALL_UNTIL * self.steps

    def polish(self) -> "Plan":
        """Return the plan of the last stage, in which the layers after the features are trained alone: see `polish.py`."""
        counts = {name: self.joined * getattr(self, name) for name in ("products", "scenes", "photos", "nothing")}
        steps = self.rounds * (self.cached // self.joined)
        rates = {"peak_rate": 2e-3, "decay": 3e-2, "warm_up": 50, "mean": 0.99}
        return replace(self, steps=steps, **counts, **rates)  # type: ignore[arg-type]
