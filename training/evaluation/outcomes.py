"""The outcomes of searches, as a shopper sees them: `ok`, `no_close_match` or `no_clothing`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.similarity import CLOSE
from services.engine.similarity import SimilarityScale
from training.evaluation.search.retrieval import EmbeddedProducts, neighbours, unlabelled_products

Scales = Mapping[int, SimilarityScale | None]
Floats = NDArray[np.float32]


def outcomes(
    probabilities: Floats, vectors: Floats, gallery: EmbeddedProducts, scales: Scales, no_clothing: float
) -> dict[str, Any]:
    """Return the share of each outcome of searches in the predicted category, ready for JSON.

    Args:
        probabilities: of the pictures, float32 (n, categories).
        vectors: of the pictures, float32 (n, dim), unit length.
        gallery: the products that are searched.
        scales: of similarity, by category; a category without a scale has no close match.
        no_clothing: the least probability of the predicted category that counts as clothing.
    """
    close = close_matches(probabilities.argmax(axis=1), vectors, gallery, scales)
    clothing = probabilities.max(axis=1) >= no_clothing
    return {
        "count": len(vectors),
        "ok": float((clothing & close).mean()),
        "no_close_match": float((clothing & ~close).mean()),
        "no_clothing": float((~clothing).mean()),
    }


def close_matches(
    predicted: NDArray[np.int64], vectors: Floats, gallery: EmbeddedProducts, scales: Scales
) -> NDArray[np.bool_]:
    """Return for each picture whether the best product of its category is a close match, bool (n,).

    Args:
        predicted: the category that is searched for each picture, int64 (n,).
        vectors, gallery, scales: as for `outcomes`.
    """
    close = np.zeros(len(vectors), bool)
    for category in np.unique(predicted):
        scale, products = scales.get(int(category)), gallery.take(gallery.labels == category)
        if scale is None or not len(products.ids):
            continue
        ours = np.flatnonzero(predicted == category)
        scores = neighbours(unlabelled_products(predicted[ours], vectors[ours]), products, 1)[1][:, 0]
        close[ours] = np.array(scale.similarities(scores.tolist())) >= CLOSE
    return close
