"""Ratios of two things that are measured in turns, with an interval: other work on the machine meets both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000
SEED = 20261130
Rounds = Sequence[Sequence[float]]
Statistic = Callable[[NDArray[np.float64]], float]


@dataclass(frozen=True)
class Ratio:
    """A ratio and its 95 % interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, before: Rounds, after: Rounds, statistic: Statistic = np.median) -> "Ratio":  # type: ignore[assignment]
        """Return the ratio of a statistic over all rounds: after to before.

        The interval is by the bootstrap over pairs of rounds, so values within a round may depend on each other.

        Args:
            before, after: the values of each round; the rounds with one number were measured one after the other.
            statistic: of all values together.
        """
        pairs = [(np.asarray(a, float), np.asarray(b, float)) for a, b in zip(before, after, strict=True)]

        def ratio(numbers: Sequence[int]) -> float:
            first, second = (np.concatenate([pairs[number][side] for number in numbers]) for side in (0, 1))
            return float(statistic(second) / statistic(first))

        generator = np.random.default_rng(SEED)
        draws = [ratio(generator.integers(0, len(pairs), len(pairs)).tolist()) for _ in range(DRAWS)]
        low, high = np.percentile(draws, [2.5, 97.5]).tolist()
        return cls(ratio(range(len(pairs))), low, high)

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"
