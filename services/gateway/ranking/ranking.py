"""The order of a page's results: the index's, changed by re-rankers within a window of the nearest products.

The window's products are put in order together, for every page; after them the index's order follows. Pages therefore
neither overlap nor leave out a product. Without a re-ranker that applies, the index returns the page as it is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from services.contracts.domain.filtering.filter_match import matches
from services.contracts.domain.filtering.filters import any_of
from services.contracts.domain.grouping import first_of_each
from services.contracts.wire.index import MAX_K, Hit, IndexQuery, IndexResponse, IndexSimilar, attributes_of
from services.gateway.ranking.candidate import Candidate, Move
from services.gateway.ranking.options import RankingOptions
from services.gateway.ranking.personal import Personal
from services.gateway.ranking.reranker import Order, Preparing, RankedSearch, Reranker, Stage

WINDOW = MAX_K  # products whose order may change: as many as one search of the index returns
Q = TypeVar("Q", bound=IndexQuery)
Key = tuple[str, str]  # catalogue and id


@dataclass(frozen=True)
class RankedPage:
    """A page of results.

    Attributes:
        response: the index's, with the hits and the next page of the order.
        moves: why hits are not at their places in the plain order, by catalogue and id.
        personal: whether the visitor's taste had a part in the order; None: the search is not about a visitor.
        order: the kind of order; a personal one may also be learned.
    """

    response: IndexResponse
    moves: Mapping[Key, tuple[Move, ...]] = field(default_factory=dict)
    personal: Personal | None = None
    order: Order = "plain"

    def moved(self, hit: Hit, *, with_rules: bool = False) -> list[Move] | None:
        """Return why a hit is not at its place in the plain order; None if nothing moved it.

        The ids of rules are the shop's own: shoppers do not see them.
        """
        moves = self.moves.get((hit.catalogue, hit.id))
        if moves is None:
            return None
        if with_rules:
            return list(moves)
        return [move if move.rule is None else move.model_copy(update={"rule": None}) for move in moves]


class Ranking:
    """The re-rankers of a gateway, in the order in which they work: docs/adr/0025 says why it is this one."""

    def __init__(self, rerankers: Sequence[Reranker] = ()) -> None:
        self._rerankers = tuple(rerankers)
        self._preparing = tuple(reranker for reranker in rerankers if isinstance(reranker, Preparing))

    def applies(self, options: RankingOptions, catalogues: tuple[str, ...]) -> bool:
        """Return whether any re-ranker may change a search."""
        return any(reranker.applies(options, catalogues) for reranker in self._rerankers)

    def prepare(self, options: RankingOptions, catalogues: tuple[str, ...], model: str) -> None:
        """Let re-rankers begin to read for a search whose query is not known yet."""
        for reranker in self._preparing:
            reranker.prepare(options, catalogues, model)

    async def stages(self, search: RankedSearch) -> list[Stage]:
        """Return what the re-rankers do with a search."""
        active = [reranker for reranker in self._rerankers if reranker.applies(search.options, search.catalogues)]
        if not active:
            return []
        stages = await asyncio.gather(*(reranker.stage(search) for reranker in active))
        return [stage for stage in stages if stage is not None]


async def ranked_page(
    query: Q, ask: Callable[[Q], Awaitable[IndexResponse]], stages: Sequence[Stage] = ()
) -> RankedPage:
    """Return the page that a query asks for, in the order of the stages.

    Args:
        query: to the index, with the page.
        ask: the index's search.
        stages: of the re-rankers; without any, the page is the index's.

    Raises: as `ask`.
    """
    excluded = [key for stage in stages for key in stage.exclude if key not in query.exclude]
    if excluded:
        query = query.model_copy(update={"exclude": [*query.exclude, *excluded]})
    hidden = [stage.hide for stage in stages if stage.hide is not None]
    if hidden:
        query = query.model_copy(update={"hide": any_of(hidden)})
    if any(stage.arrange is not None or stage.pinned for stage in stages):
        page = await _Window(query, ask, stages).page()
    else:
        page = RankedPage(await ask(query))
    personal = next((stage.personal for stage in stages if stage.personal is not None), None)
    orders = {stage.order for stage in stages}
    order: Order = "personal" if "personal" in orders else "learned" if "learned" in orders else "plain"
    return replace(page, personal=personal, order=order)


class _Window(Generic[Q]):
    """The window of one search, and the hits after it."""

    def __init__(self, query: Q, ask: Callable[[Q], Awaitable[IndexResponse]], stages: Sequence[Stage]) -> None:
        self._query = query
        self._ask = ask
        self._stages = stages
        self._pinned = {key: wanted for stage in stages for key, wanted in stage.pinned.items()}

    async def page(self) -> RankedPage:
        """Return the query's page."""
        query = self._query
        response = await self._ask(self._window())
        allowed = [hit for hit in response.pinned if self._is_allowed(hit)]
        chosen = [hit for hit in allowed if self._is_pinned(hit)]
        # The others are at their places in the plain order, which may be behind the window.
        plain = _plain([*response.hits, *(hit for hit in allowed if not self._is_pinned(hit))])
        nearest = self._of_other_groups(plain[: max(0, WINDOW - len(chosen))], chosen)
        order = self._arranged([*nearest, *chosen])
        hits = [candidate.hit for candidate in order[query.offset : query.end]]
        has_next = query.end < len(order)
        if not has_next and (response.next_page is not None or len(nearest) < len(plain)):
            # Behind the window, the plain order goes on after the last of the nearest. One hit shows a next page.
            start = max(query.offset, len(order))
            passed = min(len(plain), max(0, WINDOW - len(chosen))) - len(nearest)  # of groups that a pin stands for
            skipped = start - len(chosen) + passed
            behind = await self._ask(self._behind(skipped, max(1, query.end - start), chosen))
            hits += self._of_other_groups(behind.hits[: query.end - start], chosen)
            has_next = behind.next_page is not None or len(behind.hits) > query.end - start
        best = max([*nearest[:1], *chosen], key=lambda hit: hit.score, default=None)
        changes = {
            "hits": hits,
            "best_score": best and best.score,
            "best_similarity": best and best.similarity,
            "next_page": query.following() if has_next else None,
        }
        return RankedPage(response.model_copy(update=changes), _moves(order))

    def _window(self) -> Q:
        """Return the query for the nearest products."""
        vectors = any(stage.vectors for stage in self._stages)
        pinned = list(self._pinned)
        exclude = [*self._query.exclude, *pinned]
        changes = {"offset": 0, "k": WINDOW, "exclude": exclude, "pinned": pinned, "vectors": vectors}
        return self._query.model_copy(update=changes)

    def _behind(self, offset: int, k: int, chosen: Sequence[Hit]) -> Q:
        """Return the query for hits of the plain order without those that are chosen for the window."""
        exclude = [*self._query.exclude, *(hit.id for hit in chosen)]
        return self._query.model_copy(update={"offset": offset, "k": k, "exclude": exclude, "facets": False})

    def _is_allowed(self, hit: Hit) -> bool:
        """Return whether a pinned product may be a result at all."""
        query, attributes = self._query, attributes_of(hit)
        return (
            hit.id not in query.exclude
            and not (isinstance(query, IndexSimilar) and hit.id == query.id)
            and matches(query.filter, attributes)
            and not (query.hide is not None and matches(query.hide, attributes))
            and (query.min_score is None or hit.score >= query.min_score)
        )

    def _is_pinned(self, hit: Hit) -> bool:
        return matches(self._pinned[hit.id], attributes_of(hit))

    def _of_other_groups(self, hits: Sequence[Hit], chosen: Sequence[Hit]) -> list[Hit]:
        """Return hits without those of the groups that pinned products stand for, if results are grouped."""
        attribute = self._query.group_by
        if attribute is None or not chosen:
            return list(hits)
        return first_of_each([*chosen, *hits], attribute, attributes_of)[len(chosen) :]

    def _arranged(self, hits: Sequence[Hit]) -> list[Candidate]:
        order = [Candidate(hit, place, hit.score) for place, hit in enumerate(_plain(hits))]
        for stage in self._stages:
            if stage.arrange is not None:
                order = stage.arrange(order)
        return order


def _plain(hits: Sequence[Hit]) -> list[Hit]:
    """Return hits in the index's order."""
    return sorted(hits, key=lambda hit: (-hit.score, hit.id, hit.catalogue))


def _moves(order: Sequence[Candidate]) -> dict[Key, tuple[Move, ...]]:
    """Return why candidates are not at their places in the plain order. Others have only been displaced by them."""
    return {
        (candidate.hit.catalogue, candidate.hit.id): candidate.moves
        for place, candidate in enumerate(order)
        if candidate.moves and place != candidate.place
    }
