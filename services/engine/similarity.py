"""How alike a score is: a scale from 0 to 1, fitted on the products of a category themselves.

What a score means differs from category to category, from catalogue to catalogue and from network to network: 0.93 may be
what any two shoes have in common, and more than any two necklaces. So a category's own products are asked, each as if it
were a query: how near is the nearest other one, and how near is just any other one?
"""

import heapq
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.filters import EVERYTHING
from services.contracts.domain.similarity import CLOSE
from services.engine.category_view import CategoryView, Float32Array
from services.engine.columns import RowArray

Scores = NDArray[np.float64]
# Fewer products say too little of their category: the model's own threshold, if it has one, then stands for all.
MIN_PRODUCTS = 50
MAX_SAMPLE = 2000
# Of a large category fewer are asked, so that all of it costs about as much as looking at 200 million vectors once: 3 s.
LEAST_OF_MANY = 500
MOST_ROWS = 200_000_000
PAIRED = 400  # products of the sample that are compared each with each: 79,800 pairs
# This share of the products has its nearest neighbour further away than what counts as close.
ISOLATED_SHARE = 0.01
APART = 0.05  # this share of any two products is less alike than what counts as not alike at all
STEPS = 20
POINTS = 81  # of a curve
# The same picture, listed twice, says nothing of how near others are.
SAME = 1 - 1e-5
NEIGHBOURS = 8
ALMOST = 0.99  # only the same picture is wholly alike
SEED = 1


@dataclass(frozen=True)
class SimilarityScale:
    """Maps scores to similarity, along straight lines between points that both ascend.

    Attributes:
        scores: cosine similarities, shape (points,).
        values: the similarity at each score, shape (points,), from 0 to 1.
    """

    scores: Scores
    values: Scores

    def similarities(self, scores: Sequence[float]) -> list[float]:
        """Return how alike each score is, 0 to 1 in thousandths; from `CLOSE` on it is a close match."""
        similarities: list[float] = np.interp(scores, self.scores, self.values).round(3).tolist()
        return similarities

    @property
    def close_score(self) -> float:
        """The least score that counts as close."""
        return float(np.interp(CLOSE, self.values, self.scores))


def scale_from_threshold(thresholds: Mapping[str, float]) -> SimilarityScale | None:
    """Return the scale of a model's threshold `no_close_match`, for categories with too few products; None without one.

    It goes evenly by the distance of the vectors, not by the score: at half of the threshold's distance a product is half as
    far from being the same picture, and at twice the distance not alike at all. The squared distance of unit vectors is
    2 - 2 × score.
    """
    close = thresholds.get("no_close_match")
    if close is None or not -1 < close < SAME:
        return None
    distances = np.linspace(2, 0, POINTS)
    return SimilarityScale(1 - (1 - close) * distances**2, 1 - CLOSE * distances)


def fit_scale(best: Scores, pairs: Scores) -> SimilarityScale | None:
    """Return the scale of a category.

    Its points: 0 where only a twentieth of any two products are less alike; `CLOSE` where only a hundredth of the products
    have their nearest neighbour further away, but at least at what any two products have in common; from there to 0.99
    evenly by the share of nearest neighbours that are less alike; 1 for the same picture.

    Args:
        best: scores of products' nearest neighbours; those of the same picture are passed over.
        pairs: scores of any two products; those of the same picture are passed over.

    Returns:
        None where too few are left, or all are the same.
    """
    best, pairs = best[best < SAME], pairs[pairs < SAME]
    if len(best) < MIN_PRODUCTS or not len(pairs):
        return None
    close = max(float(np.quantile(best, ISOLATED_SHARE)), float(np.median(pairs)))
    near = best[best >= close]
    if not len(near) or float(np.quantile(pairs, APART)) >= close:
        return None
    shares = np.linspace(0, 1, STEPS + 1)[1:]
    scores = np.concatenate([[np.quantile(pairs, APART), close], np.quantile(near, shares), [1.0]])
    values = np.concatenate([[0, CLOSE], CLOSE + (ALMOST - CLOSE) * shares, [1.0]])
    last_of_equals = np.append(np.diff(scores) > 0, True)
    return SimilarityScale(scores[last_of_equals], values[last_of_equals])


def calibrate(view: CategoryView, ended: Callable[[], bool] = lambda: False) -> SimilarityScale | None:
    """Return the scale of a category as a search sees it; None where it has too few products.

    The same products give the same scale, in whatever order they came. What it gives is of no use once it has `ended`.
    """
    if view.size < MIN_PRODUCTS:
        return None
    rows = _sample(view)
    vectors = view.vectors(np.sort(rows[:PAIRED])).astype(np.float64)
    pairs = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    return fit_scale(np.array([_nearest(view, row) for row in rows.tolist() if not ended()]), pairs)


def _sample(view: CategoryView) -> RowArray:
    """Return the main images' rows of products that are drawn by their keys, so that a small change changes few of them."""
    most = min(MAX_SAMPLE, max(LEAST_OF_MANY, MOST_ROWS // len(view.live)))
    drawn = heapq.nsmallest(
        most, ((zlib.crc32(view.key(row).encode(), SEED), view.key(row), row) for row in view.rows())
    )
    return np.array([row for _, _, row in drawn])


def _nearest(view: CategoryView, row: int) -> float:
    """Return the score of a product's nearest neighbour that is not the same picture; 1 where all are."""
    query: Float32Array = view.vector(row)
    found = view.search(query, NEIGHBOURS, EVERYTHING, ())  # itself first: the same picture
    return next((match.score for match in found if match.score < SAME), 1.0)
