"""Which events are valid, and how they may be written."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.catalogue.events.event import MESSAGE_TYPES, Action, Event

PRODUCT = {"object": {"object_id": "a"}}


def test_an_event_may_have_the_names_of_the_schema_or_those_of_the_api() -> None:
    common = {"event_id": "e", "timestamp": "2026-11-30T12:00:00Z", "action_name": "click", "event_attributes": PRODUCT}
    ubi = {**common, "query_id": "q", "client_id": "v"}
    own = {**common, "request_id": "q", "visitor": "v"}
    assert Event.model_validate(ubi) == Event.model_validate(own)


def test_an_id_may_be_a_number_and_a_time_without_an_offset_is_in_utc() -> None:
    event = Event.model_validate(
        {
            "action_name": "click",
            "timestamp": "2026-11-30T12:00:00",
            "event_attributes": {
                "object": {"object_id": 15970, "object_id_type": "product"},
                "position": {"ordinal": 1},
            },
        }
    )
    assert list(event.shown()) == [("15970", 1)]
    assert event.timestamp.isoformat() == "2026-11-30T12:00:00+00:00"


@pytest.mark.parametrize(
    ("event", "place"),
    [
        ({"action_name": "search"}, "query_id"),
        ({"action_name": "impression", "event_attributes": PRODUCT}, "query_id"),
        ({"action_name": "click", "query_id": "q"}, "event_attributes/object/object_id"),
        ({"action_name": "purchase"}, "event_attributes/object/object_id"),
        ({"action_name": "like", "event_attributes": {"position": {"ordinal": 1}}}, "event_attributes/object"),
        (
            {"action_name": "like", "event_attributes": {**PRODUCT, "objects": [{"object_id": "b"}]}},
            "event_attributes/objects",
        ),
    ],
)
def test_an_event_that_lacks_something_says_where(event: dict[str, Any], place: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Event.model_validate(event)
    (error,) = caught.value.errors()
    assert error["ctx"]["place"] == place


@pytest.mark.parametrize(
    "fields",
    [
        {"action_name": "teleport"},
        {"user_id": "Anna"},
        {"session_id": "s"},
        {"message": "hello"},
        {"client_id": "anna@example.com"},
        {"client_id": "Anna Smith"},
        {"client_id": "v" * 101},
        {"client_id": ""},
        {"query_id": "a b"},
        {"event_id": "x" * 101},
        {"timestamp": "yesterday"},
        {"event_attributes": {"object": {"object_id": ""}}},
        {"event_attributes": {**PRODUCT, "position": {"ordinal": 0}}},
        {"event_attributes": {**PRODUCT, "address": "Main Street"}},
        {"event_attributes": {"objects": []}},
        {"event_attributes": {"objects": [{"object_id": "a"}] * 101}},
        {"event_attributes": {**PRODUCT, "quantity": 0}},
    ],
)
def test_an_event_with_a_wrong_or_an_unknown_field_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Event.model_validate({"action_name": "click", "event_attributes": PRODUCT, **fields})


def test_events_without_an_id_get_ids_in_their_order() -> None:
    ids = [Event.model_validate({"action_name": "click", "event_attributes": PRODUCT}).event_id for _ in range(20)]
    assert sorted(ids) == ids
    assert len(set(ids)) == 20


def test_every_action_has_a_group() -> None:
    assert MESSAGE_TYPES.keys() == set(Action)
