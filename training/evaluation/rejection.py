"""How well the highest probability separates clothing from pictures without clothing of the nine categories."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

REJECTED_SHARE = 0.9  # of the pictures without clothing
KEPT_SHARE = 0.98  # of the photos of clothing
ALL = "all"
Scores = dict[str, NDArray[np.float32]]  # by kind of picture


def rejection(clothing: Scores, no_clothing: Scores, threshold: float | None) -> dict[str, Any]:
    """Return how well the score separates clothing from pictures without, ready for JSON.

    Args:
        clothing: scores of pictures of the nine categories, by kind: `studio`, `photos`.
        no_clothing: scores of other pictures, by kind.
        threshold: the model's own, or None.

    Returns:
        `score`, what the score is. `clothing`, the count of each kind. `against`, for each kind of pictures without
        clothing,
        and all together: `count`, and against each kind of clothing, and all together, `auroc` and `kept`, the share of
        clothing with a higher score than 90 % of the pictures without. `at_threshold`, the shares of clothing kept and
        of other pictures rejected by the model's own threshold. `quantiles`, 41 of each kind's scores.
    """
    clothing, no_clothing = _with_all(clothing), _with_all(no_clothing)
    return {
        "score": "highest of the nine probabilities",
        "clothing": {name: len(scores) for name, scores in clothing.items()},
        "against": {
            name: {"count": len(scores), **{kind: _separation(kept, scores) for kind, kept in clothing.items()}}
            for name, scores in no_clothing.items()
        },
        "at_threshold": None if threshold is None else at_threshold(clothing, no_clothing, threshold),
        "quantiles": {
            "clothing": {name: _quantiles(scores) for name, scores in clothing.items() if name != ALL},
            "no_clothing": {name: _quantiles(scores) for name, scores in no_clothing.items() if name != ALL},
        },
    }


def at_threshold(clothing: Scores, no_clothing: Scores, threshold: float) -> dict[str, Any]:
    """Return the share of each kind of clothing that is kept, and of each kind of other pictures that is rejected."""
    return {
        "threshold": threshold,
        "kept": {name: float((scores >= threshold).mean()) for name, scores in clothing.items()},
        "rejected": {name: float((scores < threshold).mean()) for name, scores in no_clothing.items()},
    }


def refused_where_kept(
    clothing: NDArray[np.float32], no_clothing: NDArray[np.float32], threshold: float | None
) -> dict[str, Any]:
    """Return the share of pictures without clothing that is refused where 98 % of clothing is kept, ready for JSON.

    Returns:
        `count`, `kept` (98 %) and `refused`; with a threshold, `kept_at_threshold` and `refused_at_threshold` too.
    """
    least = float(np.quantile(clothing, 1 - KEPT_SHARE))
    figures = {"count": len(no_clothing), "kept": KEPT_SHARE, "refused": float((no_clothing < least).mean())}
    if threshold is None:
        return figures
    kept, refused = float((clothing >= threshold).mean()), float((no_clothing < threshold).mean())
    return figures | {"kept_at_threshold": kept, "refused_at_threshold": refused}


def score_above(no_clothing: Scores, share: float = REJECTED_SHARE) -> float:
    """Return the score above `share` of the pictures without clothing, each kind with the same weight."""
    scores = np.concatenate(list(no_clothing.values()))
    weights = np.concatenate([np.full(len(kind), 1 / len(kind)) for kind in no_clothing.values()])
    order = np.argsort(scores)
    below = np.cumsum(weights[order]) / weights.sum()
    place = min(int(np.searchsorted(below, share)), len(scores) - 1)
    return float(scores[order[place]])


def _separation(clothing: NDArray[np.float32], no_clothing: NDArray[np.float32]) -> dict[str, float]:
    truth = np.concatenate([np.ones(len(clothing)), np.zeros(len(no_clothing))])
    area = roc_auc_score(truth, np.concatenate([clothing, no_clothing]))
    return {"auroc": float(area), "kept": float((clothing > np.quantile(no_clothing, REJECTED_SHARE)).mean())}


def _quantiles(scores: NDArray[np.float32]) -> list[float]:
    return [round(float(value), 4) for value in np.quantile(scores, np.linspace(0, 1, 41))]


def _with_all(scores: Scores) -> Scores:
    """Return the kinds that are not empty, and all of them together."""
    filled = {name: values for name, values in scores.items() if len(values)}
    return filled | ({ALL: np.concatenate(list(filled.values()))} if filled else {})
