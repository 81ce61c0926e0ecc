"""The log of a catalogue: its events, and the searches that they refer to.

A document is removed when its time is over: by MongoDB, through an index with an expiry, and by `remove_expired`,
because the stand-in for MongoDB has no such indexes.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pymongo
import structlog
from pymongo import ASCENDING, DESCENDING, WriteConcern
from pymongo.errors import OperationFailure

from services.catalogue.documents.product_document import Document
from services.catalogue.events.event import Action, Event
from services.catalogue.events.logged_query import LoggedQuery
from services.catalogue.store.events.documents import event_document, query_document, read_event, read_query
from services.catalogue.store.mongo.bulk_write import InsertReport, insert_new
from services.catalogue.store.mongo.connection import Connection
from services.catalogue.store.mongo.driver import Collection
from services.contracts.domain.catalogues import within
from services.contracts.domain.errors import CatalogueUnavailable

EVENTS, QUERIES = "events", "queries"
EXPIRY_INDEX = "expiry"
INDEX_OPTIONS_CONFLICT = 85
PAGE = 1000
IDS_PER_FILTER = 400  # the stand-in for MongoDB takes fewer than a thousand in one filter
Row = TypeVar("Row")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LogSize:
    """How much the log holds, and of which time; None for an empty log."""

    events: int
    queries: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Removed:
    """How much was removed from the log."""

    events: int
    queries: int


class EventLog:
    """The events and the searches of one catalogue. A write that returns is on the disks of a majority of servers."""

    def __init__(self, connection: Connection, catalogue: str) -> None:
        self._connection = connection
        self._names = within(EVENTS, catalogue), within(QUERIES, catalogue)
        self._indexed_days: float | None = None

    @property
    def _events(self) -> Collection:
        return self._collection(self._names[0])

    @property
    def _queries(self) -> Collection:
        return self._collection(self._names[1])

    def _collection(self, name: str) -> Collection:
        return self._connection.collection(name).with_options(write_concern=WriteConcern(w="majority", j=True))

    async def add_events(self, events: Sequence[Event]) -> InsertReport:
        """Keep events, each with an id and a timestamp. An event whose id is there already stays as it is."""
        documents: list[Document] = [event_document(event) for event in events]
        async with self._connection.call():
            return await insert_new(self._events, documents)

    async def add_queries(self, queries: Sequence[LoggedQuery]) -> InsertReport:
        """Keep searches. A search whose row id is there already stays as it is."""
        documents: list[Document] = [query_document(query) for query in queries]
        async with self._connection.call():
            return await insert_new(self._queries, documents)

    def events(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        actions: Sequence[Action] | None = None,
    ) -> AsyncIterator[list[Event]]:
        """Yield the events from `since` to before `until`, in the order of time, a page at a time."""
        chosen: Document = {} if actions is None else {"action_name": {"$in": [action.value for action in actions]}}
        return self._pages(self._events, {**_between(since, until), **chosen}, read_event)

    def queries(
        self, since: datetime | None = None, until: datetime | None = None, *, latest_first: bool = False
    ) -> AsyncIterator[list[LoggedQuery]]:
        """Yield the searches from `since` to before `until`, in the order of time, a page at a time."""
        direction = DESCENDING if latest_first else ASCENDING
        return self._pages(self._queries, _between(since, until), read_query, direction=direction)

    def references(self, since: datetime | None = None) -> AsyncIterator[list[tuple[str, str]]]:
        """Yield the action of each event that refers to a search, and the search's `query_id`, a page at a time."""
        fields = {"_id": 0, "action_name": 1, "query_id": 1}
        referring: Document = {**_between(since, None), "query_id": {"$exists": True}}
        return self._pages(self._events, referring, _reference, fields=fields)

    async def events_of(
        self, client_id: str, *, since: datetime | None = None, actions: Sequence[Action] | None = None, limit: int
    ) -> list[Event]:
        """Return the last events of a visitor, the latest first."""
        chosen: Document = {} if actions is None else {"action_name": {"$in": [action.value for action in actions]}}
        async with self._connection.call():
            cursor = self._events.find({"client_id": client_id, **_between(since, None), **chosen})
            documents = await cursor.sort("timestamp", DESCENDING).limit(limit).to_list(length=None)
        return [read_event(document) for document in documents]

    async def delete_visitor(self, client_id: str) -> Removed:
        """Remove every trace of a visitor.

        These are its events and searches, the events without a visitor that refer to its searches, and the searches
        without a visitor that its events refer to.
        """
        async with self._scan():
            mine = {"client_id": client_id}
            query_ids = {
                str(document["query_id"])
                for collection in (self._events, self._queries)
                for document in await collection.find(mine, {"query_id": 1}).to_list(length=None)
                if document.get("query_id") is not None
            }
            filters: list[Document] = [mine]
            ids = sorted(query_ids)
            for begin in range(0, len(ids), IDS_PER_FILTER):
                part = ids[begin : begin + IDS_PER_FILTER]
                filters.append({"query_id": {"$in": part}, "client_id": None})
            counts = [
                [(await collection.delete_many(filter_)).deleted_count for filter_ in filters]
                for collection in (self._events, self._queries)
            ]
        return Removed(sum(counts[0]), sum(counts[1]))

    async def remove_expired(self, days: float, now: datetime | None = None) -> Removed:
        """Remove events and searches that are older than a number of days."""
        old = _between(None, (now or datetime.now(UTC)) - timedelta(days=days))
        async with self._scan():
            events = (await self._events.delete_many(old)).deleted_count
            queries = (await self._queries.delete_many(old)).deleted_count
        return Removed(events, queries)

    async def ensure_indexes(self, days: float) -> None:
        """Create the indexes, and let MongoDB remove documents after a number of days.

        A user who may not create any works without: `remove_expired` has the same effect.
        """
        if self._indexed_days == days:
            return
        try:
            for collection in (self._events, self._queries):
                async with self._connection.call():
                    await self._expire(collection, int(days * 86400))
                    await collection.create_index("client_id")
                    await collection.create_index("query_id")
        except CatalogueUnavailable as error:
            log.warning("no_event_index", reason=error.detail)
            return
        self._indexed_days = days

    async def size(self) -> LogSize:
        """Return how much the log holds. After a crash of MongoDB the numbers may be slightly off for a while."""
        async with self._scan():
            counts = [await collection.estimated_document_count() for collection in (self._events, self._queries)]
            ends = [
                document["timestamp"]
                for collection in (self._events, self._queries)
                for direction in (ASCENDING, DESCENDING)
                for document in await collection.find({}, {"timestamp": 1})
                .sort("timestamp", direction)
                .limit(1)
                .to_list(length=None)
            ]
        moments = sorted(moment.astimezone(UTC) for moment in ends)
        return LogSize(counts[0], counts[1], *((moments[0], moments[-1]) if moments else (None, None)))

    @asynccontextmanager
    async def _scan(self) -> AsyncIterator[None]:
        """Give the block the deadline of a batch of a scan: the stand-in for MongoDB has no indexes."""
        async with self._connection.scan_call():
            with pymongo.timeout(self._connection.scan_timeout_s):  # replaces the client's socket timeout
                yield

    async def _expire(self, collection: Collection, seconds: int) -> None:
        try:
            await collection.create_index("timestamp", name=EXPIRY_INDEX, expireAfterSeconds=seconds)
        except OperationFailure as error:
            if error.code != INDEX_OPTIONS_CONFLICT:
                raise
            index = {"name": EXPIRY_INDEX, "expireAfterSeconds": seconds}  # the setting has changed
            await collection.database.command({"collMod": collection.name, "index": index})

    async def _pages(
        self,
        collection: Collection,
        chosen: Document,
        read: Callable[[Mapping[str, Any]], Row],
        *,
        fields: Document | None = None,
        direction: int = ASCENDING,
    ) -> AsyncIterator[list[Row]]:
        cursor = collection.find(chosen, fields).sort([("timestamp", direction), ("_id", direction)]).batch_size(PAGE)
        try:
            while True:
                async with self._scan():
                    page = await cursor.to_list(length=PAGE)
                if not page:
                    return
                yield [read(document) for document in page]
        finally:
            await cursor.close()


def _reference(document: Mapping[str, Any]) -> tuple[str, str]:
    return str(document["action_name"]), str(document["query_id"])


def _between(since: datetime | None, until: datetime | None) -> Document:
    bounds: Document = {}
    if since is not None:
        bounds["$gte"] = since
    if until is not None:
        bounds["$lt"] = until
    return {"timestamp": bounds} if bounds else {}
