"""One part of a source: several imports share a large one."""

from collections.abc import Iterator

from services.catalogue.sources.records.rows import RejectedRow, Source, SourceRow, notes_of
from services.contracts.domain.parts import Part


class SourcePart:
    """A source with the rows of one part. It reads every row; what costs time comes afterwards.

    Rows without an id belong to the first part, so that one import reports them.
    """

    def __init__(self, source: Source, part: Part) -> None:
        """Wrap a source. Closing stays with its owner."""
        self._source = source
        self._part = part

    @property
    def kind(self) -> str:
        """The kind of the source."""
        return self._source.kind

    @property
    def notes(self) -> tuple[str, ...]:
        """The oddities of the source, as sentences."""
        return notes_of(self._source)

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield the rows of the part."""
        for row in self._source.rows():
            if self._part.number == 1 if row.key is None else self._part.holds(row.key):
                yield row

    def progress(self) -> tuple[int, int]:
        """Return the progress of the source, of all its rows."""
        return self._source.progress()

    def close(self) -> None:
        """Close the source."""
        self._source.close()
