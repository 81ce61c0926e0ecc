"""Medians with their spread: a benchmark's rounds differ, because other programs use the machine."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """The median of some figures, and the quarter of them below and above which the others are."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of figures."""
        low, median, high = np.percentile(values, [25, 50, 75]).tolist()
        return cls(median, low, high)

    def __str__(self) -> str:
        return f"{self.median:8.2f}  ({self.low:.2f} to {self.high:.2f})"

    def figures(self) -> dict[str, float]:
        """Return the figures for the results file."""
        return {"median": round(self.median, 3), "low": round(self.low, 3), "high": round(self.high, 3)}
