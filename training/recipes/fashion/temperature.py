"""The temperature of the logits, fitted on the validation part and kept only where it reduces the calibration error."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from training.evaluation.calibration import HIGHEST_TEMPERATURE, LEAST_PROBABILITY, LOWEST_TEMPERATURE, calibration
from training.networks.fashion import NONE_CLASSES

BATCH = 256
Floats = NDArray[np.float32]
LogitSets = list[tuple[Floats, NDArray[np.int64]]]  # logits (n, 11) and true categories (n,), for each sort of image


def logits_of(network: Any, images: NDArray[np.uint8]) -> Floats:
    """Return the logits of the network's classes, float32 (n, categories + 2), for uint8 (n, height, width, 3)."""
    run = tf.function(lambda batch: network(batch, training=False)["content_logits"], reduce_retracing=True)
    batches = [images[start : start + BATCH].astype(np.float32) for start in range(0, len(images), BATCH)]
    return np.concatenate([run(tf.constant(batch)).numpy() for batch in batches])


def probabilities(logits: Floats, temperature: float) -> Floats:
    """Return the nine probabilities that the network's graph makes of the logits."""
    scaled = logits / temperature
    shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    categories = logits.shape[1] - NONE_CLASSES
    none = shares[:, categories:].sum(axis=1, keepdims=True)
    return np.asarray(shares[:, :categories] + none / categories, np.float32)


def fitted_temperature(sets: LogitSets) -> float:
    """Return the temperature with the least negative log-likelihood, each sort of image with the same weight.

    If the mean calibration error is not smaller than at temperature 1, the temperature is 1.
    """

    def loss(temperature: float) -> float:
        values = [_log_loss(probabilities(logits, temperature), labels) for logits, labels in sets]
        return float(np.mean(values))

    bounds = (LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE)
    best = float(minimize_scalar(loss, bounds=bounds, method="bounded").x)
    return best if _error(sets, best) < _error(sets, 1.0) else 1.0


def _log_loss(predicted: Floats, labels: NDArray[np.int64]) -> float:
    return float(-np.log(np.maximum(predicted[np.arange(len(labels)), labels], LEAST_PROBABILITY)).mean())


def _error(sets: LogitSets, temperature: float) -> float:
    errors = [calibration(probabilities(logits, temperature), labels)["ece"] for logits, labels in sets]
    return float(np.mean(errors))
