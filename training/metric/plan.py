"""What a run of the metric recipe is made of: the numbers that were tried, and the ones that won (training/EXPERIMENTS.md)."""

from dataclasses import dataclass

SMALL_UNTIL = 0.6  # share of the steps that see smaller pictures
LOSSES = ("category", "kind", "colour", "pair", "gender", "same")


@dataclass(frozen=True)
class Plan:
    """Counts are pictures a step; `weights` are of the losses, in the order of LOSSES; `small` is in pixels."""

    steps: int
    seed: int = 7
    products: int = 40
    scenes: int = 20
    photos: int = 10
    nothing: int = 6
    memory: int = 4096
    peak_rate: float = 1.5e-3
    backbone_rate: float = 0.12
    warm_up: int = 150
    decay: float = 2e-5
    mean: float = 0.998
    temperature: float = 0.07
    weights: tuple[float, ...] = (1.0, 1.0, 0.8, 0.5, 0.1, 0.4)
    small: int = 80

    def size_at(self, step: int, full: int) -> int:
        """Return the width and height of the pictures of a step: the first ones are smaller, and cost less."""
        return min(self.small, full) if step < self.small_until() else full

    def small_until(self) -> float:
        """Return the step from which on the pictures have their full size."""
        return SMALL_UNTIL * self.steps
