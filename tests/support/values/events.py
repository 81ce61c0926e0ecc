"""Events and searches for tests, and a log of them in lists."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from services.catalogue.events.event import Event
from services.catalogue.events.logged_query import LoggedQuery, QueryAttributes
from services.catalogue.store.events.event_log import Removed
from services.catalogue.store.mongo.bulk_write import InsertReport
from services.contracts.domain.errors import CatalogueUnavailable


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


@dataclass
class FakeEventLog:
    """The log of a catalogue, in lists. Every call raises `trouble` while it is set.

    `writes` has the number of events of each write.
    """

    kept: list[Event] = field(default_factory=list)
    searches: list[LoggedQuery] = field(default_factory=list)
    writes: list[int] = field(default_factory=list)
    indexed: list[float] = field(default_factory=list)
    trouble: CatalogueUnavailable | None = None

    async def add_events(self, events: Sequence[Event]) -> InsertReport:
        self._fail()
        self.writes.append(len(events))
        duplicates = set()
        for position, event in enumerate(events):
            if any(kept.event_id == event.event_id for kept in self.kept):
                duplicates.add(position)
            else:
                self.kept.append(event)
        return InsertReport(frozenset(duplicates))

    async def add_queries(self, queries: Sequence[LoggedQuery]) -> InsertReport:
        self._fail()
        self.searches += queries
        return InsertReport()

    async def events(self, since: datetime | None = None, until: datetime | None = None) -> AsyncIterator[list[Event]]:
        self._fail()
        yield [event for event in self.kept if _is_between(event.timestamp, since, until)]

    async def queries(
        self, since: datetime | None = None, until: datetime | None = None, *, latest_first: bool = False
    ) -> AsyncIterator[list[LoggedQuery]]:
        self._fail()
        chosen = [query for query in self.searches if _is_between(query.timestamp, since, until)]
        yield sorted(chosen, key=lambda query: query.timestamp, reverse=latest_first)

    async def references(self, since: datetime | None = None) -> AsyncIterator[list[tuple[str, str]]]:
        async for page in self.events(since):
            yield [(event.action_name, event.query_id) for event in page if event.query_id is not None]

    async def delete_visitor(self, client_id: str) -> Removed:
        self._fail()
        before = len(self.kept), len(self.searches)
        self.kept = [event for event in self.kept if event.client_id != client_id]
        self.searches = [query for query in self.searches if query.client_id != client_id]
        return Removed(before[0] - len(self.kept), before[1] - len(self.searches))

    async def ensure_indexes(self, days: float) -> None:
        self._fail()
        self.indexed.append(days)

    async def remove_expired(self, days: float) -> Removed:
        self._fail()
        old = datetime.now(UTC) - timedelta(days=days)
        expired = [query for query in self.searches if query.timestamp < old]
        self.searches = [query for query in self.searches if query not in expired]
        return Removed(0, len(expired))

    def _fail(self) -> None:
        if self.trouble is not None:
            raise self.trouble


def _is_between(moment: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or moment >= since) and (until is None or moment < until)
