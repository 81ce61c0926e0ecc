"""The bounds of an event's fields, what it says of several products, and its rows."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from services.catalogue.events.baskets import Baskets
from services.catalogue.events.event import MAX_OBJECTS, MAX_ORDINAL, Event, new_event_id
from services.catalogue.events.ubi import event_rows, query_row
from services.catalogue.product import MAX_KEY_LENGTH
from tests.support.values.events import make_event, make_query

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def event(action: str = "click", attributes: dict[str, Any] | None = None, **fields: Any) -> Event:
    given = {"object": {"object_id": "a"}} if attributes is None else attributes
    return Event.model_validate({"action_name": action, "event_attributes": given, **fields})


def about(**facts: Any) -> dict[str, Any]:
    return {"object": {"object_id": "a", **facts}}


@pytest.mark.parametrize(
    ("fields", "attributes"),
    [
        ({"event_id": "x" * 100}, about()),
        ({"query_id": "x" * 128}, about()),
        ({"client_id": "v" * 100}, about()),
        ({"client_id": "v"}, about()),
        ({"application": "x"}, about()),
        ({"application": "x" * 100}, about()),
        ({"message_type": "x" * 100}, about()),
        ({}, about(object_id="x" * MAX_KEY_LENGTH)),
        ({}, about(object_id="x")),
        ({}, about(object_id_field="x" * 100, object_id_type="x" * 100)),
        ({}, {**about(), "position": {"ordinal": 1}, "quantity": 1}),
        ({}, {**about(), "position": {"ordinal": MAX_ORDINAL}, "quantity": 1000}),
        ({}, {"objects": [{"object_id": "a", "ordinal": MAX_ORDINAL}] * MAX_OBJECTS}),
    ],
)
def test_fields_may_have_their_largest_and_smallest_values(fields: dict[str, Any], attributes: dict[str, Any]) -> None:
    assert event(attributes=attributes, **fields).action_name == "click"


@pytest.mark.parametrize(
    ("fields", "attributes"),
    [
        ({"query_id": "x" * 129}, about()),
        ({"event_id": ""}, about()),
        ({"application": ""}, about()),
        ({"application": "x" * 101}, about()),
        ({"message_type": "x" * 101}, about()),
        ({}, about(object_id="x" * (MAX_KEY_LENGTH + 1))),
        ({}, about(object_id=True)),
        ({}, about(object_id=1.5)),
        ({}, about(object_id_field="x" * 101)),
        ({}, about(object_id_type="x" * 101)),
        ({}, {**about(), "position": {"ordinal": MAX_ORDINAL + 1}}),
        ({}, {**about(), "quantity": 1001}),
        ({}, {"objects": [{"object_id": "a", "ordinal": 0}]}),
        ({}, {"objects": [{"object_id": "a", "place": 1}]}),
        ({}, {"objects": [{"object_id": "a"}], "position": {"ordinal": 1}}),
    ],
)
def test_fields_beyond_their_bounds_are_refused(fields: dict[str, Any], attributes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        event(attributes=attributes, **fields)


@pytest.mark.parametrize("action", ["search", "impression"])
def test_what_belongs_to_a_search_names_it(action: str) -> None:
    assert event(action, query_id="q").query_id == "q"
    assert event("search", {}, query_id="q").query_id == "q"


def test_several_products_have_their_places() -> None:
    listed = event("impression", {"objects": [{"object_id": 7, "ordinal": 2}, {"object_id": "b"}]}, query_id="q")
    assert list(listed.shown()) == [("7", 2), ("b", None)]
    assert list(event(attributes={**about(), "position": {"ordinal": 3}}).shown()) == [("a", 3)]
    assert list(event().shown()) == [("a", None)]
    assert list(event("search", {}, query_id="q").shown()) == []


def test_the_ids_of_events_are_in_the_order_of_time_across_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([15, 16, 2**60])
    monkeypatch.setattr("time.time_ns", lambda: next(times))
    ids = [new_event_id() for _ in range(3)]
    assert [name[:16] for name in ids] == ["000000000000000f", "0000000000000010", "1000000000000000"]
    assert ids == sorted(ids)
    assert len({name[16:28] for name in ids}) == 1  # the process


def test_the_rows_of_an_event() -> None:
    listed = event(
        "impression",
        {"objects": [{"object_id": "a", "ordinal": 2}, {"object_id": "b"}], "quantity": 3},
        event_id="e",
        query_id="q",
        client_id="v",
        timestamp="2026-11-30T13:00:00+01:00",
    )
    common = {"application": "lookalike", "action_name": "impression", "query_id": "q", "client_id": "v"}
    common |= {"timestamp": "2026-11-30T12:00:00Z", "message_type": "IMPRESSION"}
    first = {"object": {"object_id": "a", "object_id_field": "id"}, "position": {"ordinal": 2}, "quantity": 3}
    second = {"object": {"object_id": "b", "object_id_field": "id"}, "quantity": 3}
    assert list(event_rows(listed)) == [
        {"event_id": "e:1", **common, "event_attributes": first},
        {"event_id": "e:2", **common, "event_attributes": second},
    ]
    (row,) = event_rows(event("search", {}, event_id="s", query_id="q"))
    assert (row["event_id"], row["event_attributes"], "client_id" in row) == ("s", {}, False)
    assert Event.model_validate(next(event_rows(listed))).event_id == "e:1"


def test_the_row_of_a_search() -> None:
    query = make_query("q", NOON, offset=0, filter='{"a":1}', nearest_score=0.0, vector=np.array([0.5, 1], np.float32))
    row = query_row(query)
    assert row["query_attributes"] == {
        **{"kind": "photo", "outcome": "ok", "category": "Topwear", "model": "fashion/3", "offset": 0},
        **{"filter": {"a": 1}, "nearest_score": 0.0, "vector": [0.5, 1.0]},
    }
    assert (row["user_query"], row["query_response_hit_ids"], row["timestamp"]) == (
        "",
        ["a", "b"],
        "2026-11-30T12:00:00Z",
    )
    assert "client_id" not in row
    assert query_row(make_query("q", NOON, visitor="v"))["client_id"] == "v"


def test_a_basket_has_at_least_two_products() -> None:
    gathered = Baskets()
    gathered.add([make_event("purchase", "1", NOON, product="a", visitor="v")])
    assert gathered.of_several() == []
    gathered.add(make_event("add_to_cart", "2", NOON, product=key, visitor="v") for key in ("a", "b"))
    assert gathered.of_several() == [["a", "b"]]
