"""One part of a source: several imports share a large one."""

from collections.abc import Iterator

from services.catalogue.sources.records.rows import RejectedRow, Source, SourceRow
from services.catalogue.sources.records.wrapped_source import WrappedSource
from services.contracts.domain.parts import Part


class SourcePart(WrappedSource):
    """A source with the rows of one part. It reads every row; what costs time comes afterwards.

    Rows without an id belong to the first part, so that one import reports them.
    """

    def __init__(self, source: Source, part: Part) -> None:
        """Wrap a source."""
        super().__init__(source)
        self._part = part

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield the rows of the part."""
        for row in self._source.rows():
            if self._part.number == 1 if row.key is None else self._part.holds(row.key):
                yield row
