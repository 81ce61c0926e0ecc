"""Clothing against everything else, by the greatest of the nine probabilities."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

REFUSED = 0.9  # share of the pictures without clothing that a threshold is to turn away
ALL = "all"
Scores = dict[str, NDArray[np.float32]]  # by kind of picture


def rejection(clothing: Scores, nothing: Scores, threshold: float | None) -> dict[str, Any]:
    """Return how well the score tells clothing from pictures without, ready for JSON.

    Args:
        clothing: scores of pictures of the nine categories, by kind: `studio`, `photos`.
        nothing: scores of pictures of none of them, by kind.
        threshold: the model's own, if it has one.

    Returns:
        For each kind of nothing, and all together: `count`, and against each kind of clothing, and all together, `auroc` and
        `kept`, the share of clothing above the score that 90 % of the nothing stays below. `at_threshold`: the share of each
        kind of clothing that the model's own threshold keeps, and of each kind of nothing that it refuses. `quantiles`: 41 of
        each kind's scores, from the least to the greatest.
    """
    ours, theirs = _with_all(clothing), _with_all(nothing)
    return {
        "score": "greatest of the nine probabilities",
        "clothing": {name: len(scores) for name, scores in ours.items()},
        "against": {
            name: {"count": len(scores), **{kind: _apart(kept, scores) for kind, kept in ours.items()}}
            for name, scores in theirs.items()
        },
        "at_threshold": None if threshold is None else at_threshold(ours, theirs, threshold),
        "quantiles": {
            "clothing": {name: _quantiles(scores) for name, scores in ours.items() if name != ALL},
            "nothing": {name: _quantiles(scores) for name, scores in theirs.items() if name != ALL},
        },
    }


def at_threshold(clothing: Scores, nothing: Scores, threshold: float) -> dict[str, Any]:
    """Return the share of each kind of clothing that is kept, and of each kind of nothing that is refused."""
    return {
        "threshold": threshold,
        "kept": {name: float((scores >= threshold).mean()) for name, scores in clothing.items()},
        "refused": {name: float((scores < threshold).mean()) for name, scores in nothing.items()},
    }


def refusing(nothing: Scores, share: float = REFUSED) -> float:
    """Return the score that `share` of the pictures without clothing stays below; each kind of them counts alike."""
    scores = np.concatenate(list(nothing.values()))
    weights = np.concatenate([np.full(len(kind), 1 / len(kind)) for kind in nothing.values()])
    order = np.argsort(scores)
    below = np.cumsum(weights[order]) / weights.sum()
    place = min(int(np.searchsorted(below, share)), len(scores) - 1)
    return float(scores[order[place]])


def _apart(clothing: NDArray[np.float32], nothing: NDArray[np.float32]) -> dict[str, float]:
    truth = np.concatenate([np.ones(len(clothing)), np.zeros(len(nothing))])
    area = roc_auc_score(truth, np.concatenate([clothing, nothing]))
    return {"auroc": float(area), "kept": float((clothing > np.quantile(nothing, REFUSED)).mean())}


def _quantiles(scores: NDArray[np.float32]) -> list[float]:
    return [round(float(value), 4) for value in np.quantile(scores, np.linspace(0, 1, 41))]


def _with_all(scores: Scores) -> Scores:
    """Return the kinds that have something, and all of them together."""
    some = {name: values for name, values in scores.items() if len(values)}
    return some | ({ALL: np.concatenate(list(some.values()))} if some else {})
