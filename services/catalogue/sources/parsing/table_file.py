"""A table in a file, which can be read more than once."""

from pathlib import Path

from services.catalogue.sources.parsing.lines import LineReader
from services.catalogue.sources.parsing.table import MAX_RECORD_LINES, Records, read_header


class TableFile:
    """A file with a header and records.

    Attributes:
        path: the file's.
        columns: the column names in the header.
    """

    def __init__(self, path: Path, max_lines: int = MAX_RECORD_LINES) -> None:
        """Open the file and read its header; a record has at most `max_lines` lines.

        Raises:
            SourceError: it cannot be read, or has no header.
        """
        self.path = path
        self._max_lines = max_lines
        self._unread: Records | None
        self._lines, self._unread = self._open()

    def records(self) -> Records:
        """Return the records from the first one on.

        Raises:
            SourceError: the file cannot be read.
        """
        records, self._unread = self._unread, None
        if records is None:
            self._lines.close()
            self._lines, records = self._open()
        return records

    def progress(self) -> tuple[int, int]:
        """Return the bytes read and the size in bytes."""
        return self._lines.position, self._lines.size

    def close(self) -> None:
        """Close the file."""
        self._lines.close()

    def _open(self) -> tuple[LineReader, Records]:
        lines = LineReader(self.path)
        try:
            numbered = iter(lines)
            delimiter, self.columns = read_header(numbered, self.path)
        except BaseException:
            lines.close()
            raise
        return lines, Records(numbered, delimiter, len(self.columns), self._max_lines)
