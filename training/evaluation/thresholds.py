"""When to say "no clothing here" or "nothing close": thresholds measured on the validation part."""

import numpy as np

from training.data.split import Split
from training.evaluation.figures import Answers
from training.evaluation.rejection import Scores, refusing
from training.evaluation.retrieval import neighbours
from training.evaluation.served_model import ServedModel
from training.progress import Terminal

# Of the shop's own kind of pictures, at most this share is turned away by each threshold.
TURNED_AWAY = 0.005
DRAWN = "drawn"  # a kind of evidence


def of_the_least_certain(model: ServedModel, said: Answers, parts: Split, terminal: Terminal) -> dict[str, float]:
    """Return the thresholds of a model that knows no pictures without clothing."""
    return thresholds(said, parts)


def thresholds(said: Answers, parts: Split) -> dict[str, float]:
    """Return the least values that all but 0.5 % of the validation products reach.

    Returns:
        `no_clothing`: least probability of the predicted category; `no_close_match`: least cosine similarity of the best
        result in the training part, searched within the predicted category.
    """
    probabilities = said.probabilities[parts.validation]
    queries, gallery = said.embedded.take(parts.validation), said.embedded.take(parts.training)
    predicted = probabilities.argmax(axis=1)
    best = []
    for label in np.unique(predicted):
        theirs = gallery.take(gallery.labels == label)
        if len(theirs.ids):
            best.append(neighbours(queries.take(predicted == label), theirs, 1)[1][:, 0])
    return {
        "no_clothing": _floor(float(np.quantile(probabilities.max(axis=1), TURNED_AWAY))),
        "no_close_match": _floor(float(np.quantile(np.concatenate(best), TURNED_AWAY))) if best else -1.0,
    }


def against_nothing(nothing: Scores) -> float:
    """Return `no_clothing` as what refuses 90 % of pictures without clothing, each kind of them counting alike.

    Drawn patterns, which are refused by any threshold, would only loosen it: they count where there is nothing else.
    """
    real = {name: scores for name, scores in nothing.items() if name != DRAWN}
    return _floor(refusing(real or nothing))


def _floor(value: float) -> float:
    return float(np.floor(value * 1000) / 1000)
