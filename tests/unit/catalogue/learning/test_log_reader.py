"""Rows and events of the log → searches."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from services.catalogue.events.event import Event
from services.catalogue.events.logged_query import LoggedQuery
from services.catalogue.learning.log_reader import logged_searches
from services.catalogue.learning.search_log import LoggedSearch
from tests.support.values.events import make_event, make_query

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
HITS = ("a", "b", "c")
SCORES = (0.9, 0.8, 0.7)


def query(query_id: str = "q1", **attributes: Any) -> LoggedQuery:
    return make_query(query_id, NOON, hits=HITS, hit_scores=SCORES, visitor="v-1", **attributes)


def searches(
    queries: Sequence[LoggedQuery], *events: Event, attributes: Mapping[str, Mapping[str, Any]] = {}
) -> list[LoggedSearch]:
    by_query: dict[str, list[Event]] = {}
    for event in events:
        by_query.setdefault(str(event.query_id), []).append(event)
    return logged_searches(queries, by_query, attributes)


def test_a_search_has_its_products_with_positions_scores_and_attributes() -> None:
    (search,) = searches([query(offset=10)], attributes={"b": {"gender": "men", "price": 10}})
    assert [shown.position for shown in search.shown] == [11, 12, 13]
    assert [(shown.candidate.id, shown.candidate.score) for shown in search.shown] == list(
        zip(HITS, SCORES, strict=True)
    )
    assert search.shown[1].candidate.attributes["price"] == 10
    assert (search.visitor, search.day, search.cluster) == ("v-1", NOON.toordinal(), "Topwear///men")
    assert not search.is_first_page


def test_a_product_has_the_greatest_worth_of_the_actions_on_it() -> None:
    (search,) = searches(
        [query()],
        make_event("add_to_cart", "e1", NOON, product="b"),
        make_event("click", "e2", NOON, product="b"),
        make_event("click", "e3", NOON, product="c"),
        make_event("hide", "e4", NOON, product="a"),
        make_event("purchase", "e5", NOON, product="elsewhere"),
    )
    assert [shown.gain for shown in search.shown] == [0, 2, 1]
    assert [shown.clicked for shown in search.shown] == [False, True, True]
    assert (search.gain, search.is_first_page) == (3, True)


@pytest.mark.parametrize(("action", "gain"), [("click", 1), ("like", 1), ("add_to_cart", 2), ("purchase", 3)])
def test_an_action_has_a_worth(action: str, gain: float) -> None:
    (search,) = searches([query()], make_event(action, "e1", NOON, product="b"))
    assert [shown.gain for shown in search.shown] == [0, gain, 0]


def test_an_event_about_several_products_counts_for_each() -> None:
    objects = [{"object_id": "a", "ordinal": 1}, {"object_id": "c", "ordinal": 3}]
    event = Event.model_validate(
        {"action_name": "purchase", "query_id": "q1", "timestamp": NOON, "event_attributes": {"objects": objects}}
    )
    (search,) = searches([query()], event)
    assert [shown.gain for shown in search.shown] == [3, 0, 3]


def test_in_a_log_with_impressions_a_search_that_no_shopper_saw_is_left_out() -> None:
    queries = [query("q1"), query("q2"), query("q3")]
    event = make_event("impression", "e1", NOON, query="q1")
    clicked = make_event("click", "e2", NOON, query="q3")
    assert [search.id for search in searches(queries, event, clicked)] == ["q1", "q3"]
    assert [search.id for search in searches(queries, clicked)] == ["q1", "q2", "q3"]


def test_a_search_without_results_is_left_out() -> None:
    empty = make_query("q1", NOON, hits=(), hit_scores=())
    assert searches([empty]) == []
