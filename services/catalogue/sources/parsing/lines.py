"""Reads the lines of a feed as a stream, with bounded memory for any content."""

import codecs
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from services.catalogue.sources.records.rows import SourceError

MAX_LINE_BYTES = 1 << 20
CHUNK = 1 << 16
START_BYTES = 1 << 10  # of a line that is too long: its id may be in them


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a feed, counted from 1, with its line end.

    `fault` says why it cannot be read; `text` is then its start, with U+FFFD for each byte that cannot be decoded.
    """

    number: int
    text: str = ""
    fault: str | None = None


class LineQueue:
    """An iterator over lines that takes lines back."""

    def __init__(self, lines: Iterable[Line]) -> None:
        """Create the queue of lines."""
        self._lines = iter(lines)
        self._unread: deque[Line] = deque()

    def __iter__(self) -> "LineQueue":
        return self

    def __next__(self) -> Line:
        return self._unread.popleft() if self._unread else next(self._lines)

    def unread(self, lines: list[Line]) -> None:
        """Put lines back, in their order, before those that are not read yet."""
        self._unread.extendleft(reversed(lines))


class LineReader:
    """Reads a UTF-8 file line by line, with or without a byte order mark. Lines end with LF, CRLF or CR, also mixed."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            SourceError: it cannot be opened.
        """
        self._path = path
        try:
            self._file: BinaryIO = path.open("rb")
            self.size = path.stat().st_size
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}") from None
        start = self._file.read(3)
        self._file.seek(3 if start == codecs.BOM_UTF8 else 0)
        self.position = 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __iter__(self) -> LineQueue:
        """Return the lines.

        Iterating raises SourceError if the file cannot be read to its end.
        """
        return LineQueue(self._read())

    def _read(self) -> Iterator[Line]:
        number = 0
        try:
            for number, (data, size) in enumerate(self._split(), start=1):
                self.position += size
                yield self._line(number, data, size)
        except OSError as error:
            raise SourceError(f"{self._path} cannot be read after line {number}: {error.strerror}") from None
        self.position = self.size

    def _split(self) -> Iterator[tuple[bytes, int]]:
        """Yield each line and its size in bytes; of a line that is too long, only its start."""
        rest, start, dropped = b"", b"", 0
        while chunk := self._file.read(CHUNK):
            *lines, rest = (rest + chunk).splitlines(keepends=True)
            if rest.endswith(b"\n"):  # a CR at the end of the chunk may be the first half of CRLF
                lines.append(rest)
                rest = b""
            for line in lines:
                yield start or line, dropped + len(line)
                start, dropped = b"", 0
            if len(rest) > MAX_LINE_BYTES + 2:
                start = start or rest[:START_BYTES]
                dropped += len(rest) - 1
                rest = rest[-1:]
        if rest:
            yield start or rest, dropped + len(rest)

    def _line(self, number: int, data: bytes, size: int) -> Line:
        if size > MAX_LINE_BYTES + 2:
            return Line(
                number,
                data[:START_BYTES].decode("utf-8", "replace"),
                f"the line is longer than {MAX_LINE_BYTES:,} bytes",
            )
        try:
            return Line(number, data.decode("utf-8"))
        except UnicodeDecodeError as error:
            fault = f"not UTF-8 at byte {error.start + 1} of the line"
            return Line(number, data[:START_BYTES].decode("utf-8", "replace"), fault)
