"""Writes the events of requests that arrive at the same time together: one round trip for many."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.catalogue.events.event import Event
from services.catalogue.store.mongo.bulk_write import InsertReport
from services.contracts.domain.errors import LookalikeError, TooManyRequests

MAX_GROUP = 200  # events of one write: longer ones would hold up the event loop, and so the searches
GATHER_S = 0.05  # a group of 200 takes a third of the processor time of ten groups of 20
MAX_WAITING = 20_000


class EventSink(Protocol):
    """Where events are kept."""

    async def add_events(self, events: Sequence[Event]) -> InsertReport: ...


@dataclass(frozen=True, slots=True)
class _Part:
    """Events of one request that are written together."""

    events: Sequence[Event]
    done: asyncio.Future[InsertReport]


class EventWriter:
    """Events on their way to the database. For one event loop.

    The events of requests that arrive within GATHER_S, or while a write is under way, go together.
    """

    def __init__(self, sink: EventSink) -> None:
        """Take the place where events are kept."""
        self._sink = sink
        self._parts: deque[_Part] = deque()
        self._waiting = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """The number of events that are not written yet."""
        return self._waiting

    async def write(self, events: Sequence[Event]) -> InsertReport:
        """Return when the events are written; positions in the report are those in `events`.

        Raises:
            TooManyRequests: too many events wait for the database.
            CatalogueUnavailable: the database is unavailable. Some of the events may have been written.
        """
        if self._waiting + len(events) > MAX_WAITING:
            raise TooManyRequests("too many events wait for the database: send them again in a second", limit="events")
        loop = asyncio.get_running_loop()
        parts = [
            _Part(events[begin : begin + MAX_GROUP], loop.create_future()) for begin in range(0, len(events), MAX_GROUP)
        ]
        self._parts += parts
        self._waiting += len(events)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_all(), name="write events")
        reports = await asyncio.gather(*(part.done for part in parts), return_exceptions=True)
        return _joined(parts, reports)

    async def close(self) -> None:
        """Return when everything is written, or the database has refused it."""
        if self._task is not None:
            await self._task

    async def _write_all(self) -> None:
        while self._parts:
            if self._waiting < MAX_GROUP:
                await asyncio.sleep(GATHER_S)
            group = [self._parts.popleft()]
            size = len(group[0].events)
            while self._parts and size + len(self._parts[0].events) <= MAX_GROUP:
                group.append(self._parts.popleft())
                size += len(group[-1].events)
            await self._write_group(group)
            self._waiting -= size

    async def _write_group(self, group: Sequence[_Part]) -> None:
        try:
            report = await self._sink.add_events([event for part in group for event in part.events])
        except Exception as error:  # each request answers with it
            for part in group:
                if not part.done.done():  # the client may have disconnected
                    part.done.set_exception(error)
            return
        begin = 0
        for part in group:
            if not part.done.done():
                part.done.set_result(_slice(report, begin, begin + len(part.events)))
            begin += len(part.events)


def _slice(report: InsertReport, begin: int, end: int) -> InsertReport:
    """Return the part of a report about the documents from `begin` to before `end`."""
    return InsertReport(
        frozenset(position - begin for position in report.duplicates if begin <= position < end),
        {position - begin: reason for position, reason in report.failures.items() if begin <= position < end},
    )


def _joined(parts: Sequence[_Part], reports: Sequence[InsertReport | BaseException]) -> InsertReport:
    """Return the report of all parts of a request.

    Raises:
        LookalikeError: one of them was not written.
    """
    duplicates, failures, begin = set[int](), dict[int, str](), 0
    for part, report in zip(parts, reports, strict=True):
        if isinstance(report, BaseException):
            raise report if isinstance(report, LookalikeError) else RuntimeError("events were not written") from report
        duplicates |= {begin + position for position in report.duplicates}
        failures |= {begin + position: reason for position, reason in report.failures.items()}
        begin += len(part.events)
    return InsertReport(frozenset(duplicates), failures)
