"""What the wrappers of a source share."""

from collections.abc import Iterator

from services.catalogue.sources.records.rows import RejectedRow, Source, SourceRow, notes_of


class WrappedSource:
    """A source that is read through another one; it passes everything on."""

    def __init__(self, source: Source) -> None:
        """Wrap a source."""
        self._source = source

    @property
    def kind(self) -> str:
        """The name of the format."""
        return self._source.kind

    @property
    def notes(self) -> tuple[str, ...]:
        """The oddities of the source, as sentences."""
        return notes_of(self._source)

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield every row.

        Raises:
            SourceError: the source cannot be read to its end.
        """
        yield from self._source.rows()

    def progress(self) -> tuple[int, int]:
        """Return the amount read and the total in the same unit, of the wrapped source."""
        return self._source.progress()

    def close(self) -> None:
        """Close the source."""
        self._source.close()
