"""A worker's part of an import: the importer of `lookalike import`, run over the rows of one block."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from services.bulk.feed_blocks import FeedBlock, Row
from services.bulk.worker_services import OpenServices, WorkerLoop, WorkerServices
from services.catalogue.importing.description import Placer
from services.catalogue.importing.importer import Importer, ImportOptions, ImportServices
from services.catalogue.importing.report import RejectedFile, RejectedFileError, Tally
from services.catalogue.retry import RetriesExhausted
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RejectedRow
from services.contracts.domain.errors import LookalikeError
from services.contracts.wire.embedding import MAX_BATCH


@dataclass(frozen=True)
class BlockResult:
    """The result of a block.

    Attributes:
        block: the block without its rows.
        tried: the positions of its rows.
        rejected: the rejected rows, additional images and values.
        again: the positions of the rows that these belong to.
        tally: its counts.
        failure: why the block could not be imported to its end.
    """

    block: FeedBlock
    tried: tuple[int, ...] = ()
    rejected: tuple[RejectedRow, ...] = ()
    again: tuple[int, ...] = ()
    tally: Tally = field(default_factory=Tally)
    failure: str | None = None


class BlockSource:
    """The rows of a block, as a source."""

    kind = "block"

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = rows

    def rows(self) -> Iterator[Row]:
        """Yield the rows."""
        yield from self._rows

    def progress(self) -> tuple[int, int]:
        """Return nothing: the reader knows."""
        return 0, 0

    def close(self) -> None:
        """Nothing is open."""


class RejectedRows(RejectedFile):
    """The rejected rows of a block, for the file that the run writes."""

    def __init__(self) -> None:
        super().__init__(None)
        self.rows: list[RejectedRow] = []

    def add(self, row: RejectedRow) -> None:
        """Take a row."""
        self.rows.append(row)


@dataclass(frozen=True)
class ImportWork:
    """Opens a worker of an import. It can be pickled.

    Attributes:
        services: what the worker calls.
        categories: those of the model.
        mapping: the feed's words in the model's terms.
        first: the model that searches use where none has been promoted.
        url_template: as `ImportOptions`.
    """

    services: WorkerServices
    categories: tuple[str, ...]
    mapping: FeedMapping
    first: str
    url_template: str | None = None

    def __call__(self) -> "BlockImporter":
        """Open the services of a worker."""
        return BlockImporter(self, WorkerLoop(self.services))


class BlockImporter:
    """Imports blocks, one after the other. A block may come twice: unchanged products are skipped."""

    def __init__(self, work: ImportWork, loop: WorkerLoop) -> None:
        self._work = work
        self._loop = loop

    def __call__(self, block: FeedBlock) -> BlockResult:
        """Import a block."""
        return self._loop.run(lambda services: import_block(block, self._work, services))


async def import_block(block: FeedBlock, work: ImportWork, services: OpenServices) -> BlockResult:
    """Import the rows of a block and return the result."""
    rejected = RejectedRows()
    importer = Importer(
        BlockSource(row for _, row in block.rows),
        Placer(work.categories, work.mapping),
        ImportServices(services.embedding, services.database, services.fetcher, services.retry),
        rejected,
        ImportOptions(work.url_template, together=MAX_BATCH, per_host=work.services.per_host),
    )
    failure = None
    try:
        await importer.run(work.first, services.stopping)
    except (RetriesExhausted, RejectedFileError, LookalikeError) as error:
        failure = str(error)
    positions = {(row.line, row.key): number for number, row in block.rows}
    again = {positions[row.line, row.key] for row in rejected.rows}
    tried = tuple(number for number, _ in block.rows)
    rest = block.without_rows()
    return BlockResult(rest, tried, tuple(rejected.rows), tuple(again), importer.tally, failure)
