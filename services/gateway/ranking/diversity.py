"""Results that differ from each other: maximal marginal relevance.

Carbonell & Goldstein, The Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing Summaries (SIGIR
1998): each next result is the one with the greatest (1 - d) * value - d * (greatest similarity to a result before it).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.gateway.ranking.candidate import Candidate, vectors_of
from services.gateway.ranking.options import RankingOptions
from services.gateway.ranking.reranker import RankedSearch, Stage


class Diversity:
    """Puts products that are unlike the ones before them first, as far as a request wants it."""

    def applies(self, options: RankingOptions, _: tuple[str, ...]) -> bool:
        """Return whether the request wants it."""
        return options.diversity > 0

    async def stage(self, search: RankedSearch) -> Stage | None:
        """Return the order by maximal marginal relevance."""
        diversity = search.options.diversity
        return Stage(arrange=lambda candidates: diverse(candidates, diversity), vectors=True)


def diverse(candidates: Sequence[Candidate], diversity: float) -> list[Candidate]:
    """Return candidates in the order of maximal marginal relevance; the first one stays the first.

    Args:
        candidates: with vectors; one without a vector resembles none.
        diversity: 0, the order of the values, to 1, as different as possible.
    """
    if not candidates:
        return []
    values = np.array([candidate.value for candidate in candidates])
    order = marginal_order(values, vectors_of(candidates), diversity)
    return [candidates[old] if old == new else candidates[old].placed("diversity") for new, old in enumerate(order)]


def marginal_order(values: NDArray[np.float64], vectors: NDArray[np.float32], diversity: float) -> list[int]:
    """Return the positions of items in the order of maximal marginal relevance, those of equal merit in their order.

    Args:
        values: shape (n,), in units of cosine similarity.
        vectors: shape (n, dimension), unit length, or zero for an item that resembles none.
        diversity: 0 to 1.
    """
    similarities = vectors @ vectors.T
    greatest = np.full(len(values), -1.0)  # similarity to an item that has been chosen
    is_free = np.ones(len(values), np.bool_)
    order: list[int] = []
    for _ in range(len(values)):
        merit = (1 - diversity) * values - diversity * greatest if order else values
        chosen = int(np.where(is_free, merit, -np.inf).argmax())
        is_free[chosen] = False
        order.append(chosen)
        greatest = np.maximum(greatest, similarities[chosen])
    return order
