"""Reads the lines of a feed as a stream, with bounded memory for any content."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from services.catalogue.sources.records.rows import SourceError

MAX_LINE_BYTES = 1 << 20
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a feed, counted from 1, with its line end. `fault` says why it cannot be read."""

    number: int
    text: str = ""
    fault: str | None = None


class LineReader:
    """Reads a UTF-8 file line by line, with or without a byte order mark."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            SourceError: it cannot be opened, or has another encoding.
        """
        self._path = path
        try:
            self._file: BinaryIO = path.open("rb")
            self.size = path.stat().st_size
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}") from None
        start = self._file.read(3)
        if start[:2] in UTF16:
            self._file.close()
            raise SourceError(f"{path} is in UTF-16: save it as UTF-8")
        self._file.seek(3 if start == codecs.BOM_UTF8 else 0)
        self.position = 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __iter__(self) -> Iterator[Line]:
        """Yield the lines.

        Raises:
            SourceError: the file cannot be read to its end.
        """
        number = 0
        try:
            while data := self._file.readline(MAX_LINE_BYTES + 1):
                number += 1
                self.position += len(data)
                yield self._line(number, data)
        except OSError as error:
            raise SourceError(f"{self._path} cannot be read after line {number}: {error.strerror}") from None

    def _line(self, number: int, data: bytes) -> Line:
        if len(data) > MAX_LINE_BYTES and not data.endswith(b"\n"):
            self._skip_to_end()
            return Line(number, fault=f"the line is longer than {MAX_LINE_BYTES:,} bytes")
        try:
            return Line(number, data.decode("utf-8"))
        except UnicodeDecodeError as error:
            return Line(number, fault=f"not UTF-8 at byte {error.start + 1} of the line")

    def _skip_to_end(self) -> None:
        while (more := self._file.readline(MAX_LINE_BYTES)) and not more.endswith(b"\n"):
            self.position += len(more)
        self.position += len(more)
