"""The change stream of the products: what has become of them, batch by batch."""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import json_util
from bson.timestamp import Timestamp
from pymongo.change_stream import CollectionChangeStream
from pymongo.errors import PyMongoError

from services.catalogue.documents.product_document import MARKER_PREFIX, BrokenDocument, Record, read_document
from services.catalogue.store.errors import HistoryLost, translated
from services.catalogue.threads import to_the_end

Token = Mapping[str, Any]
Event = Mapping[str, Any]
# After one of these the stream tells nothing more of the collection as it was.
ENDING = frozenset({"drop", "rename", "dropDatabase", "invalidate"})


def token_text(token: Token) -> str:
    """Return a token as text that keeps every BSON type in it."""
    return json_util.dumps(token, json_options=json_util.CANONICAL_JSON_OPTIONS)


def read_token(text: str) -> Token:
    """Return the token of a text.

    Raises:
        ValueError: it is none.
    """
    token = json_util.loads(text, json_options=json_util.CANONICAL_JSON_OPTIONS)
    if not isinstance(token, Mapping):
        raise ValueError("a resume token is a document")
    return token


@dataclass(frozen=True)
class ChangeBatch:
    """What has become of documents; of those that changed several times, the last state.

    Attributes:
        found: documents as the stream gives them.
        gone: `_id`s, as text, of deleted ones.
        unclear: `_id`s of documents that the stream does not give, or not whole: they have to be read.
        markers: the markers that came by; every change from before one was written has come by as well.
        token: where to resume from, once these changes have been applied; it moves on without changes too.
        resumed: the connection broke and the driver has opened the stream anew.
        level_at: with these changes applied, the reader knows the database as it was at this Unix time, in seconds.
    """

    found: tuple[Record, ...]
    gone: tuple[str, ...]
    unclear: tuple[Any, ...]
    markers: frozenset[str]
    token: Token | None
    level_at: float
    resumed: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing has changed."""
        return not (self.found or self.gone or self.unclear)


class ChangeFeed:
    """One open change stream. Any error closes it: open another one, after the last token that was applied.

    It drives the driver's blocking stream in a thread, a whole batch a time: 23 µs of CPU an event, against 90 µs event
    by event through the asyncio wrapper.
    """

    def __init__(self, stream: CollectionChangeStream[Any], address: str, poll_s: float) -> None:
        self._stream = stream
        self._address = address
        self._poll_s = poll_s
        self._answered_at = -float("inf")

    async def next_batch(self, limit: int, gather_s: float) -> ChangeBatch:
        """Return what has changed since the last time: up to `limit` events, or an empty batch when nothing has.

        Args:
            limit: how many events at most.
            gather_s: while much changes, it is asked for at most once in so many seconds, and then taken together.

        Raises:
            CatalogueUnavailable: the database is away.
            HistoryLost: the collection was dropped or renamed, or the server no longer has the changes.
        """
        return await to_the_end(self._drain, limit, gather_s)  # a thread must not be on a stream that is being closed

    async def close(self) -> None:
        """Close the stream, whatever state it is in."""
        with contextlib.suppress(PyMongoError):  # a stream that cannot be closed is gone already
            await asyncio.to_thread(self._stream.close)

    def _drain(self, limit: int, gather_s: float) -> ChangeBatch:
        cursor = _cursor(self._stream)
        with translated(self._address):
            events, level_at = self._collect(limit, gather_s)
            token = self._stream.resume_token
        last: dict[Any, Event] = {}
        for event in events:
            if event["operationType"] in ENDING:
                raise HistoryLost(f"the products' collection was changed as a whole ({event['operationType']})")
            last[event["documentKey"]["_id"]] = event
        markers = {one for one in last if isinstance(one, str) and one.startswith(MARKER_PREFIX)}
        states = {one: _state(event) for one, event in last.items() if one not in markers}
        return ChangeBatch(
            found=tuple(state for state in states.values() if isinstance(state, Record)),
            gone=tuple(str(one) for one, state in states.items() if state is None),
            unclear=tuple(one for one, state in states.items() if isinstance(state, BrokenDocument)),
            markers=frozenset(markers),
            token=token,
            level_at=level_at,
            resumed=_cursor(self._stream) is not cursor,
        )

    def _collect(self, limit: int, gather_s: float) -> tuple[list[Event], float]:
        """Return what one question to the server brings, not sooner than `gather_s` seconds after the last answer."""
        time.sleep(max(0.0, self._answered_at + gather_s - time.monotonic()))
        asked_at, started = time.time(), time.monotonic()
        event = self._stream.try_next()
        if event is None:  # MongoDB has waited for events; the stand-in answers at once and is asked again later
            time.sleep(max(0.0, started + self._poll_s - time.monotonic()))
            return [], asked_at
        events = [event]
        while len(events) < limit and _has_more(self._stream) and (event := self._stream.try_next()) is not None:
            events.append(event)
        self._answered_at = time.monotonic()
        return events, asked_at if len(events) < limit else _written_at(events[-1])


def _has_more(stream: CollectionChangeStream[Any]) -> bool:
    """Whether the next event is here already. The driver does not say so in public; without it, each comes alone."""
    return bool(getattr(_cursor(stream), "_data", None))


def _cursor(stream: CollectionChangeStream[Any]) -> object:
    """Return the driver's cursor: another one after it has resumed the stream by itself, which it does not say either."""
    return getattr(stream, "_cursor", None)


def _state(event: Event) -> Record | BrokenDocument | None:
    """Return the document that an event leaves behind, None when it was deleted.

    An update's document may be missing, when it has been deleted since.
    """
    if event["operationType"] == "delete":
        return None
    document_id = event["documentKey"]["_id"]
    return read_document({**(event.get("fullDocument") or {}), "_id": document_id})


def _written_at(event: Event) -> float:
    """Return when the database took a change: its wall time (MongoDB 6 and later), else its cluster time."""
    moment = event.get("wallTime") or event.get("clusterTime")
    if isinstance(moment, Timestamp):
        moment = moment.as_datetime()
    return moment.timestamp() if isinstance(moment, datetime) else time.time()
