"""What another order would have been worth on held-out days: a replay of the log, weighted by inverse propensity.

A click at a position at which few shoppers look stands for the clicks of those who did not look, so it counts
1 / propensity times (Joachims, Swaminathan & Schnabel, "Unbiased Learning-to-Rank with Biased Feedback", WSDM 2017).
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from services.catalogue.learning.bounded_order import bounded_order
from services.catalogue.learning.examples import IntArray, TrainingExamples
from services.catalogue.learning.query_signals import Float64Array
from services.catalogue.learning.signals import SIGNALS

TOP = 10
RESAMPLES = 1000
SIMILARITY = list(SIGNALS).index("similarity")


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % confidence interval."""

    mean: float
    low: float
    high: float

    @property
    def is_gain(self) -> bool:
        """Whether the whole interval lies above zero."""
        return self.low > 0


@dataclass(frozen=True)
class OrderComparison:
    """The learned order against the plain order, on the same searches.

    Attributes:
        searches, clicked: the number of searches, and of those with a click.
        plain, learned: NDCG@10 of all clicks, each weighted by its worth and its inverse propensity: their DCG over the
            greatest that an order of the same results could have.
        gain: learned minus plain.
        plain_clicks, learned_clicks: clicks a search that the position-based model expects.
        clicks_gain: learned minus plain.
    """

    searches: int
    clicked: int
    plain: Interval
    learned: Interval
    gain: Interval
    plain_clicks: Interval
    learned_clicks: Interval
    clicks_gain: Interval

    def to_dict(self) -> dict[str, object]:
        """Return the figures as JSON."""
        return asdict(self)


def compare(
    examples: TrainingExamples,
    score: Callable[[Float64Array], Float64Array],
    propensities: Sequence[float],
    bound: float,
    seed: int,
) -> OrderComparison | None:
    """Return what the learned order would have been worth; None without a search with clicks.

    Args:
        examples: first pages of held-out days.
        score: the learned score of each row.
        propensities: of the positions from 1 on.
        bound: on how far similarity may be overruled.
        seed: of the resampling, which draws visitors with all their searches.
    """
    learned = score(examples.signals)
    worth, clicks = examples.gains, (examples.gains > 0).astype(np.float64)
    weights = 1 / _of(propensities, examples.positions)
    figures = []
    for page in range(examples.pages):
        rows = examples.rows(page)
        similarities = examples.signals[rows, SIMILARITY].tolist()
        orders = (
            bounded_order(similarities, [0.0] * len(similarities), bound),
            bounded_order(similarities, learned[rows].tolist(), bound),
        )
        gains, clicked = worth[rows] * weights[rows], clicks[rows] * weights[rows]
        looked = _of(propensities, np.arange(1, len(gains) + 1))
        plain, new = (dcg(gains[order]) for order in orders)
        plain_clicks, new_clicks = (float((clicked[order] * looked).sum()) for order in orders)
        ideal = dcg(np.sort(gains)[::-1])
        figures.append((plain, new, new - plain, plain_clicks, new_clicks, new_clicks - plain_clicks, ideal))
    table = np.asarray(figures).reshape(-1, 7)
    if not table[:, -1].any():
        return None
    of_each = np.stack([table[:, -1]] * 3 + [np.ones(len(table))] * 3, axis=1)
    clicked_pages = int((table[:, -1] > 0).sum())
    return OrderComparison(len(table), clicked_pages, *intervals(table[:, :6], of_each, examples.visitors, seed))


def dcg(gains: Float64Array) -> float:
    """Return DCG@10 of gains in their order: the sum of gain / log2(1 + rank) (Järvelin & Kekäläinen, TOIS 2002)."""
    top = gains[:TOP]
    return float((top / np.log2(np.arange(2, len(top) + 2))).sum())


def ndcg(gains: Float64Array, ideal: Float64Array | None = None) -> float:
    """Return NDCG@10 of gains in their order; 0 without a gain.

    Args:
        gains: in the order of the results.
        ideal: all gains that an order could have shown; default: `gains`.
    """
    best = dcg(np.sort(gains if ideal is None else ideal)[::-1])
    return dcg(gains) / best if best else 0.0


def intervals(
    figures: Float64Array, weights: Float64Array, units: Sequence[str], seed: int, resamples: int = RESAMPLES
) -> list[Interval]:
    """Return the weighted mean of each column, sum(figures) / sum(weights), with its 95 % interval by the bootstrap.

    Args:
        figures: shape (rows, columns).
        weights: of the same shape.
        units: what each row belongs to, such as its visitor: the rows of a unit are drawn together (Efron, 1979).
        seed: of the draws.
        resamples: the number of draws.
    """
    numbers = np.unique(np.asarray(units), return_inverse=True)[1]
    sums, totals = (
        np.stack([np.bincount(numbers, column) for column in matrix.T], axis=1) for matrix in (figures, weights)
    )
    generator = np.random.default_rng(seed)
    drawn = (generator.integers(0, len(sums), len(sums)) for _ in range(resamples))
    with np.errstate(invalid="ignore"):  # a draw without any weight has no mean
        means = np.stack([sums[rows].sum(axis=0) / totals[rows].sum(axis=0) for rows in drawn])
    low, high = np.nanquantile(means, (0.025, 0.975), axis=0)
    return [
        Interval(*(round(float(value), 5) for value in column))
        for column in zip(figures.sum(axis=0) / weights.sum(axis=0), low, high, strict=True)
    ]


def _of(propensities: Sequence[float], positions: IntArray) -> Float64Array:
    return np.asarray(propensities, dtype=np.float64).take(np.minimum(positions, len(propensities)) - 1)
