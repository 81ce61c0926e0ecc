"""The body of a request with events → events, and the faults of the others."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from services.catalogue.events.event import MAX_OBJECTS, Event
from services.contracts.domain.errors import InvalidRequest

JSON = "application/json"
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
PLAIN = ("", "text/plain")  # as navigator.sendBeacon sends a text
MAX_EVENTS = 1000  # of one request
MAX_BODY_BYTES = 1024 * 1024
MAX_NAMES = 20  # of an object: an error is made for each unknown one
MAX_FAULTS = 100  # that are described one by one; a response has fewer
SHORT_BYTES = 64 * 1024  # as much as a beacon may have
TURN = 10  # events that are checked before other requests get their turn
TYPES = f"{JSON}, {NDJSON[0]} or text/plain"
_LIST = TypeAdapter(list[Event])
Fault = tuple[tuple[str, ...], Mapping[str, Any]]  # the path to an event, and one of Pydantic's errors about it


@dataclass
class ReadEvents:
    """The events of a body by their index, counted from 0, and the faults of the others."""

    events: dict[int, Event] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    rejected: list[int] = field(default_factory=list)
    is_batch: bool = True

    def reject(self, index: int, *items: Mapping[str, Any]) -> None:
        """Leave out an event because of these errors."""
        self.events.pop(index, None)
        self.rejected.append(index)
        path = (str(index),) if self.is_batch else ()
        self.faults += [(path, item) for item in items]


async def read_events(body: bytes, content_type: str) -> ReadEvents:
    """Return the events of a body.

    Args:
        body: one event or a list as JSON, or a line of JSON for each event.
        content_type: the media type, without parameters. With text/plain the body may be either.

    Raises:
        InvalidRequest: the body has another type, is not JSON, or has no event or more than MAX_EVENTS.
    """
    events = _valid_list(body, content_type)
    if events is not None:
        return ReadEvents(dict(enumerate(events)))
    items, is_batch = _items(body, content_type)
    if not items:
        raise InvalidRequest("the body has no event")
    if len(items) > MAX_EVENTS:
        raise InvalidRequest(f"a request has at most {MAX_EVENTS:,} events: send the others in requests of their own")
    read = ReadEvents(is_batch=is_batch)
    for index, item in enumerate(items):
        if index % TURN == TURN - 1:
            await asyncio.sleep(0)
        try:
            read.events[index] = _event(item)
        except _Unreadable as error:
            read.reject(index, fault(str(error)))
        except ValidationError as error:
            if len(read.faults) < MAX_FAULTS:
                read.reject(index, *map(_placed, error.errors(include_url=False)))
            else:
                read.reject(index, fault(f"the event has {error.error_count()} errors"))
    return read


class _Unreadable(Exception):
    """An event that is not looked at. The text says why."""


def _event(item: Any) -> Event:
    if isinstance(item, orjson.JSONDecodeError):
        raise _Unreadable(f"the line is not valid JSON: {item}")
    if _is_crowded(item):
        raise _Unreadable(f"an event has at most {MAX_NAMES} fields at each level, and at most {MAX_OBJECTS} objects")
    return Event.model_validate(item)


def _valid_list(body: bytes, content_type: str) -> list[Event] | None:
    """Return the events of a short list of which every one is valid, as most bodies are; None for any other body.

    Reading all of them at once takes half the time.
    """
    if content_type in NDJSON or len(body) > SHORT_BYTES or not body.lstrip().startswith(b"["):
        return None
    try:
        events = _LIST.validate_json(body)
    except ValidationError:
        return None
    return events if content_type in (JSON, *PLAIN) and 0 < len(events) <= MAX_EVENTS else None


def fault(text: str, *loc: str) -> Mapping[str, Any]:
    """Return an error at a place of an event, in the form of Pydantic's."""
    return {"type": "event", "loc": loc, "msg": text}


def _is_crowded(value: object) -> bool:
    """Return whether a value, or one in it, has more than an event has."""
    if isinstance(value, dict):
        return len(value) > MAX_NAMES or any(map(_is_crowded, value.values()))
    return isinstance(value, list) and (len(value) > MAX_OBJECTS or any(map(_is_crowded, value)))


def _items(body: bytes, content_type: str) -> tuple[list[Any], bool]:
    """Return the values of a body, and whether it is a batch."""
    if content_type in NDJSON:
        return list(islice(_lines(body), MAX_EVENTS + 1)), True
    if content_type != JSON and content_type not in PLAIN:
        raise InvalidRequest(f"events are {TYPES}, not {content_type}")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if content_type in PLAIN and len(body.splitlines()) > 1:
            return list(islice(_lines(body), MAX_EVENTS + 1)), True
        raise InvalidRequest(f"the body is not valid JSON: {error}") from None
    return (value, True) if isinstance(value, list) else ([value], False)


def _lines(body: bytes) -> Iterator[Any]:
    """Yield the value of each line that is not blank, or its JSONDecodeError."""
    for line in body.splitlines():
        if line.strip():
            try:
                yield orjson.loads(line)
            except orjson.JSONDecodeError as error:
                yield error


def _placed(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an error with the place that it names, if it is about fields that do not go together."""
    place = item.get("ctx", {}).get("place")
    return item if place is None else {**item, "loc": (*item["loc"], *str(place).split("/"))}
