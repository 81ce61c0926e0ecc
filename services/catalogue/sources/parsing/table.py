"""Reads the header and the records of a table: any delimiter, quoted fields over several lines, and broken rows."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.catalogue.sources.parsing.lines import Line, LineQueue
from services.catalogue.sources.records.rows import SourceError

DELIMITERS = (",", ";", "\t", "|")
PLAIN_QUOTES = frozenset("\t|")  # between these, a quote that is not closed is a character
SEPARATOR_LINE = re.compile(r'"?sep=([^\w\s"]|\t)"?[\s;,]*', re.IGNORECASE)
# First columns of a header that begins with `#`.
MARKED_HEADERS = frozenset({"id", "handle", "sku", "g:id", "product id", "product_id"})
UNDECODED = "\ufffd"
MAX_RECORD_LINES = 100
MAX_RECORD_CHARS = 128 * 1024
# Reading lines again costs at most this many times the feed: in a feed whose quotes stay open from line to line, each
# line would otherwise be read as part of a record a hundred times.
REREAD_FACTOR = 4
REREAD_START = 8 * MAX_RECORD_CHARS  # in addition, so that a few open quotes at the beginning are read as elsewhere
LINE_CHARS = 64  # what a line costs in addition to its characters
OPEN_QUOTE = "unexpected end of data"  # the csv module's error in strict mode for a record that ends inside quotes

csv.field_size_limit(MAX_RECORD_CHARS)


@dataclass(frozen=True, slots=True)
class BrokenRecord:
    """A line that is not a record: the reason, and the text of its first cell if it can be read."""

    reason: str
    first_cell: str | None = None


class Records:
    """Joins lines to records: the first line's number with the fields or with the broken record.

    A quote that is never closed would take the rest of the feed. In this case only its line is rejected, and reading
    continues with the next line. Between tabs and bars, such a quote is a character.
    If very many lines have such quotes, a quote on one of them joins fewer lines, or none.
    Comment lines are left out.
    """

    def __init__(self, lines: LineQueue, delimiter: str, width: int, max_lines: int = MAX_RECORD_LINES) -> None:
        self._lines = lines
        self._max_lines = max_lines
        self._delimiter = delimiter
        self._width = width
        mark = re.escape(delimiter)
        self._reread_chars = REREAD_START  # that may still be read as part of a record in vain
        self._first_cell = re.compile(rf'"([^"]*)"{mark}|([^"{mark}]*){mark}')

    def __iter__(self) -> Iterator[tuple[int, list[str] | BrokenRecord]]:
        for line in self._lines:
            if line.fault is not None:
                yield line.number, self._broken(line, line.fault)
            elif line.text.strip():
                record = self._record(line)
                if isinstance(record, BrokenRecord) or not _is_comment(record):
                    yield line.number, record

    def _record(self, first: Line) -> list[str] | BrokenRecord:
        self._reread_chars += REREAD_FACTOR * (len(first.text) + LINE_CHARS)
        fields: list[str] | str
        if '"' not in first.text and len(first.text) <= MAX_RECORD_CHARS:
            return self._fitted(first, first.text.rstrip("\r\n").split(self._delimiter))
        lines = [first]
        texts = pulled_texts(lines, self._lines, self._max_lines, min(MAX_RECORD_CHARS, self._reread_chars))
        try:
            fields = next(csv.reader(texts, delimiter=self._delimiter, strict=True), [])
        except csv.Error as error:
            fields = str(error)
        if isinstance(fields, list) and (len(lines) == 1 or self._is_one_record(lines, fields)):
            return self._fitted(first, fields)
        self._lines.unread(lines[1:])
        self._reread_chars -= sum(len(line.text) + LINE_CHARS for line in lines[1:])
        plain = _plain(first.text, self._delimiter)
        if self._delimiter in PLAIN_QUOTES and len(_trimmed(plain, self._width)) == self._width:
            return self._fitted(first, plain)
        is_open = len(lines) > 1 or fields == OPEN_QUOTE
        return self._broken(first, "a quote on this line is not closed" if is_open else f"not CSV: {fields}")

    def _is_one_record(self, lines: list[Line], fields: list[str]) -> bool:
        """Return whether lines that quotes join are one record, and not several rows with quotes as characters."""
        size = len(_trimmed(fields, self._width))
        if size == self._width:
            return self._delimiter not in PLAIN_QUOTES or not self._are_rows(lines)
        return size < self._width and all(
            2 * len(_plain(line.text, self._delimiter)) <= self._width for line in lines[1:]
        )

    def _are_rows(self, lines: list[Line]) -> bool:
        """Return whether each line is a row if quotes are characters, and the first has no cell in quotes."""
        rows = [_trimmed(_plain(line.text, self._delimiter), self._width) for line in lines]
        if any(len(cell) > 1 and cell[0] == cell[-1] == '"' for cell in rows[0]):
            return False
        return all(len(row) == self._width and row[0].strip(' "') for row in rows)

    def _fitted(self, line: Line, fields: list[str]) -> list[str] | BrokenRecord:
        """Return the fields without surplus empty ones at the end; missing ones are not added."""
        fields = _trimmed(fields, self._width)
        if len(fields) <= self._width:
            return fields
        return self._broken(line, f"the row has {len(fields)} fields instead of {self._width}")

    def _broken(self, line: Line, reason: str) -> BrokenRecord:
        cell = self._first_cell.match(line.text)
        text = cell and (cell[1] if cell[1] is not None else cell[2])
        return BrokenRecord(reason, text if text and UNDECODED not in text else None)


def pulled_texts(
    lines: list[Line], queue: LineQueue, max_lines: int, max_chars: int = MAX_RECORD_CHARS
) -> Iterator[str]:
    """Yield the text of the only line in a list, then of those that follow in the queue, and add them to the list.

    A reader of CSV takes another line as long as a quote is open, so that a record costs its own size.
    """
    yield lines[0].text
    size = len(lines[0].text)
    while len(lines) < max_lines and size <= max_chars and (line := next(queue, None)) is not None:
        if line.fault is not None:
            queue.unread([line])
            return
        lines.append(line)
        size += len(line.text)
        yield line.text


def _plain(text: str, delimiter: str) -> list[str]:
    """Return the fields of a line in which quotes are characters."""
    return text.rstrip("\r\n").split(delimiter)


def _trimmed(fields: list[str], width: int) -> list[str]:
    """Return the fields without the empty ones after the last column."""
    size = len(fields)
    while size > width and not fields[size - 1].strip():
        size -= 1
    return fields[:size]


def _is_comment(fields: list[str]) -> bool:
    """Return whether every cell that is not empty begins with `#`, as in Meta's template."""
    return fields[0].lstrip().startswith("#") and all(text.lstrip()[:1] in ("", "#") for text in fields)


def read_header(lines: LineQueue, path: Path) -> tuple[str, list[str]]:
    """Return the delimiter and the columns of a table. Blank and comment lines before the header are left out.

    A first line `sep=;`, as Excel writes it, names the delimiter.

    Raises:
        SourceError: there is no header, or it cannot be read.
    """
    delimiters: tuple[str, ...] = DELIMITERS
    for line in lines:
        if line.fault is not None:
            raise SourceError(f"the first line of {path} cannot be read: {line.fault}")
        if (separator := SEPARATOR_LINE.fullmatch(line.text)) is not None:
            delimiters = (separator[1],)
        elif line.text.strip():
            delimiter, columns = _header_record(line, lines, delimiters)
            if columns and (not columns[0].startswith("#") or columns[0].lstrip("# ").lower() in MARKED_HEADERS):
                return delimiter, [columns[0].lstrip("# "), *columns[1:]]
    raise SourceError(f"{path} has no header: its first line must have the column names")


def _header_record(line: Line, lines: LineQueue, delimiters: tuple[str, ...]) -> tuple[str, list[str]]:
    """Return the delimiter that gives most columns, and these. Names may have line breaks inside quotes.

    In a template's comment each cell begins with `#`, and its text may have more delimiters of another kind.
    """
    best: tuple[tuple[bool, int], str, list[str], int] = ((False, 0), delimiters[0], [], 1)
    for delimiter in delimiters:
        pulled = [line]
        try:
            reader = csv.reader(pulled_texts(pulled, lines, MAX_RECORD_LINES), delimiter=delimiter, strict=True)
            columns = next(reader, [])
        except csv.Error:
            columns = []
        lines.unread(pulled[1:])
        # `Categories (x,y,z...)` is one name, also in a table with commas elsewhere.
        rank = (len(columns) > 1 and _is_comment(columns), sum(name.count("(") == name.count(")") for name in columns))
        if rank > best[0]:
            best = (rank, delimiter, columns, len(pulled))
    for _ in range(best[3] - 1):
        next(lines)
    return best[1], [name.strip() for name in best[2]]
