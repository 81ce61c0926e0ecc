"""The change stream of the products, batch by batch."""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import json_util
from bson.timestamp import Timestamp
from pymongo.change_stream import CollectionChangeStream
from pymongo.errors import PyMongoError

from services.catalogue.documents.product_document import MARKER_PREFIX, BrokenDocument, Record, read_document
from services.catalogue.store.mongo.errors import HistoryLost, translated
from services.catalogue.threads import ended
from services.contracts.domain.errors import CatalogueUnavailable

Token = Mapping[str, Any]
Event = Mapping[str, Any]
TIMESTAMP_TAG = "82"  # in hexadecimal digits, at the beginning of a token of MongoDB: its cluster time follows
# After one of these events the stream has no more events of the collection.
ENDING = frozenset({"drop", "rename", "dropDatabase", "invalidate"})


def token_text(token: Token) -> str:
    """Return a token as text that keeps every BSON type in it."""
    return json_util.dumps(token, json_options=json_util.CANONICAL_JSON_OPTIONS)


def read_token(text: str) -> Token:
    """Return the token that `token_text` made a text of.

    Raises:
        ValueError: the text is not a token.
    """
    token = json_util.loads(text, json_options=json_util.CANONICAL_JSON_OPTIONS)
    if not isinstance(token, Mapping):
        raise ValueError("a resume token is a document")
    return token


def is_of_router(client: Any) -> bool:
    """Return whether a blocking client is connected to routers of a sharded cluster, directly or by a load balancer.

    Raises:
        PyMongoError: no server can be reached.
    """
    return bool(client.is_mongos) or client.topology_description.topology_type_name == "LoadBalanced"


def cluster_time(token: Token | None) -> float | None:
    """Return the Unix time up to which a stream has been read, in whole seconds; None if the token does not tell.

    A token of MongoDB is a KeyString, which begins with the cluster time: its seconds, and a number within the second.
    """
    data = "" if token is None else str(token.get("_data"))
    seconds = data.removeprefix(TIMESTAMP_TAG)[:8]
    if not data.startswith(TIMESTAMP_TAG) or len(seconds) < 8:
        return None
    try:
        return float(int(seconds, 16))
    except ValueError:
        return None


@dataclass(frozen=True)
class ChangeBatch:
    """Changes of documents; of a document that changed several times, the last state.

    Attributes:
        changed: documents as the stream delivers them.
        deleted: `_id`s, as text, of deleted documents.
        unclear: `_id`s of documents that the stream does not deliver completely: they have to be read.
        markers: the markers in the batch; all changes that were made before one was written have been delivered.
        token: where to resume after these changes; it advances without changes too.
        resumed: the connection broke and the driver has opened the stream again.
        level_at: with these changes applied, the reader has the state of the database at this Unix time, in seconds.
    """

    changed: tuple[Record, ...]
    deleted: tuple[str, ...]
    unclear: tuple[Any, ...]
    markers: frozenset[str]
    token: Token | None
    level_at: float
    resumed: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing has changed."""
        return not (self.changed or self.deleted or self.unclear)


class ChangeFeed:
    """One open change stream. After an error, open another one after the last token that was applied.

    It runs the driver's blocking stream in a thread, one batch at a time: 23 µs of CPU an event, instead of 90 µs
    through the asyncio wrapper, which delivers single events. The thread is its own: while nothing changes it waits for
    the database, and other work would wait for a shared one.
    """

    def __init__(
        self, stream: CollectionChangeStream[Any], address: str, poll_s: float, *, is_sharded: bool = False
    ) -> None:
        """Take an open stream.

        Args:
            stream: the driver's.
            address: the database's, for errors.
            poll_s: the time between two requests without changes, in seconds.
            is_sharded: whether the stream is of a router. It holds events back until every shard has reached their
                time, so a response without events does not mean that there are none.
        """
        self.is_sharded = is_sharded
        self._stream = stream
        self._address = address
        self._poll_s = poll_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="changes")
        self._responded_at = -float("inf")

    async def next_batch(self, limit: int, gather_s: float) -> ChangeBatch:
        """Return the next changes: up to `limit` events, or an empty batch.

        Args:
            limit: the most events.
            gather_s: the least time between two batches with changes, in seconds.

        Raises:
            CatalogueUnavailable: the database is unavailable.
            HistoryLost: the collection was dropped or renamed, or the server no longer has the changes.
        """
        drained = asyncio.get_running_loop().run_in_executor(self._thread, self._drain, limit, gather_s)
        return await ended(drained)  # a thread must not use a stream that is being closed

    async def close(self) -> None:
        """Close the stream."""
        with contextlib.suppress(PyMongoError):  # a stream that cannot be closed has ended already
            await asyncio.to_thread(self._stream.close)
        self._thread.shutdown(wait=False)

    def _drain(self, limit: int, gather_s: float) -> ChangeBatch:
        cursor = _cursor(self._stream)
        with translated(self._address):
            events, level_at = self._collect(limit, gather_s)
            token = self._stream.resume_token
        reached = cluster_time(token) if self.is_sharded else None
        last: dict[Any, Event] = {}
        for event in events:
            if event["operationType"] in ENDING:
                raise HistoryLost(f"the products' collection was changed as a whole ({event['operationType']})")
            last[event["documentKey"]["_id"]] = event
        markers = {name for name in last if isinstance(name, str) and name.startswith(MARKER_PREFIX)}
        states = {document_id: _state(event) for document_id, event in last.items() if document_id not in markers}
        return ChangeBatch(
            changed=tuple(state for state in states.values() if isinstance(state, Record)),
            deleted=tuple(str(document_id) for document_id, state in states.items() if state is None),
            unclear=tuple(name for name, state in states.items() if isinstance(state, BrokenDocument)),
            markers=frozenset(markers),
            token=token,
            level_at=level_at if reached is None else min(level_at, reached),
            resumed=_cursor(self._stream) is not cursor,
        )

    def _collect(self, limit: int, gather_s: float) -> tuple[list[Event], float]:
        """Return the events of one request to the server, at least `gather_s` seconds after the last response
        with events.
        """
        time.sleep(max(0.0, self._responded_at + gather_s - time.monotonic()))
        requested_at, started = time.time(), time.monotonic()
        event = self._stream.try_next()
        if event is None and not self._stream.alive:
            raise CatalogueUnavailable("the catalogue's database has ended the change stream", self._address)
        if event is None:  # MongoDB has waited for events; other servers may respond at once
            time.sleep(max(0.0, started + self._poll_s - time.monotonic()))
            return [], requested_at
        events = [event]
        while len(events) < limit and _has_more(self._stream) and (event := self._stream.try_next()) is not None:
            events.append(event)
        self._responded_at = time.monotonic()
        return events, requested_at if len(events) < limit else _written_at(events[-1])


def _has_more(stream: CollectionChangeStream[Any]) -> bool:
    """Whether the next event has arrived.

    The driver has no public way to tell; without this, each event comes alone.
    """
    return bool(getattr(_cursor(stream), "_data", None))


def _cursor(stream: CollectionChangeStream[Any]) -> object:
    """Return the driver's cursor: a new one after the driver has resumed the stream by itself."""
    return getattr(stream, "_cursor", None)


def _state(event: Event) -> Record | BrokenDocument | None:
    """Return the document after an event; None if it was deleted.

    The document of an update is missing if it has been deleted since.
    """
    if event["operationType"] == "delete":
        return None
    document_id = event["documentKey"]["_id"]
    return read_document({**(event.get("fullDocument") or {}), "_id": document_id})


def _written_at(event: Event) -> float:
    """Return the time of a change: its wall time (MongoDB 6 and later), otherwise its cluster time."""
    moment = event.get("wallTime") or event.get("clusterTime")
    if isinstance(moment, Timestamp):
        moment = moment.as_datetime()
    return moment.timestamp() if isinstance(moment, datetime) else time.time()
