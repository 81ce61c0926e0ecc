"""The learned order as the gateway applies it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson
import pytest

from services.catalogue.learning.learned_order import LearnedOrder
from services.contracts.wire.index import Hit, IndexQuery
from services.gateway.ranking.candidate import Candidate
from services.gateway.ranking.learned import Learned, arranged
from services.gateway.ranking.options import RankingOptions
from services.gateway.ranking.order_book import ActiveOrder, OrderBook
from services.gateway.ranking.ranking import RankedPage, Ranking, ranked_page
from services.gateway.ranking.reranker import RankedSearch
from tests.support.fakes.gateway_fakes import running_gateway
from tests.support.fakes.ranking import ListedIndex, hit
from tests.support.values.learning import DAY, order_by

CLICKED = order_by("click_rate", clicked="p7")  # p7 is clicked whenever it is shown


def hits(count: int = 30) -> list[Hit]:
    """Return hits p0, p1, …, best first, 0.01 apart."""
    return [hit(f"p{number}", round(0.9 - number / 100, 4)) for number in range(count)]


def candidates(hits: Sequence[Hit]) -> list[Candidate]:
    return [Candidate(hit, place, hit.score) for place, hit in enumerate(hits)]


def book(order: LearnedOrder | None) -> OrderBook:
    """Return a book in which an order is active."""

    class Source:
        async def note(self) -> Any:
            return type("Note", (), {"active": None if order is None else "4"})

        async def data(self, _: str) -> bytes | None:
            return None if order is None else order.to_bytes()

    result = OrderBook()
    asyncio.run(result.read({"default": Source()}))
    return result


def ranked_search(catalogue: str) -> RankedSearch:
    """Return a search in the category Topwear."""
    names, vector = frozenset(("0", "topwear")), np.ones(4, np.float32)
    return RankedSearch((catalogue,), 0, names, "fashion/1", vector, None, RankingOptions(), "Topwear")


def page(reranker: Learned, **query: Any) -> RankedPage:
    search = ranked_search("default")

    async def run() -> RankedPage:
        return await ranked_page(IndexQuery(**query), ListedIndex(hits()).ask, await Ranking([reranker]).stages(search))

    return asyncio.run(run())


def test_a_clicked_product_rises_as_far_as_the_bound_allows() -> None:
    order = [candidate.hit.id for candidate in arranged(candidates(hits(10)), CLICKED, "Topwear", DAY, bound=0.035)]
    assert order == ["p0", "p1", "p2", "p3", "p7", "p4", "p5", "p6", "p8", "p9"]


@pytest.mark.parametrize("bound", [0.0, 0.02, 0.05, 2.0])
def test_no_value_moves_by_more_than_the_bound_and_the_values_fall(bound: float) -> None:
    order = arranged(candidates(hits()), CLICKED, "Topwear", DAY, bound)
    values = [candidate.value for candidate in order]
    assert values == sorted(values, reverse=True) == [hit.score for hit in hits()]
    assert max(abs(candidate.value - candidate.hit.score) for candidate in order) <= bound + 1e-9


def test_results_say_that_the_learned_order_moved_them() -> None:
    result = page(Learned(book(CLICKED), 0.05), k=5)
    assert [hit.id for hit in result.response.hits] == ["p0", "p1", "p7", "p2", "p3"]
    moves = {hit.id: result.moved(hit) for hit in result.response.hits}
    assert moves["p0"] is moves["p1"] is None
    assert [move.reason for move in moves["p7"] or ()] == ["learned"]
    assert [move.by for move in moves["p7"] or ()] == pytest.approx([0.05])


def test_pages_are_parts_of_one_order() -> None:
    reranker = Learned(book(CLICKED), 0.05)
    whole = [hit.id for hit in page(reranker, k=30).response.hits]
    parts = [hit.id for offset in (0, 10, 20) for hit in page(reranker, k=10, offset=offset).response.hits]
    assert parts == whole
    assert sorted(whole) == sorted(hit.id for hit in hits())


def test_with_nothing_promoted_it_applies_to_no_search() -> None:
    reranker = Learned(book(None), 0.05)
    assert not reranker.applies(RankingOptions(), ("default",))
    assert page(reranker, k=5) == page_without(k=5)


def test_through_several_catalogues_the_results_of_one_with_an_order_exchange_places_among_themselves() -> None:
    reranker = Learned(book(CLICKED), 0.05)
    assert reranker.applies(RankingOptions(), ("default",))
    assert not reranker.applies(RankingOptions(), ("shoes",))
    assert reranker.applies(RankingOptions(), ("default", "shoes"))
    own = hits(10)
    others = [hit.model_copy(update={"id": f"s{at}", "catalogue": "shoes"}) for at, hit in enumerate(own)]
    mixed = sorted([*own, *others], key=lambda each: (-each.score, each.id))
    stage = asyncio.run(reranker.stage(replace(ranked_search("default"), catalogues=("default", "shoes"))))
    assert stage is not None
    assert stage.arrange is not None
    order = stage.arrange(candidates(mixed))
    alone = arranged(candidates(own), CLICKED, "Topwear", datetime.now(UTC).toordinal(), 0.05)
    assert [each.hit.id for each in order if each.hit.catalogue == "default"] == [each.hit.id for each in alone]
    assert [each.hit.id for each in order if each.hit.catalogue == "shoes"] == [each.id for each in others]
    assert [each.hit.catalogue for each in order] == [each.catalogue for each in mixed]
    assert [each.value for each in order] == [each.score for each in mixed]


def test_a_rollback_between_the_two_questions_leaves_the_plain_order() -> None:
    orders = book(CLICKED)
    search = ranked_search("shoes")
    assert asyncio.run(Learned(orders, 0.05).stage(search)) is None


def page_without(**query: Any) -> RankedPage:
    return asyncio.run(ranked_page(IndexQuery(**query), ListedIndex(hits()).ask))


def test_with_nothing_promoted_a_response_is_the_same_byte_for_byte() -> None:
    bodies, searches = [], []
    for rerankers in ([], [Learned(OrderBook(), 0.05)]):
        with running_gateway(rerankers=rerankers) as gateway:
            document = gateway.client.get("/v1/products/t1/similar", headers={"X-Request-ID": "same"}).json()
            del document["timings_ms"]
            bodies.append(orjson.dumps(document))
            searches.append(gateway.index.searches)
    assert bodies[0] == bodies[1]
    assert searches[0] == searches[1]


def test_an_active_order_changes_the_results_of_a_search() -> None:
    rerankers = [Learned(book(order_by("click_rate", clicked="t2")), 2.0)]
    with running_gateway(rerankers=rerankers) as gateway:
        results = gateway.client.post("/v1/search", content=b"\x00", headers={"Content-Type": "image/jpeg"}).json()
        assert [result["id"] for result in results["results"]] == ["t2", "t1"]
        assert results["results"][0]["moved"][0]["reason"] == "learned"


def test_an_order_is_named_by_its_version() -> None:
    active = book(CLICKED).of(("default",))["default"]
    assert isinstance(active, ActiveOrder)
    assert active.version == "4"
