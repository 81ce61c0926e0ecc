"""The seam: what the index is asked, and that pages never overlap nor leave a product out."""

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from services.contracts.domain.filtering.filters import EVERYTHING
from services.contracts.wire.filter_json import parse_filter
from services.contracts.wire.index import Hit, IndexQuery, IndexSimilar
from services.gateway.ranking.candidate import Candidate, Move, by_value, vectors_of
from services.gateway.ranking.options import RankingOptions
from services.gateway.ranking.ranking import WINDOW, RankedPage, Ranking, ranked_page
from services.gateway.ranking.reranker import RankedSearch, Stage
from tests.support.fakes.ranking import FixedReranker, ListedIndex, arranging, hit

SEARCH = RankedSearch(
    ("default",), 0, frozenset(("topwear", "0")), "fashion/1", np.ones(4, np.float32), None, RankingOptions()
)


def numbered(count: int) -> list[Hit]:
    """Return hits `0000`, `0001`, … best first; even ones are red."""
    return [
        hit(f"{number:04}", 1 - number / 1000, attributes={"colour": ("red", "blue")[number % 2]})
        for number in range(count)
    ]


def page(index: ListedIndex, stages: Sequence[Stage], **query: Any) -> RankedPage:
    return asyncio.run(ranked_page(IndexQuery(**query), index.ask, stages))


def ids(page: RankedPage) -> list[str]:
    return [hit.id for hit in page.response.hits]


def all_pages(index: ListedIndex, stages: Sequence[Stage], k: int) -> list[str]:
    """Follow the pages from the first to the last."""
    following: dict[str, Any] | None = {"k": k}
    listed: list[str] = []
    while following is not None:
        result = page(index, stages, **following)
        listed += ids(result)
        next_page = result.response.next_page
        following = None if next_page is None else next_page.model_dump()
    return listed


def reversed_order(candidates: list[Candidate]) -> list[Candidate]:
    return candidates[::-1]


def test_without_a_stage_the_index_is_asked_for_the_page_alone() -> None:
    index = ListedIndex(numbered(30))
    query = IndexQuery(k=7, offset=5)
    result = asyncio.run(ranked_page(query, index.ask))
    assert index.queries == [query]
    assert not {"hide", "pinned", "vectors"} & query.model_dump().keys()
    assert result == RankedPage(asyncio.run(index.ask(query)))


def test_a_stage_that_only_hides_leaves_the_page_to_the_index() -> None:
    index = ListedIndex(numbered(30))
    result = page(index, [Stage(hide=parse_filter({"colour": "red"}))], k=3, offset=1)
    assert ids(result) == ["0003", "0005", "0007"]
    assert len(index.queries) == 1


def test_products_that_any_stage_hides_are_left_out() -> None:
    stages = [
        Stage(hide=parse_filter({"colour": "red"})),
        arranging(reversed_order, hide=parse_filter({"colour": "blue"})),
    ]
    result = page(ListedIndex(numbered(30)), stages)
    assert (ids(result), result.response.best_score, result.response.next_page) == ([], None, None)


@pytest.mark.parametrize("count", [0, 1, 9, 99, 100, 101, 130, 200, 201, 499, 500, 520])
@pytest.mark.parametrize("k", [10, 37, 100])
def test_pages_together_are_the_window_in_its_order_and_then_the_plain_order(count: int, k: int) -> None:
    hits = numbered(count)
    plain = [hit.id for hit in hits]
    expected = [*plain[:WINDOW][::-1], *plain[WINDOW:]][:500]
    assert all_pages(ListedIndex(hits), [arranging(reversed_order)], k) == expected


@pytest.mark.parametrize("count", [0, 5, 98, 99, 100, 101, 102, 103, 150, 300])
@pytest.mark.parametrize("k", [7, 50])
def test_pinned_products_are_on_one_page_only_wherever_they_come_from(count: int, k: int) -> None:
    hits = numbered(count)
    pins = ("0003", "0120", "0299", "unknown")

    def pinned_first(candidates: list[Candidate]) -> list[Candidate]:
        return sorted(candidates, key=lambda candidate: candidate.hit.id not in pins)

    plain = [hit.id for hit in hits]
    known = [id for id in plain if id in pins]
    expected = [*known, *(id for id in plain if id not in pins)]
    stage = arranging(pinned_first, pinned=dict.fromkeys(pins, EVERYTHING))
    assert all_pages(ListedIndex(hits), [stage], k) == expected


@pytest.mark.parametrize("count", [5, 98, 99, 100, 101, 102, 150, 300])
def test_a_product_that_does_not_meet_its_pin_is_at_its_plain_place(count: int) -> None:
    pins = {"0003": {"colour": "red"}, "0098": {"colour": "red"}, "0101": {"colour": "red"}, "0120": {"colour": "blue"}}
    stage = arranging(reversed_order, pinned={key: parse_filter(wanted) for key, wanted in pins.items()})
    plain = [hit.id for hit in numbered(count)]
    others = [id for id in plain if id != "0098"]
    pinned = [id for id in plain if id == "0098"]
    window = sorted([*others[: WINDOW - len(pinned)], *pinned])[::-1]
    assert all_pages(ListedIndex(numbered(count)), [stage], 30) == [*window, *others[WINDOW - len(pinned) :]]


def test_a_page_behind_the_window_is_not_searched_twice() -> None:
    index = ListedIndex(numbered(300))
    assert ids(page(index, [arranging(reversed_order)], k=10, offset=200)) == [f"{n:04}" for n in range(200, 210)]
    assert [(query.offset, query.k) for query in index.queries] == [(0, WINDOW), (200, 10)]


def test_facets_are_counted_once() -> None:
    index = ListedIndex(numbered(300))
    page(index, [arranging(reversed_order)], k=10, offset=95, facets=True)
    assert [query.facets for query in index.queries] == [True, False]


@pytest.mark.parametrize(
    "query",
    [
        {"filter": {"colour": "blue"}},
        {"hide": {"colour": "red"}},
        {"min_score": 0.999},
        {"exclude": ["0004"]},
    ],
)
def test_a_pinned_product_that_the_request_leaves_out_is_no_result(query: dict[str, Any]) -> None:
    stage = arranging(lambda candidates: candidates, pinned={"0004": EVERYTHING})
    assert "0004" not in ids(page(ListedIndex(numbered(30)), [stage], k=30, **query))


def test_a_pinned_product_is_no_result_of_the_search_by_itself() -> None:
    stage = arranging(lambda candidates: candidates, pinned={"0004": EVERYTHING})
    index = ListedIndex(numbered(30))
    result = asyncio.run(ranked_page(IndexSimilar(id="0004"), index.ask, [stage]))
    assert "0004" not in ids(result)


def test_the_outcome_is_that_of_the_nearest_product_whatever_the_order() -> None:
    result = page(ListedIndex(numbered(30)), [arranging(reversed_order)])
    assert (result.response.best_score, result.response.hits[0].id) == (1, "0029")
    pinned = arranging(reversed_order, pinned={"0000": EVERYTHING})
    assert page(ListedIndex(numbered(30)), [pinned]).response.best_score == 1


def test_a_result_says_what_moved_it_only_if_its_place_changed() -> None:
    def boost_blue(candidates: list[Candidate]) -> list[Candidate]:
        return by_value(
            candidate.adjusted("boost", 0.0015 if candidate.attributes["colour"] == "blue" else 0)
            for candidate in candidates
        )

    result = page(ListedIndex(numbered(4)), [arranging(boost_blue)])
    assert ids(result) == ["0001", "0000", "0003", "0002"]
    assert [result.moved(hit) for hit in result.response.hits] == [
        [Move(reason="boost", by=0.0015)],
        None,
        [Move(reason="boost", by=0.0015)],
        None,
    ]
    unmoved = page(ListedIndex(numbered(4)), [arranging(lambda all: [c.adjusted("boost", 1) for c in all])])
    assert [unmoved.moved(hit) for hit in unmoved.response.hits] == [None] * 4


def test_an_adjustment_of_nothing_is_none() -> None:
    candidate = Candidate(hit("a", 0.5), 0, 0.5)
    assert candidate.adjusted("boost", 0.0) is candidate


def test_equal_values_keep_their_order() -> None:
    candidates = [
        Candidate(hit(id, 0.5), place, value) for place, (id, value) in enumerate([("b", 1), ("a", 1), ("c", 2)])
    ]
    assert [candidate.hit.id for candidate in by_value(candidates)] == ["c", "b", "a"]


def test_stages_work_one_after_the_other() -> None:
    collected: list[list[str]] = []

    def watch(candidates: list[Candidate]) -> list[Candidate]:
        collected.append([candidate.hit.id for candidate in candidates])
        return candidates[::-1]

    page(ListedIndex(numbered(3)), [arranging(watch), arranging(watch)])
    assert collected == [["0000", "0001", "0002"], ["0002", "0001", "0000"]]


def test_vectors_are_requested_only_for_the_window_and_only_if_a_stage_needs_them() -> None:
    index = ListedIndex(numbered(300))
    page(index, [arranging(reversed_order)], k=10)
    page(index, [arranging(reversed_order), arranging(reversed_order, vectors=True)], k=10, offset=95)
    assert [query.vectors for query in index.queries] == [False, True, False]


def test_only_rerankers_that_apply_are_asked_for_a_stage() -> None:
    stage = arranging(reversed_order)
    idle, silent, active = FixedReranker(stage, applies=False), FixedReranker(None), FixedReranker(stage)
    ranking = Ranking([idle, silent, active])
    assert asyncio.run(ranking.stages(SEARCH)) == [stage]
    assert (idle.searches, silent.searches, active.searches) == ([], [SEARCH], [SEARCH])
    assert ranking.applies(RankingOptions(), ("default",))
    assert not Ranking([idle]).applies(RankingOptions(), ("default",))
    assert not Ranking().applies(RankingOptions(), ("default",))


def test_a_pinned_product_stands_for_its_group() -> None:
    styles = [hit(f"{number:04}", 1 - number / 1000, group=f"G{number % 150}") for number in range(300)]
    stage = arranging(
        lambda candidates: sorted(candidates, key=lambda candidate: candidate.hit.id != "0205"),
        pinned={"0205": EVERYTHING},
    )
    listed: list[str] = []
    following: dict[str, Any] | None = {"k": 40}
    while following is not None:
        result = page(ListedIndex(styles), [stage], **following, group_by="group")
        listed += ids(result)
        next_page = result.response.next_page
        following = None if next_page is None else next_page.model_dump()
    assert listed == ["0205", *(f"{number:04}" for number in range(150) if number != 55)]


@pytest.mark.parametrize("pinned", [1, 99, 100])
@pytest.mark.parametrize("k", [30, 100])
def test_as_many_products_may_be_pinned_as_the_window_has_places(pinned: int, k: int) -> None:
    plain = [f"{number:04}" for number in range(250)]
    pins = plain[1 : 2 * pinned : 2]
    stage = arranging(
        lambda candidates: sorted(candidates, key=lambda candidate: candidate.hit.id not in pins),
        pinned=dict.fromkeys(pins, EVERYTHING),
    )
    assert all_pages(ListedIndex(numbered(250)), [stage], k) == [*pins, *(id for id in plain if id not in pins)]


def test_what_a_rule_adds_is_shown_with_seven_digits() -> None:
    (move,) = Candidate(hit("a", 0.5), 0, 0.5).adjusted("boost", 0.123456789).moves
    assert move.by == 0.1234568


def test_candidates_without_vectors_resemble_nothing() -> None:
    known = Candidate(hit("a", 0.5, vector=np.array([1, 0, 0], np.float32)), 0, 0.5)
    unknown = Candidate(hit("b", 0.4), 1, 0.4)
    assert vectors_of([unknown, known]).tolist() == [[0, 0, 0], [1, 0, 0]]
    assert (vectors_of([unknown]).tolist(), vectors_of([]).shape) == ([[0]], (0, 1))


@pytest.mark.parametrize(
    ("count", "offset", "has_next"),
    [(100, 90, False), (101, 90, True), (130, 110, True), (130, 120, False), (131, 120, True), (129, 120, False)],
)
def test_the_last_page_has_no_next_one(count: int, offset: int, has_next: bool) -> None:
    result = page(ListedIndex(numbered(count)), [arranging(reversed_order)], k=10, offset=offset)
    assert (result.response.next_page is not None) is has_next
