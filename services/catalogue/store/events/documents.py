"""Events and searches as documents, and back."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC
from typing import Any

from bson.binary import Binary

from services.catalogue.documents.product_document import Document
from services.catalogue.documents.vectors import FLOAT32_HEADER, VECTOR_SUBTYPE, read_vector
from services.catalogue.events.event import MESSAGE_TYPES, Event, EventAttributes, ShownObject
from services.catalogue.events.logged_query import LoggedQuery, QueryAttributes

_ATTRIBUTES = tuple(field.name for field in fields(QueryAttributes) if field.name != "vector")


def event_document(event: Event) -> Document:
    """Return an event as it is stored. It has an id and a timestamp."""
    document: Document = {"_id": event.event_id, "application": event.application}
    if event.query_id is not None:
        document["query_id"] = event.query_id
    if event.client_id is not None:
        document["client_id"] = event.client_id
    return {
        **document,
        "action_name": event.action_name.value,
        "timestamp": event.timestamp,
        "message_type": MESSAGE_TYPES[event.action_name],
        "event_attributes": _attributes(event.event_attributes),
    }


def _attributes(attributes: EventAttributes) -> Document:
    document: Document = {}
    if attributes.object is not None:
        document["object"] = {"object_id": attributes.object.object_id}
    if attributes.position is not None:
        document["position"] = {"ordinal": attributes.position.ordinal}
    if attributes.objects is not None:
        document["objects"] = [_shown(shown) for shown in attributes.objects]
    if attributes.quantity is not None:
        document["quantity"] = attributes.quantity
    return document


def _shown(shown: ShownObject) -> Document:
    if shown.ordinal is None:
        return {"object_id": shown.object_id}
    return {"object_id": shown.object_id, "ordinal": shown.ordinal}


def read_event(document: Mapping[str, Any]) -> Event:
    """Return the event of a document."""
    values = {name: value for name, value in document.items() if name not in ("_id", "message_type")}
    return Event.model_validate({"event_id": str(document["_id"]), **values})


def query_document(query: LoggedQuery) -> Document:
    """Return a search as it is stored."""
    attributes = query.query_attributes
    values: Document = {name: getattr(attributes, name) for name in _ATTRIBUTES}
    if attributes.vector is not None:
        values["vector"] = Binary(FLOAT32_HEADER + attributes.vector.astype("<f4").tobytes(), VECTOR_SUBTYPE)
    return {
        "_id": query.id,
        "application": query.application,
        "query_id": query.query_id,
        **({} if query.client_id is None else {"client_id": query.client_id}),
        "timestamp": query.timestamp,
        "query_response_hit_ids": list(query.query_response_hit_ids),
        "query_attributes": {name: value for name, value in values.items() if value is not None},
    }


def read_query(document: Mapping[str, Any]) -> LoggedQuery:
    """Return the search of a document."""
    attributes = document["query_attributes"]
    known = {name: attributes[name] for name in _ATTRIBUTES if name in attributes}
    if "hit_scores" in known:
        known["hit_scores"] = tuple(known["hit_scores"])
    vector = read_vector(attributes["vector"]) if "vector" in attributes else None
    return LoggedQuery(
        id=str(document["_id"]),
        query_id=str(document["query_id"]),
        timestamp=document["timestamp"].astimezone(UTC),
        query_response_hit_ids=tuple(document["query_response_hit_ids"]),
        query_attributes=QueryAttributes(**known, vector=vector),
        client_id=document.get("client_id"),
        application=str(document["application"]),
    )
