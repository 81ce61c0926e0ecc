"""What a run of the metric recipe is made of: the numbers that were tried, and the ones that won (training/EXPERIMENTS.md)."""

from dataclasses import dataclass, replace

SMALL_UNTIL = 0.85  # share of the steps that see smaller pictures
SMALLEST_UNTIL = 0.45  # share of those that see the smallest
LOSSES = ("category", "kind", "colour", "pair", "gender", "same")


@dataclass(frozen=True)
class Plan:
    """Counts are pictures a step; `weights` are of the losses, in the order of LOSSES; `small` and `smallest` are in pixels.

    Of the last stage: each product's features are kept on white and in `views` scenes, `together` products make a step, and
    each is seen `rounds` times.
    """

    steps: int
    seed: int = 7
    products: int = 56
    scenes: int = 28
    photos: int = 10
    nothing: int = 6
    memory: int = 4096
    peak_rate: float = 1.6e-3
    backbone_rate: float = 0.35
    warm_up: int = 150
    decay: float = 2e-5
    mean: float = 0.998
    temperature: float = 0.07
    weights: tuple[float, ...] = (1.0, 1.0, 1.0, 0.7, 0.05, 0.5)
    small: int = 80
    smallest: int = 64
    views: int = 2
    together: int = 512
    rounds: int = 30

    def size_at(self, step: int, full: int) -> int:
        """Return the width and height of the pictures of a step: the first ones are smaller, and cost less."""
        if step < SMALLEST_UNTIL * self.steps:
            return min(self.smallest, full)
        return min(self.small, full) if step < self.small_until() else full

    def small_until(self) -> float:
        """Return the step from which on the pictures have their full size."""
        return SMALL_UNTIL * self.steps

    def polish(self, products: int) -> "Plan":
        """Return the plan of the last stage, in which the vectors' own layers are trained alone: see `polish.py`.

        Args:
            products: how many there are.
        """
        together = min(self.together, products)
        counts = {"products": together, "scenes": together, "photos": 0, "nothing": 0, "memory": 2 * together}
        rates = {"peak_rate": 3e-3, "decay": 3e-2, "warm_up": 50, "mean": 0.99}
        return replace(self, steps=self.rounds * (products // together), **counts, **rates)  # type: ignore[arg-type]
