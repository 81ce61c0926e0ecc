"""The learning rate along a run, and the check of its losses."""

import numpy as np
from numpy.typing import NDArray

from training.errors import TrainingError

LEAST_RATE = 0.01  # share of the peak learning rate at the end


def rate_share(step: int, warm_up: int, steps: int) -> float:
    """Return the share of the peak learning rate at a step: a linear warm-up, then half a cosine."""
    if step < warm_up:
        return (step + 1) / warm_up
    done = (step - warm_up) / max(1, steps - warm_up)
    return float(max(LEAST_RATE, 0.5 * (1 + np.cos(np.pi * min(1.0, done)))))


def refuse_not_finite(losses: NDArray[np.floating], place: str) -> None:
    """Raise TrainingError if a loss is not a finite number. `place` says where in the run, for example `step 7`."""
    if not np.isfinite(losses).all():
        raise TrainingError(f"the loss is no longer a number in {place}: try another --seed")
