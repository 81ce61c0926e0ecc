"""How likely shoppers look at each position, estimated from the log.

The position-based model says: a product is clicked if the shopper looks at its position and likes it, so
P(click) = propensity of the position × appeal of the product (Richardson, Dominowska & Ragno, WWW 2007; Wang et al.,
"Position Bias Estimation for Unbiased Learning to Rank in Personal Search", WSDM 2018). Clicks are rare, so both are
fitted together by maximum likelihood as a Poisson regression: log E[clicks] = log propensity(position) + appeal, where
the appeal is linear in signals that do not know the position. Products stand at other positions in other searches, and
products at one position differ in similarity and in what clicks say of them: this separates the two.
"""

import numpy as np

from services.catalogue.learning.examples import IntArray, TrainingExamples
from services.catalogue.learning.query_signals import Float64Array

MAX_POSITIONS = 20  # each has a propensity of its own; those behind share the last one
MAX_PAGES = 50_000  # the latest of the log, which the estimate uses
FLOOR = 0.05  # the least propensity: a click counts at most 20 times
STEPS, TOLERANCE = 50, 1e-8
RIDGE = 1.0  # on the signals; and clicks at the mean rate that a position without clicks counts for
START = tuple(1 / place**0.5 for place in range(1, MAX_POSITIONS + 1))  # before the log has been looked at
NO_BIAS = (1.0,)  # every position as if shoppers looked at all


def estimate(examples: TrainingExamples) -> tuple[float, ...]:
    """Return the propensities of the positions from 1 on; the first is 1, and none is below FLOOR or above 1.

    Args:
        examples: first pages of the log.
    """
    rows = slice(int(examples.starts[max(0, examples.pages - MAX_PAGES)]), None)
    clicks = (examples.gains[rows] > 0).astype(np.float64)
    if not clicks.any():
        return START
    places = np.minimum(examples.positions[rows], MAX_POSITIONS) - 1
    bias = _fitted(places, _standardised(examples.signals[rows]), clicks)
    shown = np.bincount(places, minlength=MAX_POSITIONS) > 0
    for place in np.flatnonzero(~shown):
        bias[place] = bias[place - 1]
    return tuple(float(value) for value in np.clip(np.exp(bias - bias[0]), FLOOR, 1.0))


def _fitted(places: IntArray, signals: Float64Array, clicks: Float64Array) -> Float64Array:
    """Return the logarithm of each position's propensity, up to a constant: Newton's method on the likelihood."""
    views = np.bincount(places, minlength=MAX_POSITIONS).astype(np.float64)
    mean = clicks.mean()
    weights = np.zeros(MAX_POSITIONS + signals.shape[1])
    weights[:MAX_POSITIONS] = np.log((np.bincount(places, clicks, MAX_POSITIONS) + 1) / (views + 1 / mean))
    prior = np.concatenate((np.zeros(MAX_POSITIONS), np.full(signals.shape[1], RIDGE)))
    for _ in range(STEPS):
        expected = np.exp(np.minimum(weights[places] + signals @ weights[MAX_POSITIONS:], 0.0))
        gradient = np.concatenate(
            (np.bincount(places, clicks - expected, MAX_POSITIONS), signals.T @ (clicks - expected))
        )
        step = np.linalg.solve(_curvature(places, signals, expected, prior), gradient - prior * weights)
        weights += step
        if np.abs(step).max() < TOLERANCE:
            break
    return weights[:MAX_POSITIONS]


def _curvature(places: IntArray, signals: Float64Array, expected: Float64Array, prior: Float64Array) -> Float64Array:
    size = len(prior)
    matrix = np.zeros((size, size))
    weighted = signals * expected[:, None]
    of_positions = np.bincount(places, expected, MAX_POSITIONS)
    mixed = np.stack([np.bincount(places, column, MAX_POSITIONS) for column in weighted.T], axis=1)
    matrix[:MAX_POSITIONS, :MAX_POSITIONS] = np.diag(of_positions)
    matrix[:MAX_POSITIONS, MAX_POSITIONS:] = mixed
    matrix[MAX_POSITIONS:, :MAX_POSITIONS] = mixed.T
    matrix[MAX_POSITIONS:, MAX_POSITIONS:] = signals.T @ weighted
    return matrix + np.diag(prior + 1e-6)


def _standardised(signals: Float64Array) -> Float64Array:
    """Return the signals with mean 0 and deviation 1; missing ones are 0, and so are those that are all the same."""
    known = np.isfinite(signals)
    counts = np.maximum(known.sum(axis=0), 1)
    means = np.where(known, signals, 0.0).sum(axis=0) / counts
    centred = np.where(known, signals - means, 0.0)
    deviations = np.sqrt((centred**2).sum(axis=0) / counts)
    scaled: Float64Array = centred / np.where(deviations > 1e-9, deviations, 1.0) * (deviations > 1e-9)
    return scaled
