"""Rows of User Behavior Insights."""

from datetime import UTC, datetime

import numpy as np

from services.catalogue.events.event import Event
from services.catalogue.events.ubi import event_rows, query_row
from tests.support.values.events import make_event, make_query

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def test_an_event_is_a_row_with_the_names_of_the_schema() -> None:
    (row,) = event_rows(make_event("add_to_cart", "e1", NOON, product="15970", ordinal=3, visitor="v-1"))
    assert row == {
        "event_id": "e1",
        "application": "lookalike",
        "action_name": "add_to_cart",
        "query_id": "q1",
        "client_id": "v-1",
        "timestamp": "2026-11-30T12:00:00Z",
        "message_type": "CONVERSION",
        "event_attributes": {
            "object": {"object_id": "15970", "object_id_field": "id"},
            "position": {"ordinal": 3},
        },
    }


def test_a_list_of_products_is_a_row_for_each_that_can_be_sent_again() -> None:
    event = Event.model_validate(
        {
            "event_id": "e1",
            "action_name": "impression",
            "query_id": "q1",
            "timestamp": NOON,
            "event_attributes": {"objects": [{"object_id": "a", "ordinal": 1}, {"object_id": "b", "ordinal": 2}]},
        }
    )
    rows = list(event_rows(event))
    assert [row["event_id"] for row in rows] == ["e1:1", "e1:2"]
    assert [list(Event.model_validate(row).shown()) for row in rows] == [[("a", 1)], [("b", 2)]]


def test_a_search_is_a_row_with_its_filter_as_json_and_its_vector_as_numbers() -> None:
    vector = np.array([0.5, -0.5], np.float32)
    row = query_row(make_query("q1", NOON, filter='{"price":{"lte":50}}', vector=vector, nearest_score=0.5))
    assert (row["query_id"], row["user_query"], row["query_response_hit_ids"]) == ("q1", "", ["a", "b"])
    assert row["query_attributes"] == {
        "kind": "photo",
        "outcome": "ok",
        "category": "Topwear",
        "model": "fashion/3",
        "offset": 0,
        "filter": {"price": {"lte": 50}},
        "nearest_score": 0.5,
        "vector": [0.5, -0.5],
    }
