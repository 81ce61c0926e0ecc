"""Baskets of the log."""

from datetime import UTC, datetime
from typing import Any

from services.catalogue.events.baskets import MAX_PRODUCTS, Baskets
from services.catalogue.events.event import Event


def event(action: str, *products: str, at: str = "2026-11-30T12:00:00+00:00", **values: Any) -> Event:
    objects = [{"object_id": product} for product in products]
    attributes = {"object": objects[0]} if len(objects) == 1 else {"objects": objects}
    times = {"timestamp": datetime.fromisoformat(at).astimezone(UTC)}
    return Event.model_validate({"action_name": action, "event_attributes": attributes, **times, **values})


def baskets(*events: Event) -> list[list[str]]:
    gathered = Baskets()
    for each in events:  # a page each
        gathered.add([each])
    return gathered.of_several()


def test_a_basket_has_what_a_visitor_put_into_the_cart_or_bought_on_a_day() -> None:
    actual = baskets(
        event("add_to_cart", "b", visitor="v"),
        event("purchase", "a", visitor="v"),
        event("purchase", "b", visitor="v"),
        event("click", "c", visitor="v"),
        event("purchase", "d", visitor="w"),
        event("purchase", "e", visitor="v", at="2026-12-01T00:30:00+00:00"),
        event("purchase", "f", visitor="v", at="2026-12-01T01:30:00+02:00"),  # still the day before, in UTC
    )
    assert actual == [["a", "b", "f"]]


def test_without_a_visitor_a_basket_is_one_event() -> None:
    assert baskets(event("purchase", "a", "b"), event("purchase", "c"), event("purchase", "d")) == [["a", "b"]]


def test_a_basket_of_very_many_products_does_not_count() -> None:
    products = [f"p{number:02d}" for number in range(MAX_PRODUCTS + 1)]
    assert baskets(event("purchase", *products, visitor="v")) == []
    assert baskets(event("purchase", *products[1:], visitor="v")) == [products[1:]]
