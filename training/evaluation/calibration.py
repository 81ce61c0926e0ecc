"""Are probabilities to be believed? Expected calibration error, and the temperature that mends it.

Guo et al., On Calibration of Modern Neural Networks (arXiv:1706.04599).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

BINS = 15
COLDEST, HOTTEST = 0.2, 5.0
LEAST = 1e-12  # of a probability, before its logarithm
Floats = NDArray[np.float32]


def calibration(probabilities: Floats, labels: NDArray[np.int64]) -> dict[str, Any]:
    """Return how confidence and accuracy agree, ready for JSON.

    Args:
        probabilities: float32 (n, categories).
        labels: int64 (n,), the true positions.

    Returns:
        `ece`, the mean distance of confidence and accuracy over 15 bins of equal width, weighted by their counts; `confidence`
        and `accuracy` over all; `bins`, those that hold something.
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    places = np.minimum((confidence * BINS).astype(int), BINS - 1)
    bins = [
        {
            "from": place / BINS,
            "count": int((places == place).sum()),
            "confidence": float(confidence[places == place].mean()),
            "accuracy": float(right[places == place].mean()),
        }
        for place in np.unique(places)
    ]
    error = sum(one["count"] * abs(one["confidence"] - one["accuracy"]) for one in bins) / max(1, len(labels))
    overall = {"confidence": float(confidence.mean()), "accuracy": float(right.mean())}
    return {"count": len(labels), "ece": float(error), **overall, "bins": bins}


def softened(probabilities: Floats, temperature: float) -> Floats:
    """Return the probabilities of the same logits divided by a temperature: above 1 less certain, below 1 more."""
    logits = np.log(np.maximum(probabilities, LEAST)) / temperature
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)


def best_temperature(probabilities: Floats, labels: NDArray[np.int64]) -> float:
    """Return the temperature with the least negative log-likelihood."""

    def loss(temperature: float) -> float:
        chosen = softened(probabilities, temperature)[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(chosen, LEAST)).mean())

    return float(minimize_scalar(loss, bounds=(COLDEST, HOTTEST), method="bounded").x)
