"""Events and searches as rows of User Behavior Insights: one row for each product of an event.

`POST /v1/events` takes the rows of events again.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from services.catalogue.events.event import MESSAGE_TYPES, Event
from services.catalogue.events.logged_query import LoggedQuery

OBJECT_ID_FIELD = "id"


def event_rows(event: Event) -> Iterator[dict[str, Any]]:
    """Yield the rows of an event. Those of a list of products have numbered ids."""
    products: list[tuple[str | None, int | None]] = [*event.shown()] or [(None, None)]
    is_listed = event.event_attributes.objects is not None
    for number, (object_id, ordinal) in enumerate(products, 1):
        attributes: dict[str, Any] = {}
        if object_id is not None:
            attributes["object"] = {"object_id": object_id, "object_id_field": OBJECT_ID_FIELD}
        if ordinal is not None:
            attributes["position"] = {"ordinal": ordinal}
        if event.event_attributes.quantity is not None:
            attributes["quantity"] = event.event_attributes.quantity
        row = {
            "event_id": f"{event.event_id}:{number}" if is_listed else event.event_id,
            "application": event.application,
            "action_name": event.action_name.value,
            "query_id": event.query_id,
            "client_id": event.client_id,
            "timestamp": _text(event.timestamp),
            "message_type": MESSAGE_TYPES[event.action_name],
            "event_attributes": attributes,
        }
        yield {name: value for name, value in row.items() if value is not None}


def query_row(query: LoggedQuery) -> dict[str, Any]:
    """Return the row of a search. A search by photo has no text, so `user_query` is empty."""
    attributes = query.query_attributes
    known = {
        "kind": attributes.kind,
        "outcome": attributes.outcome,
        "category": attributes.category,
        "model": attributes.model,
        "offset": attributes.offset,
        "product": attributes.product,
        "filter": None if attributes.filter is None else orjson.loads(attributes.filter),
        "nearest_score": attributes.nearest_score,
        "nearest_similarity": attributes.nearest_similarity,
        "vector": None if attributes.vector is None else attributes.vector.tolist(),
    }
    row = {
        "application": query.application,
        "query_id": query.query_id,
        "client_id": query.client_id,
        "user_query": "",
        "object_id_field": OBJECT_ID_FIELD,
        "timestamp": _text(query.timestamp),
        "query_response_id": query.id,
        "query_response_hit_ids": list(query.query_response_hit_ids),
        "query_attributes": {name: value for name, value in known.items() if value is not None},
    }
    return {name: value for name, value in row.items() if value is not None}


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
