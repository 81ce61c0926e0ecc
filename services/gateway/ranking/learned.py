"""The order that is learned from clicks."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from services.catalogue.learning.learned_order import LearnedOrder
from services.gateway.ranking.candidate import Candidate
from services.gateway.ranking.options import RankingOptions
from services.gateway.ranking.order_book import OrderBook
from services.gateway.ranking.reranker import RankedSearch, Stage


class Learned:
    """Puts the window in the promoted learned order, within the bound on how far similarity may be overruled.

    Clicks are of a catalogue. In a search through several, the results of a catalogue with an order exchange places
    among themselves; those of the others stay where they are.
    """

    def __init__(self, book: OrderBook, bound: float) -> None:
        """Take the orders.

        Args:
            book: the learned orders.
            bound: a result passes another one only if its score is at most this much lower.
        """
        self._book = book
        self._bound = bound

    def applies(self, options: RankingOptions, catalogues: tuple[str, ...]) -> bool:
        """Return whether an order of one of the catalogues has been promoted."""
        return bool(self._book.of(catalogues))

    async def stage(self, search: RankedSearch) -> Stage | None:
        """Return the learned orders of the search's category."""
        active, day = self._book.of(search.catalogues), datetime.now(UTC).toordinal()
        if not active:  # rolled back in the meantime
            return None

        def arrange(candidates: Sequence[Candidate]) -> list[Candidate]:
            result = list(candidates)
            for catalogue, order in active.items():
                places = [place for place, candidate in enumerate(result) if candidate.hit.catalogue == catalogue]
                own = [result[place] for place in places]
                ordered = arranged(own, order.order, search.category_name, day, self._bound)
                for place, candidate in zip(places, ordered, strict=True):
                    result[place] = candidate
            return result

        return Stage(arrange=arrange, order="learned")


def arranged(
    candidates: Sequence[Candidate], order: LearnedOrder, category: str, day: int, bound: float
) -> list[Candidate]:
    """Return candidates in the learned order.

    The result at each rank takes the value that stood there, so later stages add to numbers in units of score. No
    value moves by more than `bound`.
    """
    values = sorted((candidate.value for candidate in candidates), reverse=True)
    places = order.order([candidate.hit for candidate in candidates], category, day, bound)
    return [
        _at(rank, candidates[place], place, value)
        for rank, (place, value) in enumerate(zip(places, values, strict=True))
    ]


def _at(rank: int, candidate: Candidate, place: int, value: float) -> Candidate:
    """Return a candidate with the value of its rank; `place` is where it stood."""
    if value != candidate.value:
        return replace(candidate.adjusted("learned", value - candidate.value), value=value)
    return candidate if rank == place else candidate.placed("learned")
