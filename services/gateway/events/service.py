"""Events and searches of one catalogue: taking them in, and removing those of a visitor and those that are too old."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import structlog

from services.catalogue.events.event import Event
from services.catalogue.store.events.event_log import EventLog, Removed
from services.contracts.domain.errors import CatalogueUnavailable
from services.contracts.web.problems import invalid_request
from services.gateway.events.body import SHORT_BYTES, ReadEvents, fault, read_events
from services.gateway.events.query_log import QueryLog
from services.gateway.events.responses import EventsResponse
from services.gateway.events.writer import EventWriter

MAX_AHEAD = timedelta(minutes=5)  # of a client's clock
SWEEP_S = 3600.0  # between two removals of old documents
Forget = Callable[[str], Awaitable[None]]
log = structlog.get_logger()


class EventService:
    """The events of one catalogue.

    Attributes:
        queries: keeps searches.
        examining: held while a demand report is made, so that one is made at a time.
        forgetters: called with a visitor whose traces are being removed, after those in the database are.
    """

    def __init__(self, store: EventLog, days: float, *, keeps_vectors: bool, count: Callable[[str, int], None]) -> None:
        """Take the catalogue's log.

        Args:
            store: the log.
            days: for how long events and searches are kept.
            keeps_vectors: whether the vectors of searches are kept.
            count: called with what became of searches; see `QueryLog`.
        """
        self._store = store
        self._days = days
        self._writer = EventWriter(store)
        self.queries = QueryLog(store, keeps_vectors=keeps_vectors, count=count)
        self.examining = asyncio.Lock()
        self._reading = asyncio.Lock()
        self.forgetters: list[Forget] = []

    async def read(self, body: bytes, content_type: str) -> ReadEvents:
        """Return the events of a body; see `read_events`. Long ones are read one at a time, which bounds the memory.

        Raises:
            InvalidRequest: the body has none.
        """
        async with self._reading if len(body) > SHORT_BYTES else contextlib.nullcontext():
            return await read_events(body, content_type)

    async def accept(self, read: ReadEvents) -> EventsResponse:
        """Keep the valid events of a request; return when they are on disk.

        Raises:
            InvalidRequest: none of them is valid.
            TooManyRequests: too many events wait for the database.
            CatalogueUnavailable: the database is unavailable.
        """
        self._check_times(read)
        if not read.events:
            raise invalid_request(read.faults, Event)
        indexes = list(read.events)
        report = await self._writer.write(list(read.events.values()))
        for position, reason in report.failures.items():
            read.reject(indexes[position], fault(reason))
        problem = invalid_request(read.faults, Event) if read.faults else None
        return EventsResponse(
            accepted=len(read.events),
            duplicates=len(report.duplicates),
            rejected=sorted(read.rejected),
            errors=problem.extra["errors"] if problem else [],
            errors_left_out=problem.extra.get("errors_left_out", 0) if problem else 0,
        )

    async def delete_visitor(self, visitor: str) -> Removed:
        """Remove every trace of a visitor, also from what this process holds.

        Raises:
            CatalogueUnavailable: the database is unavailable; some traces may be left.
        """
        await self.queries.flush()
        removed = await self._store.delete_visitor(visitor)
        for forget in self.forgetters:
            await forget(visitor)
        return removed

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write searches, and remove old documents, for as long as the block lasts."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.queries.writing())
            stack.push_async_callback(self._writer.close)
            sweep = asyncio.create_task(self._sweep(), name="remove old events")
            stack.callback(sweep.cancel)
            yield

    def _check_times(self, read: ReadEvents) -> None:
        """Reject events of an impossible time."""
        now = datetime.now(UTC)
        oldest, latest = now - timedelta(days=self._days), now + MAX_AHEAD
        for index, event in list(read.events.items()):
            if not oldest <= event.timestamp <= latest:
                which = (
                    "in the future" if event.timestamp > latest else f"older than the {self._days:g} days of the log"
                )
                read.reject(index, fault(f"the time is {which}", "timestamp"))

    async def _sweep(self) -> None:
        while True:
            with contextlib.suppress(CatalogueUnavailable):
                await self._store.ensure_indexes(self._days)
                removed = await self._store.remove_expired(self._days)
                if removed.events or removed.queries:
                    log.info("old_events_removed", events=removed.events, searches=removed.queries)
            await asyncio.sleep(SWEEP_S)
