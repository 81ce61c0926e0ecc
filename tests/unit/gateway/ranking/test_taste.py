"""The taste of the visitor, in searches of the gateway."""

import asyncio
import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest

from services.catalogue.taste.profile import TasteWeights
from services.contracts.domain.errors import CatalogueUnavailable
from services.contracts.wire.embedding import EmbeddingResponse
from services.contracts.wire.index import Hit, IndexQuery
from services.gateway.ranking.options import RankingOptions
from services.gateway.ranking.ranking import RankedPage, Ranking, ranked_page
from services.gateway.ranking.reranker import RankedSearch
from services.gateway.ranking.taste import Taste
from services.gateway.ranking.taste_cache import TasteCache, TasteSource, TasteTimes
from tests.support.fakes.gateway_fakes import Gateway, running_gateway
from tests.support.fakes.ranking import ListedIndex, hit
from tests.support.values.tastes import EAST, MODEL, NORTH, VisitorLog, done

TIMES = TasteTimes(deadline_s=30, kept_s=0)
EAST_TEXT, NORTH_TEXT = (base64.b64encode(vector.tobytes()).decode() for vector in (EAST, NORTH))
HITS = [hit("e1", 0.92, vector=EAST_TEXT), hit("n1", 0.91, vector=NORTH_TEXT), hit("e2", 0.9, vector=EAST_TEXT)]
LIKES_NORTH = VisitorLog([done("purchase", "v-1", "n9"), done("purchase", "v-2", "e9")])


def taste(log: VisitorLog) -> Taste:
    return Taste(TasteCache({"default": TasteSource(log, log)}, TIMES, 10), TasteWeights(0.3, 0.1))


def page(log: VisitorLog, hits: list[Hit] = HITS, **options: Any) -> RankedPage:
    """Return a search's page, put in order by the visitor's taste alone."""
    wanted = RankingOptions(**options)
    search = RankedSearch(("default",), 0, frozenset(), MODEL, EAST, None, wanted, "Topwear")

    async def run() -> RankedPage:
        ranking = Ranking([taste(log)])
        stages = await ranking.stages(search) if ranking.applies(wanted, search.catalogues) else []
        return await ranked_page(IndexQuery(k=10), ListedIndex(hits).ask, stages)

    return asyncio.run(run())


def ids(page: RankedPage) -> list[str]:
    return [hit.id for hit in page.response.hits]


def test_products_that_the_visitor_likes_rank_higher_and_say_why() -> None:
    result = page(LIKES_NORTH, visitor="v-1")
    assert ids(result) == ["n1", "e1", "e2"]
    moves = result.moved(result.response.hits[0])
    assert moves is not None
    assert [move.reason for move in moves] == ["taste"]
    assert moves[0].by is not None
    assert moves[0].by > 0
    assert result.personal is not None
    assert result.personal.applied


def test_scores_stay_the_similarity_to_the_query() -> None:
    scores = {hit.id: hit.score for hit in page(LIKES_NORTH, visitor="v-1").response.hits}
    assert scores == {hit.id: hit.score for hit in HITS}


def test_another_visitor_has_another_order() -> None:
    assert ids(page(LIKES_NORTH, visitor="v-2")) == ["e1", "e2", "n1"]


@pytest.mark.parametrize("options", [{}, {"visitor": "v-1", "personal": False}])
def test_without_a_visitor_or_declined_a_search_is_as_before(options: dict[str, Any]) -> None:
    log = VisitorLog([done("purchase", "v-1", "n9")])
    result = page(log, **options)
    assert result == asyncio.run(ranked_page(IndexQuery(k=10), ListedIndex(HITS).ask))
    assert (result.personal, log.readings) == (None, [])


def test_a_hidden_product_is_left_out() -> None:
    log = VisitorLog([done("hide", "v-1", "e1"), done("hide", "v-1", "gone")])
    assert ids(page(log, visitor="v-1")) == ["n1", "e2"]


def test_for_a_visitor_without_events_the_order_is_the_plain_one_and_the_response_says_so() -> None:
    result = page(VisitorLog(), visitor="v-3")
    assert ids(result) == ["e1", "n1", "e2"]
    assert result.personal is not None
    assert (result.personal.applied, result.personal.reason) == (False, "no_events")


@contextmanager
def personal_gateway(log: VisitorLog) -> Iterator[Gateway]:
    with running_gateway(rerankers=[taste(log)]) as gateway:
        yield gateway


def similar(gateway: Gateway, query: str) -> dict[str, Any]:
    response = gateway.client.get(f"/v1/products/t1/similar{query}", headers={"X-Request-ID": "same"})
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    del document["timings_ms"]
    return document


def test_while_the_database_is_unavailable_a_search_answers_and_says_that_it_is_not_personal() -> None:
    log = VisitorLog(trouble=CatalogueUnavailable("the database does not answer"))
    with personal_gateway(log) as gateway:
        plain = similar(gateway, "")
        document = similar(gateway, "?visitor=v-1")
    assert document.pop("personal") == {"applied": False, "reason": "unavailable"}
    assert document == plain


def test_the_events_of_a_visitor_change_no_byte_of_the_results_of_another() -> None:
    log = VisitorLog([done("purchase", "v-2", "t2")])
    with personal_gateway(log) as gateway:
        before = [orjson.dumps(similar(gateway, query)) for query in ("?visitor=v-2", "?visitor=v-3", "")]
        log.rows += [done("purchase", "v-1", "n9"), done("hide", "v-1", "t2")]
        assert similar(gateway, "?visitor=v-1")["results"] == []
        after = [orjson.dumps(similar(gateway, query)) for query in ("?visitor=v-2", "?visitor=v-3", "")]
    assert before == after


def test_a_search_by_photo_is_personal_too() -> None:
    with personal_gateway(VisitorLog([done("hide", "v-1", "t2")])) as gateway:
        body = {"content": b"\x00", "headers": {"Content-Type": "image/jpeg"}}
        plain, own = (gateway.client.post(path, **body).json() for path in ("/v1/search", "/v1/search?visitor=v-1"))
    assert [result["id"] for result in plain["results"]] == ["t1", "t2"]
    assert [result["id"] for result in own["results"]] == ["t1"]
    assert (own["personal"]["applied"], "personal" in plain) == (True, False)


def test_a_search_by_photo_has_begun_to_read_the_taste_when_it_calls_the_network() -> None:
    log, readings = VisitorLog(), list[list[str]]()
    with personal_gateway(log) as gateway:
        embed = gateway.embedding.embed

        async def late(*given: Any, **named: Any) -> EmbeddingResponse:
            for _ in range(3):  # tasks that have been created begin
                await asyncio.sleep(0)
            readings.append(list(log.readings))
            return await embed(*given, **named)

        gateway.embedding.embed = late  # type: ignore[method-assign]
        response = gateway.client.post(
            "/v1/search?visitor=v-1", content=b"\x00", headers={"Content-Type": "image/jpeg"}
        )
    assert response.status_code == 200, response.text
    assert readings == [["v-1"]]


@pytest.mark.parametrize("value", ["maybe", "2"])
def test_personal_is_true_or_false(value: str) -> None:
    with personal_gateway(VisitorLog()) as gateway:
        status, slug, _ = gateway.problem("GET", f"/v1/products/t1/similar?personal={value}")
    assert (status, slug) == (422, "invalid-request")


def test_a_search_begins_to_read_the_taste_while_the_photo_goes_through_the_network() -> None:
    log = VisitorLog([done("purchase", "v-1", "n9")], gate=asyncio.Event())

    async def run() -> RankedPage:
        assert log.gate is not None
        ranking, options = Ranking([taste(log)]), RankingOptions(visitor="v-1")
        for declined in (RankingOptions(), RankingOptions(visitor="v-1", personal=False)):
            ranking.prepare(declined, ("default",), MODEL)
        ranking.prepare(options, ("default",), MODEL)
        await log.was_asked.wait()
        log.gate.set()
        search = RankedSearch(("default",), 0, frozenset(), MODEL, EAST, None, options, "Topwear")
        return await ranked_page(IndexQuery(k=10), ListedIndex(HITS).ask, await ranking.stages(search))

    assert ids(asyncio.run(run())) == ["n1", "e1", "e2"]
    assert log.readings == ["v-1"]
