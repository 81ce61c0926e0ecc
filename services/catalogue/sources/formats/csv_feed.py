"""CSV feeds: a header with column names, and one product a record."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from services.catalogue.sources.parsing.lines import LineReader
from services.catalogue.sources.parsing.table import BrokenRecord, Records, read_header
from services.catalogue.sources.records.fields import FIELDS, RowBuilder, key_of
from services.catalogue.sources.records.images import split_images
from services.catalogue.sources.records.key_registry import KeyRegistry
from services.catalogue.sources.records.mapping import FeedMapping, ValueType
from services.catalogue.sources.records.money import is_money
from services.catalogue.sources.records.other_names import has_image, is_kept, other_names
from services.catalogue.sources.records.rows import RejectedRow, RowError, SourceError, SourceRow
from services.contracts.domain.filtering.filters import AttributeValue

# Text is a number only if formatting the number gives the same text: no leading zeros, no exponent, no plus sign.
NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,6})?")
# Columns with labels, even if they consist of digits.
LABELS = frozenset({"gtin", "ean", "upc", "isbn", "mpn", "sku", "item_group_id", "size", "brand", "color", "colour"})

IMAGES = frozenset({"image", "image_url"})
# Names with one value, as are those of prices: of several columns, the first value that is not empty counts.
SINGLE = frozenset(FIELDS) | {"currency", "availability", "condition"}


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
        # A column that stands for a field, and is also an attribute: the position and the attribute.
        self._also = [
            (place, own)
            for place, (column, name) in enumerate(zip(columns, self._names, strict=True))
            if (own := self._builder.name(column)) is not None and own != name and is_kept(own)
        ]
        self._repeated = _repeated(self._names)
        self._records = Records(numbered, self._delimiter, len(columns))

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield every record after the header, as a product or as a rejected row."""
        for number, fields in self._records:
            yield self._broken(number, fields) if isinstance(fields, BrokenRecord) else self._row(number, fields)

    def progress(self) -> tuple[int, int]:
        """Return the bytes read and the size in bytes."""
        return self._lines.position, self._lines.size

    def close(self) -> None:
        """Close the file."""
        self._lines.close()
        self._keys.close()

    def _broken(self, number: int, record: BrokenRecord) -> RejectedRow:
        """Return the rejected row, with its id if this is the first cell: an error may move the later cells."""
        has_id = self._names[0] == "id" and record.first_cell is not None
        return RejectedRow(number, key_of({"id": record.first_cell}) if has_id else None, record.reason)

    def _row(self, number: int, fields: list[str]) -> SourceRow | RejectedRow:
        width = len(self._names)
        record = self._record(fields + [""] * (width - len(fields)))
        try:
            row = self._builder.row(number, record)
        except RowError as error:
            missing = f"the row has {len(fields)} fields instead of {width}: " if len(fields) < width else ""
            return RejectedRow(number, key_of(record), f"{missing}{error}")
        first = self._keys.first(row.key, number)
        if first != number:
            return RejectedRow(number, row.key, f"the id {row.key} is already on line {first}")
        return row

    def _record(self, fields: list[str]) -> dict[str, Any]:
        """Return the values by name. Several columns of one name are a list, or the first value of a single field."""
        record: dict[str, Any] = {}
        for column, name, text in zip(self._columns, self._names, fields, strict=True):
            if name is None or (name in record and not text.strip()):
                continue
            if name == "images":
                record[name] = record.get(name, []) + split_images(text)
            elif name in IMAGES and record.get(name):
                record["images"] = record.get("images", []) + split_images(text)
            elif name in self._repeated and record.get(name) not in (None, ""):
                earlier = record[name]
                record[name] = [*(earlier if isinstance(earlier, list) else [earlier]), self._value(column, name, text)]
            elif name not in record or record[name] in (None, ""):
                record[name] = self._value(column, name, text)
        for place, name in self._also:
            record.setdefault(name, self._value(self._columns[place], name, fields[place]))
        return record

    def _value(self, column: str, name: str, text: str) -> AttributeValue:
        kind = self._types.get(column) or self._types.get(name)
        return text if name in FIELDS else typed(text, name, kind)


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


def _repeated(names: list[str | None]) -> frozenset[str]:
    """Return the names of several columns whose values are a list."""
    several = {name for name in names if name is not None and names.count(name) > 1}
    return frozenset(name for name in several - SINGLE if not is_money(name))


def _replace_missing(columns: list[str], names: list[str | None], builder: RowBuilder) -> None:
    """Name the columns with other names of a field, if the table has no column of the field itself."""
    free = [name for column, name in zip(columns, names, strict=True) if name and not builder.is_mapped(column)]
    for field, others in other_names(tuple(free)):
        is_image = field == "image"
        if field not in names and not (is_image and has_image(filter(None, names))):
            names[names.index(others[0])] = field


def _names(columns: list[str], builder: RowBuilder, path: Path) -> list[str | None]:
    names = [builder.name(column) for column in columns]
    _replace_missing(columns, names, builder)
    known = [name for name in names if name is not None]
    if known.count("id") > 1:
        raise SourceError(f"{path} has two columns 'id': rename one, or map or ignore it with --mapping")
    shown = ", ".join(columns[:12])
    if "id" not in known:
        raise SourceError(f"{path} has no column id (its columns: {shown}): rename a column, or map one with --mapping")
    if not {"image", "image_url", "images"} & set(known):
        raise SourceError(f"{path} has no column image or image_url (its columns: {shown}): map one with --mapping")
    return names
