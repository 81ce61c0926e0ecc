"""Source → catalogue: read, skip unchanged products, embed the others in batches, write in bulk.

Several batches are under way at once, so that files are read while the network works and the database writes. Every
write is the whole product under its key, after its pictures: an import that was killed anywhere can just be run again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from services.catalogue.importing.description import Described, Placer, describe
from services.catalogue.importing.embedding import RowEmbedder
from services.catalogue.importing.image_cache import ImageCache
from services.catalogue.importing.images import ImageLoader
from services.catalogue.importing.ports import BatchEmbedder, Catalogue, Fetcher
from services.catalogue.importing.report import Outcome, OutcomeLog, RejectedFile, Tally
from services.catalogue.importing.sorting import sort_out
from services.catalogue.importing.web_images import PER_HOST, WebImages
from services.catalogue.importing.writing import ProductWriter
from services.catalogue.retry import Retry
from services.catalogue.sources.records.rows import RejectedRow, Source, SourceError, SourceRow, notes_of
from services.contracts.wire.embedding import MAX_BATCH

# Products that are written together: a round trip to the database costs as much for four times as many. Of those with
# images on the web it is MAX_BATCH: they come slowly, and should soon be in the catalogue.
TOGETHER = 4 * MAX_BATCH
MAX_NOT_TAKEN = 10 * MAX_BATCH  # rejected and skipped rows, before the counts are reported again


@dataclass(frozen=True)
class ImportOptions:
    """How to import.

    Attributes:
        url_template: a product page's address with `{id}` in it, for rows without one.
        limit: the most products taken from the source; all when None.
        together: products of a batch.
        in_flight: batches under way at once.
        per_host: images that are fetched from one web server at once.
    """

    url_template: str | None = None
    limit: int | None = None
    together: int = TOGETHER
    in_flight: int = 4
    per_host: int = PER_HOST


@dataclass(frozen=True)
class ImportServices:
    """What an import calls."""

    embedding: BatchEmbedder
    catalogue: Catalogue
    fetcher: Fetcher
    retry: Retry


async def _no_wait() -> None:
    """Return at once."""


@dataclass(frozen=True)
class ImportHooks:
    """Callbacks of an import.

    Attributes:
        on_progress: called with the counts after each group of products.
        on_outcome: called for each row.
        room: awaited before rows are read, so that the consumer of the outcomes can slow the import down.
    """

    on_progress: Callable[[Tally], None] = lambda _: None
    on_outcome: Callable[[Outcome], None] = lambda _: None
    room: Callable[[], Awaitable[None]] = _no_wait


@dataclass
class _Reading:
    """Rows of the source: products, rejected and left out ones; whether the source has ended, or broken off."""

    batch: list[Described] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)
    skipped: list[SourceRow] = field(default_factory=list)
    ended: bool = False
    broken: SourceError | None = None


class Importer:
    """One import of one source. `tally` can be read at any time."""

    def __init__(
        self,
        source: Source,
        placer: Placer,
        services: ImportServices,
        rejected_file: RejectedFile,
        options: ImportOptions | None = None,
        hooks: ImportHooks | None = None,
    ) -> None:
        self._source = source
        self._placer = placer
        self._services = services
        self._retry = services.retry
        self._options = options or ImportOptions()
        self._hooks = hooks or ImportHooks()
        self._outcomes = OutcomeLog(rejected_file, self._hooks.on_outcome)
        self._cache = ImageCache(services.catalogue, services.retry)
        self._writer = ProductWriter(services.catalogue, services.retry, self._outcomes)
        self._broken: SourceError | None = None

    @property
    def tally(self) -> Tally:
        """The counts."""
        return self._outcomes.tally

    async def run(self, first: str, stopping: asyncio.Event) -> None:
        """Import until the source ends or `stopping` is set; what the network has under way then is written.

        Products without a vector of the model that searches use are embedded again. The note of the models is read for
        every batch: an import may last longer than a change of models.

        Args:
            first: the model that searches use where none has been promoted.
            stopping: set to end early.

        Raises:
            SourceError: the source breaks off.
            RetriesExhausted, Stopped: a service stays unavailable; `stopping` was set while waiting for one.
            RejectedFileError: rejected rows cannot be written down.
            LookalikeError: a service fails in a way that waiting does not mend.
        """
        slots = asyncio.Semaphore(self._options.in_flight)
        web = WebImages(self._services.fetcher, stopping, self._options.per_host)
        loader = ImageLoader(web, self._outcomes, stopping)

        async def import_batch(batch: list[Described]) -> None:
            try:
                await self._batch(batch, loader, first)
            finally:
                slots.release()

        try:
            async with asyncio.TaskGroup() as group:
                async for batch in self._batches(stopping):
                    await slots.acquire()
                    group.create_task(import_batch(batch))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        if self._broken is not None:
            raise self._broken

    async def _batches(self, stopping: asyncio.Event) -> AsyncIterator[list[Described]]:
        self.tally.add_notes(notes_of(self._source))
        rows = self._source.rows()
        left = self._options.limit
        while not stopping.is_set() and left != 0:
            await self._hooks.room()
            together = self._options.together
            reading = await asyncio.to_thread(self._read, rows, together if left is None else min(together, left))
            self.tally.add_notes(notes_of(self._source))
            self._report(reading)
            left = None if left is None else left - len(reading.batch)
            if reading.batch:
                yield reading.batch
            if reading.ended:
                self._broken = reading.broken  # the rows before it are imported first
                return

    def _read(self, rows: Iterator[SourceRow | RejectedRow], size: int) -> _Reading:
        """Read at most `size` products. It runs in a thread, and changes nothing of the importer's."""
        reading = _Reading()
        while len(reading.batch) < size and len(reading.rejected) + len(reading.skipped) < MAX_NOT_TAKEN:
            try:
                row = next(rows, None)
            except SourceError as error:
                reading.broken, row = error, None
            if row is None:
                reading.ended = True
                break
            if isinstance(row, RejectedRow):
                reading.rejected.append(row)
            elif (placement := self._placer.place(row)) is None:
                reading.skipped.append(row)
            else:
                reading.batch.append(describe(row, placement, self._options.url_template))
                size = min(size, MAX_BATCH) if isinstance(row.image, str) else size
        return reading

    def _report(self, reading: _Reading) -> None:
        self.tally.read += len(reading.batch) + len(reading.rejected) + len(reading.skipped)
        for row in reading.skipped:
            self._outcomes.done(row, self.tally.count_left_out(row))
        for rejected in reading.rejected:
            self._outcomes.rejected(rejected)
        self._hooks.on_progress(self.tally)

    async def _batch(self, batch: list[Described], loader: ImageLoader, first: str) -> None:
        catalogue = self._services.catalogue
        model, secondary = (await self._retry.call(catalogue.models.note)).written(first)
        keys = [item.row.key for item in batch]
        known = await self._retry.call(lambda: catalogue.products.fingerprints(keys))
        for item in batch:
            self.tally.leave_out(item.row.left_out)
            self._outcomes.values_not_understood(item.row)
        recalled = await self._cache.recall(batch, known, model)
        embedder = RowEmbedder(self._services.embedding, catalogue, self._retry, loader, self._outcomes)
        async for group in loader.load(batch, recalled):
            rows = sort_out(group, known, model)
            self.tally.unchanged += len(rows.unchanged)
            for row in rows.unchanged:
                self._outcomes.done(row.item.row, "unchanged")
            self.tally.not_modified += sum(row.main.data is None for row in group)
            await self._writer.write(await embedder.products(rows, known, model, secondary), known)
            await self._cache.remember(group, recalled)
            self._hooks.on_progress(self.tally)
