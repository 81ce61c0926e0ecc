"""Responses to searches by product are kept as long as nothing that they depend on changes, and within a bound."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from services.contracts.domain.errors import UnknownProduct
from services.gateway.ranking.options import RankingOptions
from services.gateway.search.kept_responses import OWN_BYTES, PARTS, KeptResponse, KeptResponses
from services.gateway.search.similar_page import SimilarPage
from tests.support.fakes.gateway_fakes import Gateway, running_gateway
from tests.support.fakes.ranking import FixedReranker

KEY = "a key of the shop"
PATH = "/v1/products/t1/similar"
RESPONSE = KeptResponse(("a.1",), b"{}", 10, 0, RankingOptions(), "ok", "Topwear", "fashion/1", None)


class Nodes:
    """The revisions of index nodes."""

    def __init__(self) -> None:
        self.revisions: tuple[str, ...] | None = ("a.1",)

    def are(self, revisions: tuple[str, ...]) -> bool:
        return revisions == self.revisions


@pytest.fixture
def nodes() -> Nodes:
    return Nodes()


def response(text: bytes = b"{}", revisions: tuple[str, ...] = ("a.1",)) -> KeptResponse:
    return replace(RESPONSE, text=text, revisions=revisions)


def test_a_response_is_kept_by_its_whole_key(nodes: Nodes) -> None:
    kept = KeptResponses(1_000_000, nodes.are)
    kept.keep(("1", "k=5"), response(b"five"))
    kept.keep(("1", ""), response(b"ten"))
    found = [kept.get(key) for key in (("1", "k=5"), ("1", ""), ("2", ""), ("1",))]
    assert [each and each.text for each in found] == [b"five", b"ten", None, None]


@pytest.mark.parametrize("revisions", [("a.2",), ("a.1", "b.1"), None])
def test_a_response_is_forgotten_when_the_index_has_changed(nodes: Nodes, revisions: tuple[str, ...] | None) -> None:
    kept = KeptResponses(1_000_000, nodes.are)
    kept.keep(("1",), response())
    nodes.revisions = revisions
    assert kept.get(("1",)) is None
    assert (len(kept), kept.bytes) == (0, 0)
    nodes.revisions = ("a.1",)
    assert kept.get(("1",)) is None


def test_a_response_that_is_old_already_is_not_kept(nodes: Nodes) -> None:
    kept = KeptResponses(1_000_000, nodes.are)
    kept.keep(("1",), response(revisions=("a.0",)))
    assert len(kept) == 0


def test_the_responses_that_were_least_used_make_room(nodes: Nodes) -> None:
    size = 10_000
    kept = KeptResponses(PARTS * size, nodes.are)
    each = response(bytes(size - OWN_BYTES - 2))
    for number in range(PARTS):
        kept.keep((f"{number:02d}",), each)
    assert (len(kept), kept.bytes) == (PARTS, PARTS * size)
    assert kept.get(("00",))
    kept.keep(("ne",), each)
    assert (len(kept), kept.bytes) == (PARTS, PARTS * size)
    assert [kept.get((key,)) is not None for key in ("00", "01", "02", "ne")] == [True, False, True, True]


def test_a_response_takes_the_place_of_an_older_one_and_large_ones_are_not_kept(nodes: Nodes) -> None:
    kept = KeptResponses(PARTS * 5000, nodes.are)
    kept.keep(("1",), response(b"old"))
    kept.keep(("1",), response(b"newer"))
    assert (len(kept), kept.bytes) == (1, 5 + OWN_BYTES + 1)
    kept.keep(("1",), response(bytes(5000)))
    kept.keep(("2",), response(bytes(5000)))
    found = kept.get(("1",))
    assert found is not None
    assert (found.text, kept.get(("2",))) == (b"newer", None)


def test_without_room_nothing_is_kept() -> None:
    kept = KeptResponses()
    kept.keep(("1",), RESPONSE)
    assert kept.get(("1",)) is None


def test_a_page_has_the_fields_of_its_own_request_last() -> None:
    page = SimilarPage.of(b'{"outcome":"ok","model":"fashion/1"}', "ok", "Topwear", {"total": 0.5})
    assert page.text == b'{"outcome":"ok","model":"fashion/1","request_id":null,"timings_ms":{"total":0.5}}'


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running_gateway(kept_responses_bytes=1_000_000, events_enabled=True) as gateway:
        yield with_revision(gateway)


def with_revision(gateway: Gateway, revision: str | None = "a.1") -> Gateway:
    """Let the gateway know the revision of its index."""
    gateway.client.app_state["gateway"]["default"].index.nodes[0].revision = revision
    return gateway


def asked(gateway: Gateway, path: str = PATH, **headers: str) -> tuple[dict[str, Any], bool]:
    """Return a response without the fields of its own request, and whether the index was asked for it."""
    before = gateway.index.searches
    response = gateway.client.get(path, headers=headers)
    assert response.status_code == 200, response.text
    document = response.json()
    assert document.pop("request_id") == response.headers["x-request-id"]
    timings = document.pop("timings_ms")
    is_asked = gateway.index.searches > before
    assert set(timings) == ({"index", "total"} if is_asked else {"total"})
    return document, is_asked


def test_the_same_request_is_answered_without_the_index(gateway: Gateway) -> None:
    first, again = asked(gateway), asked(gateway)
    assert (first, again[1]) == ((again[0], True), False)
    assert list(json.loads(gateway.client.get(PATH).text))[-2:] == ["request_id", "timings_ms"]


def test_a_change_of_the_index_shows(gateway: Gateway) -> None:
    asked(gateway)
    gateway.index.held[0].append("t3")
    with_revision(gateway, "a.3")
    document, is_asked = asked(gateway)
    assert is_asked
    assert [result["id"] for result in document["results"]] == ["t2", "t3"]
    assert asked(gateway) == (document, False)


def test_a_change_during_the_search_keeps_its_response_from_being_kept(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    similar = gateway.index.similar

    async def change_meanwhile(query: Any) -> Any:
        with_revision(gateway, "a.2")
        return await similar(query)

    monkeypatch.setattr(gateway.index, "similar", change_meanwhile)
    assert asked(gateway)[1]
    monkeypatch.undo()
    assert asked(gateway)[1]
    assert not asked(gateway)[1]


def test_as_long_as_the_revision_is_not_known_the_index_is_asked(gateway: Gateway) -> None:
    with_revision(gateway, None)
    assert [asked(gateway)[1] for _ in range(3)] == [True] * 3


@pytest.mark.parametrize(
    "other", [f"{PATH}?k=5", f"{PATH}?k=10", f"{PATH}?facets=true", "/v1/products/t2/similar", f"{PATH}?offset=1"]
)
def test_another_request_is_another_response(gateway: Gateway, other: str) -> None:
    asked(gateway)
    assert asked(gateway, other)[1]
    assert not asked(gateway, other)[1]
    assert not asked(gateway)[1]


def test_all_catalogues_are_another_search_than_one(gateway: Gateway) -> None:
    assert asked(gateway)[1]
    assert not asked(gateway, "/catalogues/default" + PATH)[1]


def test_a_picture_has_the_address_under_which_the_request_came(gateway: Gateway) -> None:
    gateway.index.image_url = "/v1/products/t2/image"
    proxied = {"x-forwarded-prefix": "/shop"}
    with running_gateway(kept_responses_bytes=1_000_000, trusted_proxies=("*",)) as behind:
        behind.index.image_url = gateway.index.image_url
        with_revision(behind)
        addresses = [
            asked(behind, PATH, **headers)[0]["results"][0]["image_url"] for headers in ({}, proxied, {}, proxied)
        ]
    assert addresses == ["/v1/products/t2/image", "/shop/v1/products/t2/image"] * 2


@pytest.mark.parametrize("query", ["absolute_urls=true", "diversity=0.5"])
def test_what_depends_on_more_than_the_index_is_not_kept(gateway: Gateway, query: str) -> None:
    assert [asked(gateway, f"{PATH}?{query}")[1] for _ in range(2)] == [True] * 2


def test_a_re_ranker_that_comes_to_apply_is_not_passed_by() -> None:
    reranker = FixedReranker(None)
    with running_gateway(rerankers=[reranker], kept_responses_bytes=1_000_000) as gateway:
        with_revision(gateway)
        reranker.applies = lambda *_: False  # type: ignore[method-assign]
        assert [asked(gateway)[1] for _ in range(2)] == [True, False]
        reranker.applies = lambda *_: True  # type: ignore[method-assign]
        assert [asked(gateway)[1] for _ in range(2)] == [True] * 2
        reranker.applies = lambda *_: False  # type: ignore[method-assign]
        assert not asked(gateway)[1]


def test_nobody_else_gets_the_response_to_rules_of_the_shop() -> None:
    """Rules that hide nothing would show a shopper what the stored ones hide."""
    keys = {"Authorization": f"Bearer {KEY}"}
    with running_gateway(admin_key=KEY, kept_responses_bytes=1_000_000) as gateway:
        with_revision(gateway)
        for rules in ("{}", '{"rules":[]}'):
            allowed = gateway.client.get(PATH, params={"rules": rules}, headers=keys)
            refused = gateway.client.get(PATH, params={"rules": rules})
            assert (allowed.status_code, refused.status_code) == (200, 403)


def test_an_error_is_not_kept(gateway: Gateway) -> None:
    gateway.index.trouble_of_similar = UnknownProduct("there is no product 't1' in the index")
    assert gateway.client.get(PATH).status_code == 404
    gateway.index.trouble_of_similar = None
    assert asked(gateway)[1]


def test_each_request_is_a_search_in_the_log_and_in_the_metrics(gateway: Gateway) -> None:
    responses = [gateway.client.get(f"{PATH}?visitor=v1&personal=false").json() for _ in range(3)]
    log = gateway.client.app_state["gateway"]["default"].search._queries
    rows = list(log._waiting)
    assert [row.query_id for row in rows] == [response["request_id"] for response in responses]
    assert len({row.id for row in rows}) == 3
    same = {replace(row, id="", query_id="", timestamp=rows[0].timestamp) for row in rows}
    assert len(same) == 1
    assert (rows[0].client_id, rows[0].query_attributes.product) == ("v1", "t1")
    text = gateway.client.get("/metrics").text
    assert 'lookalike_searches_total{category="Topwear",kind="product",outcome="ok"} 3.0' in text
    assert 'lookalike_search_stage_duration_seconds_count{kind="product",stage="index"} 1.0' in text
    assert 'lookalike_search_stage_duration_seconds_count{kind="product",stage="total"} 3.0' in text
    assert 'lookalike_ordered_searches_total{order="plain"} 3.0' in text
    assert 'lookalike_cache_hits_total{cache="responses"} 2.0' in text
    assert 'lookalike_cache_entries{cache="responses"} 1.0' in text


def test_a_kept_response_needs_the_key_and_the_quota_like_any_other() -> None:
    with running_gateway(access="open", client_quota="2/minute", kept_responses_bytes=1_000_000) as gateway:
        with_revision(gateway)
        statuses = [gateway.client.get(PATH).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
