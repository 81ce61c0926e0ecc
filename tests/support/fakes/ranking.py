"""An index in a list, and re-rankers, for tests of the order of results."""

from collections.abc import Callable, Sequence
from typing import Any

from services.contracts.domain.filtering.filter_match import matches
from services.contracts.domain.grouping import first_of_each
from services.contracts.wire.index import Hit, IndexQuery, IndexResponse, attributes_of
from services.gateway.ranking.candidate import Candidate
from services.gateway.ranking.reranker import RankedSearch, Stage


def hit(id: str, score: float, **fields: Any) -> Hit:
    """Return a hit of the default catalogue in category 0."""
    return Hit(id=id, score=score, category=0, catalogue="default", **fields)


class ListedIndex:
    """Answers as an index with these products in one category; each product's hit has its score."""

    def __init__(self, hits: Sequence[Hit]) -> None:
        self.hits = sorted(hits, key=lambda hit: (-hit.score, hit.id))
        self.queries: list[IndexQuery] = []

    async def ask(self, query: IndexQuery) -> IndexResponse:
        self.queries.append(query)
        pinned = {hit.id: hit for hit in self.hits if hit.id in query.pinned}
        wanted = query.filter.leaving_out(query.hide)
        nearest = [
            hit
            for hit in self.hits
            if hit.id not in query.exclude
            and matches(wanted, attributes_of(hit))
            and (query.min_score is None or hit.score >= query.min_score)
        ]
        if query.group_by is not None:
            nearest = first_of_each(nearest, query.group_by, attributes_of)
        return IndexResponse(
            category=0,
            hits=nearest[query.offset : query.end],
            pinned=[pinned[id] for id in query.pinned if id in pinned],
            best_score=nearest[0].score if nearest else None,
            best_similarity=nearest[0].similarity if nearest else None,
            next_page=query.following() if len(nearest) > query.end else None,
            model="fashion/1",
            active="fashion/1",
            timings_ms={},
        )


class FixedReranker:
    """Does the same with every search, and keeps the searches."""

    def __init__(self, stage: Stage | None, *, applies: bool = True) -> None:
        self.searches: list[RankedSearch] = []
        self._stage = stage
        self._applies = applies

    def applies(self, *_: object) -> bool:
        return self._applies

    async def stage(self, search: RankedSearch) -> Stage | None:
        self.searches.append(search)
        return self._stage


def arranging(change: Callable[[list[Candidate]], list[Candidate]], **fields: Any) -> Stage:
    """Return a stage that changes the order."""
    return Stage(arrange=lambda candidates: change(list(candidates)), **fields)
