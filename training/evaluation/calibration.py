"""The calibration of probabilities: the expected calibration error, and the temperature that minimises the loss.

Guo et al., On Calibration of Modern Neural Networks (arXiv:1706.04599).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

BINS = 15
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.2, 5.0
LEAST_PROBABILITY = 1e-12  # before its logarithm
Floats = NDArray[np.float32]


def calibration(probabilities: Floats, labels: NDArray[np.int64]) -> dict[str, Any]:
    """Return how well confidence and accuracy agree, ready for JSON.

    Args:
        probabilities: float32 (n, categories).
        labels: int64 (n,), the true positions.

    Returns:
        `ece`, the mean difference of confidence and accuracy over 15 bins of equal width, weighted by their counts;
        `confidence` and `accuracy` over all; `bins`, without empty ones.
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
    error = sum(bin_["count"] * abs(bin_["confidence"] - bin_["accuracy"]) for bin_ in bins) / max(1, len(labels))
    overall = {"confidence": float(confidence.mean()), "accuracy": float(right.mean())}
    return {"count": len(labels), "ece": float(error), **overall, "bins": bins}


def with_temperature(probabilities: Floats, temperature: float) -> Floats:
    """Return the probabilities of the logits divided by a temperature: above 1 less certain, below 1 more certain."""
    logits = np.log(np.maximum(probabilities, LEAST_PROBABILITY)) / temperature
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)


def best_temperature(probabilities: Floats, labels: NDArray[np.int64]) -> float:
    """Return the temperature with the least negative log-likelihood."""

    def loss(temperature: float) -> float:
        predicted = with_temperature(probabilities, temperature)[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(predicted, LEAST_PROBABILITY)).mean())

    return float(minimize_scalar(loss, bounds=(LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE), method="bounded").x)
