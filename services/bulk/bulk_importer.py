"""An import whose reading, embedding and writing other processes do; this one merges the results of their blocks."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from services.bulk.block_importer import BlockResult, ImportWork
from services.bulk.checkpoint import CheckpointNote, FeedPosition
from services.bulk.engine import OpenEngine, opened, results
from services.bulk.feed_blocks import FeedReader, Row
from services.catalogue.importing.ports import ImporterError
from services.catalogue.importing.removal import FeedKeys
from services.catalogue.importing.report import RejectedFile, Tally
from services.catalogue.retry import Retry
from services.catalogue.sources.records.rows import SourceError

CONTINUED = "the first {:,} rows are not counted: an interrupted run has imported them (--restart reads them again)"


class RemoteSource:
    """A source that other processes read: this one knows its name and how far they have come."""

    def __init__(self, path: Path) -> None:
        """Name the source."""
        self.kind = path.name
        self.done = (0, 0)

    def rows(self) -> Iterator[Row]:
        """Yield nothing: the rows go to the workers."""
        yield from ()

    def progress(self) -> tuple[int, int]:
        """Return the amount read and the total in the same unit."""
        return self.done

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class BulkParts:
    """What a bulk import is made of.

    Attributes:
        reader, work: how the feed is read, and what the workers do; both are sent to them.
        source: shows the progress.
        note: the checkpoint.
        restarts: whether to begin at the first row and ignore the checkpoint.
    """

    reader: FeedReader
    work: ImportWork
    source: RemoteSource
    note: CheckpointNote
    restarts: bool = False


class BulkImporter:
    """One import of one source by an engine's workers. `tally` can be read at any time."""

    def __init__(
        self,
        parts: BulkParts,
        open_engine: OpenEngine,
        retry: Retry,
        rejected: RejectedFile,
        feed: FeedKeys | None = None,
        on_progress: Callable[[Tally], None] = lambda _: None,
    ) -> None:
        """Set the parts.

        Args:
            parts: what to import, and how.
            open_engine: starts what runs the workers.
            retry: waits while the database is unavailable.
            rejected: the file of rejected rows.
            feed: records the keys of the source, if they are needed.
            on_progress: called with the counts after each block.
        """
        self.tally = Tally()
        self._parts = parts
        self._open_engine = open_engine
        self._retry = retry
        self._rejected = rejected
        self._feed = feed
        self._on_progress = on_progress

    async def run(self, first: str, stopping: asyncio.Event) -> None:
        """Import until the source ends or `stopping` is set; the next run continues after the last block that is done.

        Args:
            first: the model that searches use where none has been promoted.
            stopping: set to end early. Blocks under way are given up.

        Raises:
            SourceError: the source breaks off.
            ImporterError: the engine, or a service of the workers, has failed.
            RetriesExhausted, Stopped: the database stays unavailable; `stopping` is set while waiting for it.
            RejectedFileError: rejected rows cannot be written down.
        """
        parts = self._parts
        start = None if parts.restarts else await self._retry.call(parts.note.load)
        position = FeedPosition(start)
        reader = replace(parts.reader, start=start, records_keys=self._feed is not None)
        is_continued = start is not None
        async with opened(self._open_engine) as engine:
            services = parts.work.services.shared_by(engine.workers)
            async for result in results(engine, reader, replace(parts.work, services=services, first=first), stopping):
                is_continued &= not result.block.restarts
                await self._take(result, position)
        if start is not None and is_continued:
            self.tally.add_notes([CONTINUED.format(start.rows)])
        if not stopping.is_set():
            await self._retry.call(parts.note.remove)

    async def _take(self, result: BlockResult, position: FeedPosition) -> None:
        block = result.block
        self._parts.source.done = block.progress
        self.tally.merge(result.tally)
        self.tally.add_notes(block.notes)
        for row in result.rejected:
            self._rejected.add(row)
        if self._feed is not None:
            self._feed.record(block.keys)
            self._feed.unreadable += block.unreadable
        if block.restarts:
            position.restart()
        if result.failure is not None:
            raise ImporterError(result.failure)
        if block.done is not None and (checkpoint := position.advance(*block.done, result.tried, result.again)):
            await self._retry.call(lambda: self._parts.note.save(checkpoint))
        self._on_progress(self.tally)
        if block.broken is not None:
            raise SourceError(block.broken)
