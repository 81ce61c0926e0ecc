"""The temperature of the ten logits: fitted on what neither trained nor is measured, kept only where it mends something."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from training.evaluation.calibration import COLDEST, HOTTEST, LEAST, calibration

BATCH = 256
Floats = NDArray[np.float32]
Sets = list[tuple[Floats, NDArray[np.int64]]]  # logits (n, 10) and true categories (n,), for each kind of picture


def logits(whole: Any, images: NDArray[np.uint8]) -> Floats:
    """Return the network's ten logits, float32 (n, categories + 1), for uint8 (n, height, width, 3)."""
    run = tf.function(lambda batch: whole(batch, training=False)["ten"], reduce_retracing=True)
    batches = [images[start : start + BATCH].astype(np.float32) for start in range(0, len(images), BATCH)]
    return np.concatenate([run(tf.constant(batch)).numpy() for batch in batches])


def probabilities(ten: Floats, temperature: float) -> Floats:
    """Return the nine probabilities, as the network's graph makes them of the ten logits."""
    warm = ten / temperature
    shares = np.exp(warm - warm.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return np.asarray(shares[:, :-1] + shares[:, -1:] / (ten.shape[1] - 1), np.float32)


def fitted_temperature(sets: Sets) -> float:
    """Return the temperature with the least negative log-likelihood, each kind of picture counting alike.

    Without a smaller calibration error than at temperature 1 (mean over the kinds) it is 1.
    """

    def loss(temperature: float) -> float:
        return float(np.mean([_surprise(probabilities(ten, temperature), labels) for ten, labels in sets]))

    best = float(minimize_scalar(loss, bounds=(COLDEST, HOTTEST), method="bounded").x)
    return best if _error(sets, best) < _error(sets, 1.0) else 1.0


def _surprise(said: Floats, labels: NDArray[np.int64]) -> float:
    return float(-np.log(np.maximum(said[np.arange(len(labels)), labels], LEAST)).mean())


def _error(sets: Sets, temperature: float) -> float:
    return float(np.mean([calibration(probabilities(ten, temperature), labels)["ece"] for ten, labels in sets]))
