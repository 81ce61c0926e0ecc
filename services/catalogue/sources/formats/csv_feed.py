"""CSV feeds: any delimiter, quoted fields over several lines, and broken rows."""

import csv
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from services.catalogue.sources.parsing.lines import Line, LineReader
from services.catalogue.sources.records.fields import RowBuilder, key_of
from services.catalogue.sources.records.images import split_images
from services.catalogue.sources.records.key_registry import KeyRegistry
from services.catalogue.sources.records.mapping import FeedMapping, ValueType
from services.catalogue.sources.records.money import is_money
from services.catalogue.sources.records.rows import RejectedRow, RowError, SourceError, SourceRow
from services.contracts.domain.filters import AttributeValue

DELIMITERS = (",", ";", "\t", "|")
MAX_RECORD_LINES = 100
MAX_RECORD_CHARS = 128 * 1024
OPEN_QUOTE = "unexpected end of data"  # the csv module's error in strict mode for a record that ends inside quotes
# Text is a number only if formatting the number gives the same text: no leading zeros, no exponent, no plus sign.
NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,6})?")
# Columns with labels, even if they consist of digits.
LABELS = frozenset({"gtin", "ean", "upc", "isbn", "mpn", "sku", "item_group_id", "size", "brand", "color", "colour"})

csv.field_size_limit(MAX_RECORD_CHARS)


class CsvFeed:
    """A CSV or TSV file. Its first line has the column names."""

    kind = "CSV feed"

    def __init__(self, path: Path, mapping: FeedMapping, images_root: Path, builder: RowBuilder | None = None) -> None:
        """Open the feed and read its header; `builder` turns its records into rows. Default: RowBuilder.

        Raises:
            SourceError: it cannot be read, or a required column is missing.
        """
        self._lines = LineReader(path)
        self._builder = builder or RowBuilder(mapping, images_root)
        self._types = mapping.types
        self._keys = KeyRegistry()
        numbered = iter(self._lines)
        self._delimiter, columns = read_header(numbered, path)
        self._columns = columns
        self._names = _names(columns, self._builder, path)
        self._records = Records(numbered, self._delimiter, len(columns))

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield every record after the header, as a product or as a rejected row."""
        for number, fields in self._records:
            if isinstance(fields, str):
                yield RejectedRow(number, None, fields)
            else:
                yield self._row(number, fields)

    def progress(self) -> tuple[int, int]:
        """Return the bytes read and the size in bytes."""
        return self._lines.position, self._lines.size

    def close(self) -> None:
        """Close the file."""
        self._lines.close()
        self._keys.close()

    def _row(self, number: int, fields: list[str]) -> SourceRow | RejectedRow:
        if len(fields) != len(self._names):
            return RejectedRow(number, None, f"the row has {len(fields)} fields instead of {len(self._names)}")
        record = self._record(fields)
        try:
            row = self._builder.row(number, record)
        except RowError as error:
            return RejectedRow(number, key_of(record), str(error))
        first = self._keys.first(row.key, number)
        if first != number:
            return RejectedRow(number, row.key, f"the id {row.key} is already on line {first}")
        return row

    def _record(self, fields: list[str]) -> dict[str, Any]:
        record: dict[str, Any] = {}
        for column, name, text in zip(self._columns, self._names, fields, strict=True):
            if name == "images":  # the only field of several columns
                record[name] = record.get(name, []) + split_images(text)
            elif name is not None:
                record[name] = self._value(column, name, text)
        return record

    def _value(self, column: str, name: str, text: str) -> AttributeValue:
        kind = self._types.get(column) or self._types.get(name)
        return text if name in ("id", "image", "image_url", "url", "title", "category") else typed(text, name, kind)


def typed(text: str, name: str, kind: ValueType | None) -> AttributeValue:
    """Return the value of a CSV field: a number or a boolean if the text is one, unless `kind` excludes it."""
    text = text.strip()
    if kind == "text" or (kind is None and (name.casefold() in LABELS or is_money(name))):
        return text
    if kind != "boolean" and NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    if kind != "number" and text.casefold() in ("true", "false"):
        return text.casefold() == "true"
    return text


class Records:
    """Joins lines to records: the first line's number with the fields or with an error.

    A quote that is never closed would take the rest of the feed. In this case only its line is rejected, and reading
    continues with the next line.
    """

    def __init__(self, lines: Iterator[Line], delimiter: str, width: int, max_lines: int = MAX_RECORD_LINES) -> None:
        self._lines = lines
        self._max_lines = max_lines
        self._delimiter = delimiter
        self._width = width
        self._unread: deque[Line] = deque()

    def __iter__(self) -> Iterator[tuple[int, list[str] | str]]:
        while (line := self._next()) is not None:
            if line.fault is not None:
                yield line.number, line.fault
            elif line.text.strip():
                yield line.number, self._record(line)

    def _next(self) -> Line | None:
        return self._unread.popleft() if self._unread else next(self._lines, None)

    def _record(self, first: Line) -> list[str] | str:
        lines = [first]
        fields = split([first.text], self._delimiter)
        while fields == OPEN_QUOTE and self._extend(lines):
            fields = split([line.text for line in lines], self._delimiter)
        if len(lines) > 1 and (isinstance(fields, str) or len(fields) != self._width):
            self._unread.extendleft(reversed(lines[1:]))
            fields = OPEN_QUOTE
        if fields == OPEN_QUOTE:
            return "a quote on this line is not closed"
        return f"not CSV: {fields}" if isinstance(fields, str) else fields

    def _extend(self, lines: list[Line]) -> bool:
        """Add lines up to the next one with a quote, which may be the closing quote."""
        size = sum(len(line.text) for line in lines)
        while len(lines) < self._max_lines and size <= MAX_RECORD_CHARS and (line := self._next()) is not None:
            if line.fault is not None:
                self._unread.appendleft(line)
                return False
            lines.append(line)
            size += len(line.text)
            if '"' in line.text:
                return True
        return False


def split(lines: list[str], delimiter: str) -> list[str] | str:
    """Return the fields of a record from its lines, or the error of the csv module."""
    try:
        return next(csv.reader(lines, delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        return str(error)


def read_header(lines: Iterator[Line], path: Path) -> tuple[str, list[str]]:
    """Return the delimiter and the columns of a table, from the first line that is not blank.

    Raises:
        SourceError: there is no header, or it cannot be read.
    """
    line = next((line for line in lines if line.text.strip() or line.fault), Line(1))
    if line.fault is not None:
        raise SourceError(f"the first line of {path} cannot be read: {line.fault}")
    splits = {delimiter: split([line.text], delimiter) for delimiter in DELIMITERS}
    columns = {delimiter: names for delimiter, names in splits.items() if isinstance(names, list)}
    if not line.text.strip() or not columns:
        raise SourceError(f"{path} has no header: its first line must have the column names")
    best = max(columns, key=lambda delimiter: len(columns[delimiter]))
    return best, [name.strip() for name in columns[best]]


def _names(columns: list[str], builder: RowBuilder, path: Path) -> list[str | None]:
    names = [builder.name(column) for column in columns]
    known = [name for name in names if name is not None]
    duplicate = next((name for name in known if known.count(name) > 1 and name != "images"), None)
    if duplicate is not None:
        raise SourceError(f"{path} has two columns {duplicate!r}: rename one, or map or ignore it with --mapping")
    shown = ", ".join(columns[:12])
    if "id" not in known:
        raise SourceError(f"{path} has no column id (its columns: {shown}): rename a column, or map one with --mapping")
    if not {"image", "image_url", "images"} & set(known):
        raise SourceError(f"{path} has no column image or image_url (its columns: {shown}): map one with --mapping")
    return names
