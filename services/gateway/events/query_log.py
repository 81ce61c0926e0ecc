"""Keeps the searches that were answered. A search never waits for it."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

import structlog

from services.catalogue.events.logged_query import LoggedQuery
from services.catalogue.store.mongo.bulk_write import InsertReport
from services.contracts.domain.errors import CatalogueUnavailable
from services.contracts.web.background import in_background

MAX_WAITING = 10_000  # searches; about 10 MB
MAX_GROUP = 200
GATHER_S = 0.2  # for which searches are gathered before they are written together
PAUSES_S = (1.0, 2.0, 5.0, 15.0)  # after failed attempts, the last one again and again
log = structlog.get_logger()


class QuerySink(Protocol):
    """Where searches are kept."""

    async def add_queries(self, queries: Sequence[LoggedQuery]) -> InsertReport: ...


class QueryLog:
    """Searches on their way to the database. For one event loop.

    Attributes:
        keeps_vectors: whether the vectors of searches are kept.
    """

    def __init__(self, sink: QuerySink, *, keeps_vectors: bool, count: Callable[[str, int], None]) -> None:
        """Take the place where searches are kept.

        Args:
            sink: the place.
            keeps_vectors: whether to keep vectors.
            count: called with `kept` or `dropped`, and a number of searches.
        """
        self.keeps_vectors = keeps_vectors
        self._sink = sink
        self._count = count
        self._waiting: deque[LoggedQuery] = deque()
        self._has_some = asyncio.Event()
        self._writing = asyncio.Lock()

    @property
    def waiting(self) -> int:
        """The number of searches that are not written yet."""
        return len(self._waiting)

    def record(self, query: LoggedQuery) -> None:
        """Keep a search; drop it if too many wait for the database."""
        if len(self._waiting) >= MAX_WAITING:
            self._count("dropped", 1)
            return
        self._waiting.append(query)
        self._has_some.set()

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Write searches for as long as the block lasts, and those that still wait at its end."""
        try:
            async with in_background(self._write(), "write searches"):
                yield
        finally:
            try:
                await self.flush()
            except CatalogueUnavailable:
                self._count("dropped", len(self._waiting))

    async def flush(self) -> None:
        """Return when every search so far is written.

        Raises:
            CatalogueUnavailable: the database is unavailable; the searches wait on.
        """
        async with self._writing:
            while self._waiting:
                group = [self._waiting[n] for n in range(min(MAX_GROUP, len(self._waiting)))]
                report = await self._sink.add_queries(group)
                for _ in group:
                    self._waiting.popleft()
                self._count("kept", len(group) - len(report.failures))
                self._count("dropped", len(report.failures))

    async def _write(self) -> None:
        failures = 0
        while True:
            await self._has_some.wait()
            self._has_some.clear()
            await asyncio.sleep(GATHER_S)
            try:
                await self.flush()
                failures = 0
            except CatalogueUnavailable as error:
                if failures == 0:
                    log.warning("searches_not_kept", reason=error.detail, waiting=len(self._waiting))
                self._has_some.set()
                await asyncio.sleep(PAUSES_S[min(failures, len(PAUSES_S) - 1)])
                failures += 1
