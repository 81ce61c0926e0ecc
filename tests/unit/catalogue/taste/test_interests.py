from datetime import UTC, datetime, timedelta

import pytest

from services.catalogue.taste.interests import HALF_LIFE_DAYS, MAX_PRODUCTS, WEIGHTS, Interests
from tests.support.values.events import make_event

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def test_actions_add_up_and_a_purchase_says_more_than_a_click() -> None:
    events = [
        make_event("click", "e1", NOW, product="a"),
        make_event("click", "e2", NOW, product="b"),
        make_event("purchase", "e3", NOW, product="b"),
        make_event("impression", "e4", NOW, product="c"),
    ]
    assert Interests.of(events, NOW).products == {"a": 1.0, "b": 6.0}


def test_an_action_counts_half_after_the_half_life() -> None:
    events = [make_event("like", "e1", ago(HALF_LIFE_DAYS), product="a"), make_event("like", "e2", NOW, product="b")]
    products = Interests.of(events, NOW).products
    assert products["a"] == pytest.approx(products["b"] / 2)


def test_an_event_of_the_future_counts_as_one_of_now() -> None:
    assert Interests.of([make_event("click", "e1", ago(-1))], NOW).products == {"a": 1.0}


def test_a_hidden_product_counts_against_its_kind_and_is_left_out() -> None:
    interests = Interests.of([make_event("hide", "e1", NOW, product="a")], NOW)
    assert (interests.products, interests.hidden) == ({"a": -3.0}, ("a",))


@pytest.mark.parametrize(("action", "hidden"), [("like", ()), ("purchase", ()), ("click", ("a",))])
def test_who_likes_or_buys_a_product_after_hiding_it_sees_it_again(action: str, hidden: tuple[str, ...]) -> None:
    events = [make_event(action, "e1", NOW), make_event("hide", "e2", ago(1))]
    assert Interests.of(events, NOW).hidden == hidden


def test_only_the_strongest_interests_count() -> None:
    events = [make_event("click", f"e{number}", NOW, product=f"p{number}") for number in range(MAX_PRODUCTS + 20)]
    events += [make_event("purchase", "last", ago(60), product="old")]
    products = Interests.of(events, NOW).products
    assert len(products) == MAX_PRODUCTS
    assert products["old"] == WEIGHTS["purchase"] / 4  # type: ignore[index]


def test_without_events_nothing_is_known() -> None:
    assert Interests.of([], NOW) == Interests()
