"""Events and searches for tests."""

from datetime import datetime
from typing import Any

from services.catalogue.events.event import Event
from services.catalogue.events.logged_query import LoggedQuery, QueryAttributes


def make_event(
    action: str,
    event_id: str,
    moment: datetime,
    *,
    product: str = "a",
    ordinal: int | None = None,
    visitor: str | None = None,
    query: str | None = "q1",
) -> Event:
    """Return an event about one product."""
    attributes: dict[str, Any] = {"object": {"object_id": product}}
    if ordinal is not None:
        attributes["position"] = {"ordinal": ordinal}
    return Event.model_validate(
        {
            "event_id": event_id,
            "action_name": action,
            "query_id": query,
            "client_id": visitor,
            "timestamp": moment,
            "event_attributes": attributes,
        }
    )


def make_query(
    query_id: str,
    moment: datetime,
    *,
    hits: tuple[str, ...] = ("a", "b"),
    visitor: str | None = None,
    **attributes: Any,
) -> LoggedQuery:
    """Return a search by photo, whose row has the id of the search."""
    known = {"kind": "photo", "outcome": "ok", "category": "Topwear", "model": "fashion/3"}
    return LoggedQuery(
        id=query_id,
        query_id=query_id,
        timestamp=moment,
        query_response_hit_ids=hits,
        query_attributes=QueryAttributes(**{**known, **attributes}),
        client_id=visitor,
    )
