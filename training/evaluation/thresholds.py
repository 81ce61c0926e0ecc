"""The thresholds for "no clothing" and "no close match", fitted on the validation part."""

import numpy as np
from numpy.typing import NDArray

from training.data.split import Split
from training.evaluation.evaluated_model import EvaluatedModel
from training.evaluation.figures import EvaluationOutputs
from training.evaluation.rejection import Scores, score_above
from training.evaluation.search.retrieval import neighbours
from training.progress import Terminal

REJECTED_SHARE = 0.005  # of the shop's own kind of images, at most, by each threshold
KEPT_SHARE = 0.98  # of photos of clothing
ENOUGH_REJECTED = 0.99  # of pictures without clothing
CLOSE_PHOTOS, CLOSE_OTHERS = 0.92, 0.03  # the shares with a close match
DRAWN = "drawn"  # a kind of pictures without clothing


def validation_thresholds(
    model: EvaluatedModel, outputs: EvaluationOutputs, parts: Split, terminal: Terminal
) -> dict[str, float]:
    """Return the thresholds of a model that is trained without pictures without clothing."""
    return thresholds(outputs, parts)


def thresholds(outputs: EvaluationOutputs, parts: Split) -> dict[str, float]:
    """Return the values that all but 0.5 % of the validation products reach.

    Returns:
        `no_clothing`: probability of the predicted category; `no_close_match`: cosine similarity of the best result in
            the
        training part, searched within the predicted category.
    """
    probabilities = outputs.probabilities[parts.validation]
    queries, gallery = outputs.products.take(parts.validation), outputs.products.take(parts.training)
    predicted = probabilities.argmax(axis=1)
    best = []
    for label in np.unique(predicted):
        category_products = gallery.take(gallery.labels == label)
        if len(category_products.ids):
            best.append(neighbours(queries.take(predicted == label), category_products, 1)[1][:, 0])
    return {
        "no_clothing": _rounded_down(float(np.quantile(probabilities.max(axis=1), REJECTED_SHARE))),
        "no_close_match": _rounded_down(float(np.quantile(np.concatenate(best), REJECTED_SHARE))) if best else -1.0,
    }


def keeping_threshold(clothing: NDArray[np.float32], no_clothing: Scores) -> float:
    """Return the `no_clothing` threshold that keeps 98 % of photos of clothing, or a lower one that rejects enough.

    Args:
        clothing: the highest probability of each photo of clothing.
        no_clothing: of each picture without clothing, by kind. 99 % of them are enough, each kind with the same weight.
    """
    kept = float(np.quantile(clothing, 1 - KEPT_SHARE))
    pictures = {name: scores for name, scores in no_clothing.items() if name != DRAWN}
    return _rounded_down(min(kept, score_above(pictures, ENOUGH_REJECTED)) if pictures else kept)


def close_photo_threshold(photos: NDArray[np.float32], others: NDArray[np.float32]) -> float:
    """Return the score from which a photo's best result is a close match.

    92 % of the photos of clothing reach it, or fewer if more than 3 % of the products of other categories would.

    Args:
        photos: the score of the best result of each photo of clothing.
        others: the score of the best result of products that are searched in a category that is not theirs.
    """
    close = float(np.quantile(photos, 1 - CLOSE_PHOTOS))
    return _rounded_down(max(close, float(np.quantile(others, 1 - CLOSE_OTHERS))) if len(others) else close)


def rejecting_threshold(no_clothing: Scores) -> float:
    """Return the `no_clothing` threshold that rejects 90 % of pictures without clothing, each kind with the same
    weight.

    Drawn patterns are below any threshold and would only lower it, so they count only if there are no other pictures.
    """
    pictures = {name: scores for name, scores in no_clothing.items() if name != DRAWN}
    return _rounded_down(score_above(pictures or no_clothing))


def _rounded_down(value: float) -> float:
    return float(np.floor(value * 1000) / 1000)
