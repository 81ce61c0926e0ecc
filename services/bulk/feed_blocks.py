"""A feed in blocks: rows with the files of their local images, so that a worker on another machine needs no other."""

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from services.bulk.checkpoint import Checkpoint, RowDigest
from services.catalogue.importing.description import Placer
from services.catalogue.importing.removal import kept_keys
from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import (
    Loader,
    RejectedRow,
    Source,
    SourceError,
    SourceImageError,
    SourceRow,
    notes_of,
)
from services.catalogue.sources.source_part import SourcePart
from services.contracts.domain.parts import WHOLE, Part
from services.contracts.wire.embedding import MAX_BATCH

Row = SourceRow | RejectedRow
BLOCK_ROWS = 4 * MAX_BATCH
BLOCK_BYTES = 16 * 1024 * 1024  # of local images


@dataclass(frozen=True)
class FeedBlock:
    """Rows of a feed that a worker imports together.

    Attributes:
        rows: the rows, with their positions in the feed, from 0.
        done: how many rows of the feed are done after this block and those before it, and their digest.
        progress: the amount read and the total, as `Source.progress`.
        keys: what `--sync` keeps; empty if there is no need to know.
        unreadable: rows without a readable id.
        restarts: whether an interrupted run read other rows, so that this one begins at the first row.
        notes: the oddities of the source that did no harm.
        broken: why the source cannot be read to its end.
    """

    rows: tuple[tuple[int, Row], ...] = ()
    done: tuple[int, str] | None = None
    progress: tuple[int, int] = (0, 0)
    keys: tuple[str, ...] = ()
    unreadable: int = 0
    restarts: bool = False
    notes: tuple[str, ...] = ()
    broken: str | None = None

    def without_rows(self) -> "FeedBlock":
        """Return what the process that merges the results has to know."""
        return replace(self, rows=())


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """A loader of a local image whose bytes are there, or the reason why they are not."""

    data: bytes
    reason: str | None = None

    def __call__(self) -> bytes:
        if self.reason is not None:
            raise SourceImageError(self.reason)
        return self.data


@dataclass(frozen=True)
class FeedReader:
    """Reads a feed in blocks. It can be pickled; each call reads from the beginning, with the same blocks.

    Attributes:
        path: the feed or archive.
        mapping: its names in Lookalike's terms.
        categories: those of the model.
        images: the folder of its image paths.
        part: the products to read.
        limit: the most products.
        records_keys: whether the blocks have `keys`.
        start: the rows that are done.
        open: opens the source.
    """

    path: Path
    mapping: FeedMapping
    categories: tuple[str, ...]
    images: Path | None = None
    part: Part = WHOLE
    limit: int | None = None
    records_keys: bool = False
    start: Checkpoint | None = None
    open: Callable[[Path, FeedMapping | None, Path | None], Source] = open_source

    def __call__(self) -> Iterator[FeedBlock]:
        """Yield the blocks; the last one says why the source cannot be read to its end, if it cannot."""
        if self.start is not None:
            if (yield from self._blocks(self.start)):
                return
            yield FeedBlock(restarts=True)
        yield from self._blocks(Checkpoint(0, RowDigest().text()))

    def _blocks(self, start: Checkpoint) -> Generator[FeedBlock, None, bool]:
        """Yield the blocks after a checkpoint and return True; False if the source has other rows before it."""
        try:
            source = self.open(self.path, self.mapping, self.images)
        except SourceError as error:
            yield FeedBlock(broken=str(error))
            return True
        try:
            return (yield from _Reading(self, source, start).blocks())
        finally:
            source.close()


class _Reading:
    """One time that a source is read."""

    def __init__(self, reader: FeedReader, source: Source, start: Checkpoint) -> None:
        self._reader = reader
        self._source = source
        self._start = start
        self._placer = Placer(reader.categories, reader.mapping)
        self._digest = RowDigest()
        self._count = self._products = self._size = 0
        self._is_past = False
        self._rows: list[tuple[int, Row]] = []
        self._keys: list[str] = []
        self._unreadable = 0

    def blocks(self) -> Generator[FeedBlock, None, bool]:
        """Yield the blocks; return whether the rows before the checkpoint are those of the checkpoint."""
        broken = None
        again, earlier = set(self._start.again), list[tuple[int, Row]]()
        rows = self._source_rows()
        while self._products != self._reader.limit:
            if self._count == self._start.rows:  # the checkpoint: from here on, every row is imported
                if self._digest.text() != self._start.digest:
                    return False
                self._is_past = True
                yield from self._loaded(earlier)
            try:
                row = next(rows, None)
            except SourceError as error:
                row, broken = None, str(error)
            if row is None:
                break
            number = self._read(row)
            if number in again:
                earlier.append((number, row))
            elif number >= self._start.rows:
                yield from self._loaded([(number, row)])
            if len(self._keys) >= BLOCK_ROWS:
                yield self._block()
        if self._count < self._start.rows:
            return False
        yield replace(self._block(), broken=broken)
        return True

    def _source_rows(self) -> Iterator[Row]:
        part = self._reader.part
        return (self._source if part.is_whole else SourcePart(self._source, part)).rows()

    def _read(self, row: Row) -> int:
        """Count a row and return its position."""
        self._digest.add(row)
        self._products += isinstance(row, SourceRow) and self._placer.place(row) is not None
        if self._reader.records_keys:
            self._unreadable += row.key is None
            self._keys += kept_keys(row, self._placer)
        self._count += 1
        return self._count - 1

    def _loaded(self, rows: Iterable[tuple[int, Row]]) -> Iterator[FeedBlock]:
        """Add rows with the files of their images, and yield the blocks that are full."""
        for number, row in rows:
            loaded, size = _with_files(row)
            self._rows.append((number, loaded))
            self._size += size
            most = MAX_BATCH if isinstance(row, SourceRow) and isinstance(row.image, str) else BLOCK_ROWS
            if len(self._rows) >= most or self._size >= BLOCK_BYTES:
                yield self._block()

    def _block(self) -> FeedBlock:
        """Return the rows since the last block."""
        block = FeedBlock(
            rows=tuple(self._rows),
            done=(self._count, self._digest.text()) if self._is_past else None,
            progress=self._source.progress(),
            keys=tuple(self._keys),
            unreadable=self._unreadable,
            notes=notes_of(self._source),
        )
        self._rows, self._keys, self._size, self._unreadable = [], [], 0, 0
        return block


def _with_files(row: Row) -> tuple[Row, int]:
    """Return a row whose local images are in memory, and their bytes."""
    if isinstance(row, RejectedRow):
        return row, 0
    image = row.image if isinstance(row.image, str) else _load(row.image)
    images = tuple(extra if extra.load is None else replace(extra, load=_load(extra.load)) for extra in row.images)
    files = [image, *(extra.load for extra in images)]
    size = sum(len(file.data) for file in files if isinstance(file, LoadedFile))
    return replace(row, image=image, images=images), size


def _load(load: Loader) -> LoadedFile:
    try:
        return LoadedFile(load())
    except SourceImageError as error:
        return LoadedFile(b"", str(error))
