"""Calibrated similarity: a scale from 0 to 1 for scores, fitted on the products of each category.

The meaning of a score differs between categories, catalogues and networks: 0.93 may be what any two shoes score, and
more than any two necklaces do. The scale is therefore fitted on the category's own products: each product of a sample
is searched for, and the score of its nearest neighbour is compared with the scores of random pairs.
"""

import heapq
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.filtering.filters import EVERYTHING
from services.contracts.domain.similarity import CLOSE
from services.engine.category_view import CategoryView, Float32Array
from services.engine.columns import RowArray

Scores = NDArray[np.float64]
MIN_PRODUCTS = 50  # with fewer products there is no scale, and the model's own threshold is used
MAX_SAMPLE = 2000  # products that are searched for
# A large category has a smaller sample, so that all searches together read about 200 million vectors: 3 s.
MIN_SAMPLE = 500
MAX_VECTORS_READ = 200_000_000
PAIR_SAMPLE = 400  # products that are compared with each other: 79,800 pairs
ISOLATED_SHARE = 0.01  # this share of the products has a nearest neighbour below the score of a close match
UNRELATED_SHARE = 0.05  # this share of the pairs scores less than the score whose similarity is 0
QUANTILES = 20
THRESHOLD_POINTS = 81  # of the scale that is made of a model's threshold
SAME_PICTURE = 1 - 1e-5  # scores from here on are of the same picture, listed twice
NEIGHBOURS = 8
MAX_FITTED = 0.99  # only the same picture has similarity 1
SEED = 1


@dataclass(frozen=True)
class SimilarityScale:
    """A map from scores to similarities: straight lines between points that ascend in both.

    Attributes:
        scores: cosine similarities, shape (points,).
        values: the similarity at each score, 0 to 1, shape (points,).
    """

    scores: Scores
    values: Scores

    def similarities(self, scores: Sequence[float]) -> list[float]:
        """Return the similarity of each score, 0 to 1, rounded to thousandths. A close match has at least `CLOSE`."""
        similarities: list[float] = np.interp(scores, self.scores, self.values).round(3).tolist()
        return similarities

    @property
    def close_score(self) -> float:
        """The smallest score of a close match."""
        return float(np.interp(CLOSE, self.values, self.scores))


def scale_from_threshold(thresholds: Mapping[str, float]) -> SimilarityScale | None:
    """Return the scale of a model's thresholds, for categories with too few products.

    A close match begins at `no_close_match`, or at `close_photo` if a model has it and it is lower.

    The similarity falls linearly with the distance of the vectors: it is 1 at distance 0, `CLOSE` at the threshold's
    distance, and 0 at twice that distance. The squared distance of unit vectors is 2 - 2 × score.

    Args:
        thresholds: the manifest's.

    Returns:
        None if there is no threshold, or it is not between -1 and the score of the same picture.
    """
    close = thresholds.get("no_close_match")
    if close is not None:
        close = min(close, thresholds.get("close_photo", close))
    if close is None or not -1 < close < SAME_PICTURE:
        return None
    distances = np.linspace(2, 0, THRESHOLD_POINTS)
    return SimilarityScale(1 - (1 - close) * distances**2, 1 - CLOSE * distances)


def fit_scale(
    neighbour_scores: Scores, pair_scores: Scores, close_at_most: float | None = None
) -> SimilarityScale | None:
    """Return the scale of a category. Scores of the same picture are left out.

    Its points are: 0 at the score that 5 % of the pairs stay below; `CLOSE` at the score that 1 % of the nearest
    neighbours stay below, but at least at the median of the pairs; from there to 0.99 by the share of nearest
    neighbours that score less; 1 at score 1.

    The products of a catalogue are photographed alike, so their scores with each other are higher than those of a
    photo of the same garment. `close_at_most` is the score at which photos are close matches by the model's own
    threshold: `CLOSE` is not above it.

    Args:
        neighbour_scores: the score of each sampled product's nearest neighbour, shape (n,).
        pair_scores: the scores of random pairs, shape (m,).
        close_at_most: the highest score for `CLOSE`; None for no limit.

    Returns:
        None if too few scores remain, or all are the same.
    """
    neighbour_scores = neighbour_scores[neighbour_scores < SAME_PICTURE]
    pair_scores = pair_scores[pair_scores < SAME_PICTURE]
    if len(neighbour_scores) < MIN_PRODUCTS or not len(pair_scores):
        return None
    unrelated = float(np.quantile(pair_scores, UNRELATED_SHARE))
    close = max(float(np.quantile(neighbour_scores, ISOLATED_SHARE)), float(np.median(pair_scores)))
    if close_at_most is not None and -1 < close_at_most < close:
        close = close_at_most
        unrelated = min(unrelated, 2 * close - 1)  # as far from a close match as a close match is from the same picture
    near = neighbour_scores[neighbour_scores >= close]
    if not len(near) or unrelated >= close:
        return None
    shares = np.linspace(0, 1, QUANTILES + 1)[1:]
    scores = np.concatenate([[unrelated, close], np.quantile(near, shares), [1.0]])
    values = np.concatenate([[0, CLOSE], CLOSE + (MAX_FITTED - CLOSE) * shares, [1.0]])
    is_last_of_equals = np.append(np.diff(scores) > 0, True)
    return SimilarityScale(scores[is_last_of_equals], values[is_last_of_equals])


def calibrate(
    view: CategoryView, is_cancelled: Callable[[], bool] = lambda: False, close_at_most: float | None = None
) -> SimilarityScale | None:
    """Return the scale of a category; None if it has too few products.

    The scale depends on the products, not on the order in which they were put.

    Args:
        view: of the category.
        is_cancelled: asked before each search. Once it returns true, the result is of no use.
        close_at_most: the model's threshold `close_photo`: see `fit_scale`.
    """
    if view.size < MIN_PRODUCTS:
        return None
    rows = _sample(view)
    vectors = view.vectors(np.sort(rows[:PAIR_SAMPLE])).astype(np.float64)
    pair_scores = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    neighbour_scores = [_neighbour_score(view, row) for row in rows.tolist() if not is_cancelled()]
    return fit_scale(np.array(neighbour_scores), pair_scores, close_at_most)


def _sample(view: CategoryView) -> RowArray:
    """Return rows of main images. They are drawn by hashes of the keys: a small change changes few of them."""
    size = min(MAX_SAMPLE, max(MIN_SAMPLE, MAX_VECTORS_READ // len(view.live)))
    keys = ((view.key(row), row) for row in view.rows().tolist())
    drawn = heapq.nsmallest(size, ((zlib.crc32(key.encode(), SEED), key, row) for key, row in keys))
    return np.array([row for _, _, row in drawn])


def _neighbour_score(view: CategoryView, row: int) -> float:
    """Return the score of a product's nearest neighbour that is not the same picture; 1 if all are."""
    query: Float32Array = view.vector(row)
    matches = view.search(query, NEIGHBOURS, EVERYTHING, ())  # the product itself comes first
    return next((match.score for match in matches if match.score < SAME_PICTURE), 1.0)
