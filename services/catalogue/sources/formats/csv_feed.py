"""A CSV feed: comma, semicolon or tab, quoted fields over several lines, and rows that are broken."""

import csv
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from services.catalogue.sources.parsing.lines import Line, LineReader
from services.catalogue.sources.records.fields import PRICES, RowBuilder, key_of
from services.catalogue.sources.records.images import split_images
from services.catalogue.sources.records.key_registry import KeyRegistry
from services.catalogue.sources.records.mapping import FeedMapping, ValueType
from services.catalogue.sources.records.rows import RejectedRow, RowError, SourceError, SourceRow
from services.contracts.domain.filters import AttributeValue

DELIMITERS = (",", ";", "\t", "|")
MAX_RECORD_LINES = 100
MAX_RECORD_CHARS = 128 * 1024
OPEN_QUOTE = "unexpected end of data"  # what the csv module says in strict mode when a record ends inside quotes
# A text is a number only if the number, written out, is the text again: no leading zeros, no exponent, no plus.
NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,6})?")
# Columns that hold labels even where all of them are digits.
LABELS = frozenset({"gtin", "ean", "upc", "isbn", "mpn", "sku", "item_group_id", "size", "brand", "color", "colour"})

csv.field_size_limit(MAX_RECORD_CHARS)


class CsvFeed:
    """A CSV or TSV file. Its first line names the columns."""

    kind = "CSV feed"

    def __init__(self, path: Path, mapping: FeedMapping, images_root: Path, builder: RowBuilder | None = None) -> None:
        """Open the feed and read its header; `builder` makes rows of its records, in its own way.

        Raises:
            SourceError: it cannot be read, or its first line does not name what is needed.
        """
        self._lines = LineReader(path)
        self._builder = builder or RowBuilder(mapping, images_root)
        self._types = mapping.types
        self._seen = KeyRegistry()
        numbered = iter(self._lines)
        self._delimiter, columns = read_header(numbered, path)
        self._columns = columns
        self._names = _names(columns, self._builder, path)
        self._records = Records(numbered, self._delimiter, len(columns))

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield every record after the header, as a product or with what is wrong with it."""
        for number, fields in self._records:
            if isinstance(fields, str):
                yield RejectedRow(number, None, fields)
            else:
                yield self._row(number, fields)

    def progress(self) -> tuple[int, int]:
        """Return the bytes read and the bytes there are."""
        return self._lines.position, self._lines.size

    def close(self) -> None:
        """Close the file."""
        self._lines.close()
        self._seen.close()

    def _row(self, number: int, fields: list[str]) -> SourceRow | RejectedRow:
        if len(fields) != len(self._names):
            return RejectedRow(number, None, f"{len(fields)} fields where {len(self._names)} are needed")
        record = self._record(fields)
        try:
            row = self._builder.row(number, record)
        except RowError as error:
            return RejectedRow(number, key_of(record), str(error))
        first = self._seen.first(row.key, number)
        if first != number:
            return RejectedRow(number, row.key, f"the id {row.key} was already given on line {first}")
        return row

    def _record(self, fields: list[str]) -> dict[str, Any]:
        record: dict[str, Any] = {}
        for theirs, ours, text in zip(self._columns, self._names, fields, strict=True):
            if ours == "images":  # the only field that several columns may hold
                record[ours] = record.get(ours, []) + split_images(text)
            elif ours is not None:
                record[ours] = self._value(theirs, ours, text)
        return record

    def _value(self, theirs: str, ours: str, text: str) -> AttributeValue:
        kind = self._types.get(theirs) or self._types.get(ours)
        return text if ours in ("id", "image", "image_url", "url", "title", "category") else typed(text, ours, kind)


def typed(text: str, name: str, kind: ValueType | None) -> AttributeValue:
    """Return a CSV field's value: a number or a boolean where the text is nothing else, unless `kind` says otherwise."""
    text = text.strip()
    if kind == "text" or (kind is None and (name.casefold() in LABELS or name in PRICES)):
        return text
    if kind != "boolean" and NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    if kind != "number" and text.casefold() in ("true", "false"):
        return text.casefold() == "true"
    return text


class Records:
    """Joins lines to records: line number and fields, or line number and what is wrong.

    A quote that is opened and never closed would swallow the rest of the feed: then only the line it is on is given
    up, and reading goes on with the next.
    """

    def __init__(self, lines: Iterator[Line], delimiter: str, width: int, max_lines: int = MAX_RECORD_LINES) -> None:
        self._lines = lines
        self._max_lines = max_lines
        self._delimiter = delimiter
        self._width = width
        self._returned: deque[Line] = deque()

    def __iter__(self) -> Iterator[tuple[int, list[str] | str]]:
        while (line := self._next()) is not None:
            if line.fault is not None:
                yield line.number, line.fault
            elif line.text.strip():
                yield line.number, self._record(line)

    def _next(self) -> Line | None:
        return self._returned.popleft() if self._returned else next(self._lines, None)

    def _record(self, first: Line) -> list[str] | str:
        used = [first]
        fields = split([first.text], self._delimiter)
        while fields == OPEN_QUOTE and self._extend(used):
            fields = split([line.text for line in used], self._delimiter)
        if len(used) > 1 and (isinstance(fields, str) or len(fields) != self._width):
            self._returned.extendleft(reversed(used[1:]))
            fields = OPEN_QUOTE
        if fields == OPEN_QUOTE:
            return "a quote is opened on this line and not closed"
        return f"not CSV: {fields}" if isinstance(fields, str) else fields

    def _extend(self, used: list[Line]) -> bool:
        """Add lines until one has a quote, which may be the closing one."""
        size = sum(len(line.text) for line in used)
        while len(used) < self._max_lines and size <= MAX_RECORD_CHARS and (line := self._next()) is not None:
            if line.fault is not None:
                self._returned.appendleft(line)
                return False
            used.append(line)
            size += len(line.text)
            if '"' in line.text:
                return True
        return False


def split(lines: list[str], delimiter: str) -> list[str] | str:
    """Return the fields of one record, given as its lines with their ends; or what the csv module has against it."""
    try:
        return next(csv.reader(lines, delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        return str(error)


def read_header(lines: Iterator[Line], path: Path) -> tuple[str, list[str]]:
    """Return a table's delimiter and its columns, from the first line that is not blank.

    Raises:
        SourceError: there is none, or it cannot be read.
    """
    line = next((line for line in lines if line.text.strip() or line.fault), Line(1))
    if line.fault is not None:
        raise SourceError(f"the first line of {path} cannot be read: {line.fault}")
    splits = {delimiter: split([line.text], delimiter) for delimiter in DELIMITERS}
    columns = {delimiter: found for delimiter, found in splits.items() if isinstance(found, list)}
    if not line.text.strip() or not columns:
        raise SourceError(f"{path} has no header: its first line must name the columns")
    best = max(columns, key=lambda delimiter: len(columns[delimiter]))
    return best, [name.strip() for name in columns[best]]


def _names(columns: list[str], builder: RowBuilder, path: Path) -> list[str | None]:
    names = [builder.name(column) for column in columns]
    known = [name for name in names if name is not None]
    twice = next((name for name in known if known.count(name) > 1 and name != "images"), None)
    if twice is not None:
        raise SourceError(f"{path} has two columns {twice!r}: rename one, or map or ignore it with --mapping")
    seen = ", ".join(columns[:12])
    if "id" not in known:
        raise SourceError(f"{path} has no column id (it has: {seen}): name it so, or map one to it with --mapping")
    if not {"image", "image_url", "images"} & set(known):
        raise SourceError(f"{path} has neither a column image nor image_url (it has: {seen}): map one with --mapping")
    return names
