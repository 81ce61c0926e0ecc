"""One run: writes, searches and imports while processes are killed; then the results."""

import argparse
import asyncio
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx

from services.catalogue.store.database import CatalogueDatabase
from tests.faults import comparison
from tests.faults.events import EventSender
from tests.faults.feed import Feed
from tests.faults.journal import Journal
from tests.faults.plan import Kill, Plan, Write, category_of, vector_of
from tests.faults.searcher import Searcher
from tests.faults.servers import Importer, Servers
from tests.faults.writer import Writer

LEVEL_S = 600.0
EQUAL_S = 600.0
LOOK_S = 0.5
DATABASE_S = 60.0  # longer than a busy machine takes: an abandoned write could arrive after the next one


class Run:
    """The parts of a run, and its figures."""

    def __init__(self, options: argparse.Namespace, servers: Servers, folder: Path) -> None:
        """Make the parts; `options` are the command line's."""
        self._options = options
        self._servers = servers
        self._journal = Journal()
        self.searcher = Searcher(servers.index.url, servers.availability, self._journal, options.late)
        plan = Plan(options.seed, options.operations, options.products, options.batch)
        kinds = [*servers.killed, *(["importer"] if options.feed else [])]
        self._left = plan.kills(options.kills, kinds)
        self._store = CatalogueDatabase(servers.stack.mongo_url, timeout_s=DATABASE_S)
        self._writer = Writer(plan, self._store, self._journal, options.rate)
        self._importer = Importer(servers.stack, Feed(folder, options.feed, options.seed), self._journal)
        self._events = EventSender(servers.stack.gateway_url, self._store, options.events or 1)
        self._last = Write("last", options.operations + 1)
        self._tenths = 0
        self._kills: list[asyncio.Task[None]] = []
        self._seconds = self._level_s = 0.0

    async def all(self) -> None:
        """Write, import, search and kill until all operations are done; then wait until the index is up to date."""
        began = time.monotonic()
        async with self._store:
            async with asyncio.TaskGroup() as group:
                going_on = self._go_on(group)
                await self._writer.run(lambda batch: self._passed(batch, group))
                await asyncio.gather(*self._kills)
                self._seconds = time.monotonic() - began
                going_on()
            await self._writer.write([self._last])
        written = time.monotonic()
        async with asyncio.timeout(LEVEL_S):
            while not await asyncio.to_thread(self._is_level):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        self._level_s = time.monotonic() - written

    def _go_on(self, group: asyncio.TaskGroup) -> Callable[[], None]:
        """Search and import; return a function that ends both, the import after its last product."""
        ending = asyncio.Event()
        searching = group.create_task(self.searcher.run(self._options.pause))
        if self._options.feed:
            group.create_task(self._importer.run(ending))
        if self._options.events:
            group.create_task(self._events.run(ending))

        def end() -> None:
            ending.set()
            searching.cancel()

        return end

    def _passed(self, batch: list[Write], group: asyncio.TaskGroup) -> None:
        """Search for the written products, start the kills that are due, and print the progress."""
        self.searcher.look_for(batch)
        tenth = self._writer.done * 10 // self._options.operations
        if tenth > self._tenths:
            self._tenths = tenth
            sys.stderr.write(f"  {self._writer.done:,} operations, {len(self._kills)} kills\n")
        while self._left and self._left[0].after <= self._writer.done:
            self._kills.append(group.create_task(self._kill(self._left.pop(0))))

    async def _kill(self, kill: Kill) -> None:
        await (self._importer if kill.kind == "importer" else self._servers).kill(kill)

    def _is_level(self) -> bool:
        """Return whether the index finds the last write."""
        revision = self._last.revision
        try:
            first = self._servers.index.search(vector_of(revision), category_of(revision))[0]
            return bool(first["id"] == self._last.key)
        except httpx.HTTPError:
            return False

    def _shown(self, held: dict[str, comparison.Held]) -> comparison.Shown:
        """Return the products of the index, as it stores them."""
        milvus = self._servers.milvus
        return comparison.in_snapshot(self._servers.snapshots) if milvus is None else comparison.in_milvus(milvus, held)

    @property
    def _store_url(self) -> str:
        return self._servers.stack.mongo_url

    async def figures(self) -> tuple[dict[str, float], bool]:
        """Return all figures, and whether those that must be zero are zero."""
        held = await asyncio.to_thread(comparison.in_database, self._store_url)
        lost = comparison.lost(self._journal, held)
        apart = await asyncio.to_thread(comparison.eventually_equal, held, partial(self._shown, held), _pauses())
        async with self._store:
            lost_events = await self._events.lost()
        zeros: dict[str, float] = {
            "acknowledged writes lost": len(lost),
            "acknowledged events lost": len(lost_events),
            "wrong results of searches": self.searcher.wrong.total(),
            "products that differ between index and database": len(apart),
        }
        self.searcher.examples += [f"lost: {key}" for key in [*lost[:5], *lost_events[:5]]] + [
            f"apart: {key}" for key in apart[:5]
        ]
        return {**self._run_figures(), "products at the end": len(held), **zeros, **self.searcher.wrong}, not any(
            zeros.values()
        )

    def _run_figures(self) -> dict[str, float]:
        servers, importer = self._servers, self._importer
        return {
            "operations": self._writer.done,
            "operations/s": round(self._writer.done / self._seconds, 1),
            "batches without acknowledgement": self._writer.unanswered,
            "completed imports": importer.runs,
            "products written by them": importer.rows,
            "events sent": self._events.sent,
            "events acknowledged": len(self._events.acknowledged),
            "requests with events without acknowledgement": self._events.unanswered,
            "operations acknowledged, with the imports'": self._journal.acknowledged,
            **{f"kills of the {name}": count for name, count in {**servers.killed, "import": importer.killed}.items()},
            "kills": sum(servers.killed.values()) + importer.killed,
            "restarts of the servers": servers.restarts,
            **servers.log_counts(),
            **self.searcher.counts,
            "index up to date after the last write, s": round(self._level_s, 2),
        }


def _pauses() -> Iterator[None]:
    """Yield after a pause, until the time is over."""
    deadline = time.monotonic() + EQUAL_S
    return itertools.takewhile(lambda _: time.monotonic() < deadline, iter(lambda: time.sleep(LOOK_S), object()))
