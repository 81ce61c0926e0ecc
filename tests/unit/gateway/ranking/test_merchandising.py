"""Boost, bury, hide and pin as re-rankers."""

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from services.catalogue.merchandising import Merchandising
from services.contracts.wire.index import IndexQuery
from services.gateway.ranking.boosts import Boosts
from services.gateway.ranking.candidate import Candidate
from services.gateway.ranking.options import RankingOptions
from services.gateway.ranking.pins import Pins, pinned
from services.gateway.ranking.ranking import RankedPage, Ranking, ranked_page
from services.gateway.ranking.reranker import RankedSearch
from services.gateway.ranking.rule_book import RuleBook
from tests.support.fakes.ranking import ListedIndex, hit

HITS = [
    hit("a", 0.9, attributes={"margin": 0.1, "availability": "in_stock"}),
    hit("b", 0.8, attributes={"margin": 0.5, "availability": "out_of_stock"}),
    hit("c", 0.7, attributes={"margin": 0.5}, group="G"),
    hit("d", 0.6, attributes={"margin": 0.1, "sale": True}),
]
OPTIONS = RankingOptions()


def search(rules: dict[str, Any] | None = None, options: RankingOptions = OPTIONS, **query: Any) -> RankedPage:
    """Search with stored rules."""
    book = RuleBook()
    if rules is not None:
        book.take("default", Merchandising.model_validate(rules))
    return asyncio.run(_page(Ranking([Boosts(book), Pins(book)]), options, IndexQuery(**query)))


async def _page(ranking: Ranking, options: RankingOptions, query: IndexQuery) -> RankedPage:
    names = frozenset(("topwear", "0"))
    ranked = RankedSearch(("default",), 0, names, "fashion/1", np.ones(4, np.float32), None, options)
    return await ranked_page(query, ListedIndex(HITS).ask, await ranking.stages(ranked))


def ids(page: RankedPage) -> str:
    return "".join(hit.id for hit in page.response.hits)


def moves(page: RankedPage) -> dict[str, list[dict[str, Any]]]:
    return {
        hit.id: [move.model_dump() for move in moved]
        for hit in page.response.hits
        if (moved := page.moved(hit, with_rules=True))
    }


BURY = {"id": "poor", "action": "bury", "by": 0.25, "filter": {"margin": {"lt": 0.2}}}
BOOST = {"id": "sale", "action": "boost", "by": 0.35, "filter": {"sale": True}}


def test_boost_and_bury_move_products_by_units_of_score() -> None:
    page = search({"rules": [BURY, BOOST], "out_of_stock": "show"})
    assert ids(page) == "bcda"  # 0.8, 0.7, 0.6 - 0.25 + 0.35, 0.9 - 0.25
    assert moves(page) == {
        "d": [{"reason": "bury", "by": -0.25, "rule": "poor"}, {"reason": "boost", "by": 0.35, "rule": "sale"}],
        "a": [{"reason": "bury", "by": -0.25, "rule": "poor"}],
    }
    assert [hit.score for hit in page.response.hits] == [0.8, 0.7, 0.6, 0.9]


def test_all_rules_together_move_a_product_by_a_bounded_sum() -> None:
    rules = [{**BOOST, "id": f"r{number}", "filter": {"margin": 0.1}} for number in range(3)]
    page = search({"rules": [*rules, {**BURY, "id": "first", "by": 0.05}], "out_of_stock": "show"})
    candidate_moves = moves(search({"rules": rules, "out_of_stock": "show"}))["d"]
    assert sum(move["by"] for move in candidate_moves) == pytest.approx(0.5)
    assert ids(page) == "adbc"  # 1.35, 1.05, 0.8, 0.7


def test_rules_of_another_category_change_nothing() -> None:
    page = search({"rules": [{**BOOST, "categories": ["Shoes"]}], "out_of_stock": "show"})
    assert (ids(page), moves(page)) == ("abcd", {})


def test_products_that_a_rule_hides_are_left_out() -> None:
    rule = {"id": "no", "action": "hide", "filter": {"group": "G"}}
    assert ids(search({"rules": [rule], "out_of_stock": "show"})) == "abd"


@pytest.mark.parametrize(
    ("rules", "option", "expected"),
    [
        (None, None, "abcd"),
        (None, "hide", "acd"),
        ({"rules": []}, None, "acd"),
        ({"rules": []}, "show", "abcd"),
        ({"rules": [], "out_of_stock": "show"}, None, "abcd"),
        ({"rules": [], "out_of_stock": "show"}, "hide", "acd"),
    ],
)
def test_products_out_of_stock_take_no_places_unless_wished(
    rules: dict[str, Any] | None, option: Any, expected: str
) -> None:
    assert ids(search(rules, RankingOptions(out_of_stock=option))) == expected


def test_rules_of_the_request_take_the_place_of_the_stored_ones() -> None:
    request = RankingOptions(rules=Merchandising.model_validate({"rules": [BURY], "out_of_stock": "show"}))
    assert ids(search({"rules": [BOOST]}, request)) == "bcad"
    nothing = RankingOptions(rules=Merchandising(out_of_stock="show"))
    assert ids(search({"rules": [BOOST]}, nothing)) == "abcd"


def pin(*pins: tuple[str, int], id: str = "pin", **fields: Any) -> dict[str, Any]:
    return {
        "id": id,
        "action": "pin",
        "pins": [{"id": product, "position": place} for product, place in pins],
        **fields,
    }


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([pin(("d", 1))], "dabc"),
        ([pin(("d", 2), ("a", 4))], "bdca"),
        ([pin(("d", 1), ("c", 1))], "dcab"),
        ([pin(("d", 1)), pin(("c", 1), id="two")], "dcab"),
        ([pin(("a", 50), ("b", 40))], "cdba"),
        ([pin(("a", 4))], "bcda"),
        ([pin(("a", 5))], "bcda"),
        ([pin(("a", 5), ("b", 4))], "cdba"),
        ([pin(("unknown", 1))], "abcd"),
        ([pin(("d", 1), filter={"sale": False})], "abcd"),
        ([pin(("d", 1), filter={"sale": False}), pin(("d", 2), id="two", filter={"sale": True})], "adbc"),
        ([pin(("d", 1)), pin(("d", 3), id="two")], "dabc"),
        ([pin(("d", 1), categories=["Shoes"])], "abcd"),
    ],
)
def test_pinned_products_are_at_their_places(rules: list[dict[str, Any]], expected: str) -> None:
    assert ids(search({"rules": rules, "out_of_stock": "show"})) == expected


def test_a_pinned_product_out_of_stock_takes_no_place() -> None:
    assert ids(search({"rules": [pin(("b", 1))]})) == "acd"


def test_a_pin_overrules_a_boost_and_both_are_named() -> None:
    page = search({"rules": [BOOST, pin(("d", 2))], "out_of_stock": "show"})
    assert ids(page) == "adbc"
    assert [(move["reason"], move["rule"]) for move in moves(page)["d"]] == [("boost", "sale"), ("pin", "pin")]
    assert page.moved(page.response.hits[1]) == [replace_rule(move) for move in page.moves[("default", "d")]]


def replace_rule(move: Any) -> Any:
    return move.model_copy(update={"rule": None})


def test_shoppers_do_not_see_the_ids_of_rules() -> None:
    page = search({"rules": [BOOST], "out_of_stock": "show"})
    (moved,) = [page.moved(hit) for hit in page.response.hits if page.moved(hit)]
    assert [move.model_dump() for move in moved or []] == [{"reason": "boost", "by": 0.35}]


def test_products_of_several_catalogues_with_one_id_are_pinned_next_to_each_other() -> None:
    twins = [Candidate(hit(id, 0.5).model_copy(update={"catalogue": name}), 0, 0.5) for id, name in ("ax", "by", "ay")]
    rule = Merchandising.model_validate({"rules": [pin(("a", 2))]}).rules
    order = pinned(twins, rule)
    assert [(candidate.hit.id, candidate.hit.catalogue) for candidate in order] == [("b", "y"), ("a", "x"), ("a", "y")]


def test_a_search_through_several_catalogues_follows_the_stored_rules_of_none() -> None:
    book = RuleBook()
    book.take("default", Merchandising.model_validate({"rules": [BOOST]}))
    assert Boosts(book).applies(OPTIONS, ("default",))
    assert not Boosts(book).applies(OPTIONS, ("default", "shoes"))
    assert not Pins(book).applies(OPTIONS, ("default",))
    asked = RankingOptions(rules=Merchandising.model_validate({"rules": [pin(("a", 1))]}))
    assert Pins(book).applies(asked, ("default", "shoes"))


def test_rules_out_of_their_time_leave_the_search_as_it_is() -> None:
    book = RuleBook()
    book.take(
        "default", Merchandising.model_validate({"rules": [{**BOOST, "ends": "2020-01-01"}], "out_of_stock": "show"})
    )
    ranked = RankedSearch(("default",), 0, frozenset("0"), "fashion/1", np.ones(4, np.float32), None, OPTIONS)
    assert asyncio.run(Ranking([Boosts(book), Pins(book)]).stages(ranked)) == []
    assert asyncio.run(Pins(book).stage(replace(ranked, options=OPTIONS))) is None


@pytest.mark.parametrize(
    ("filters", "is_first"),
    [([{}], True), ([{"sale": True}], True), ([{"sale": False}], False), ([{"sale": False}, {}], True)],
)
def test_a_product_far_behind_is_pinned_if_it_meets_the_filter_of_any_of_its_rules(
    filters: list[dict[str, Any]], is_first: bool
) -> None:
    hits = [hit(f"{number:03}", 1 - number / 1000, attributes={"sale": True}) for number in range(150)]
    book = RuleBook()
    rules = [pin(("140", 1), id=f"r{place}", filter=wanted) for place, wanted in enumerate(filters)]
    book.take("default", Merchandising.model_validate({"rules": rules, "out_of_stock": "show"}))
    ranked = RankedSearch(("default",), 0, frozenset("0"), "fashion/1", np.ones(4, np.float32), None, OPTIONS)

    async def first_page() -> RankedPage:
        return await ranked_page(IndexQuery(k=3), ListedIndex(hits).ask, await Ranking([Pins(book)]).stages(ranked))

    assert [each.id for each in asyncio.run(first_page()).response.hits][:2] == (
        ["140", "000"] if is_first else ["000", "001"]
    )
