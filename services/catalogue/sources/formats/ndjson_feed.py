"""NDJSON feeds: one JSON object per line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from services.catalogue.sources.parsing.lines import Line, LineReader
from services.catalogue.sources.records.fields import RowBuilder, key_of
from services.catalogue.sources.records.images import listed_images
from services.catalogue.sources.records.key_registry import KeyRegistry
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RejectedRow, RowError, SourceRow


class NdjsonFeed:
    """A file with one JSON object per line. Values keep their types."""

    kind = "NDJSON feed"

    def __init__(self, path: Path, mapping: FeedMapping, images_root: Path) -> None:
        """Open the feed.

        Raises:
            SourceError: it cannot be read.
        """
        self._lines = LineReader(path)
        self._builder = RowBuilder(mapping, images_root)
        self._keys = KeyRegistry()

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield every line that is not blank, as a product or as a rejected row."""
        for line in self._lines:
            if line.fault is not None:
                yield RejectedRow(line.number, None, line.fault)
            elif line.text.strip():
                yield self._row(line)

    def progress(self) -> tuple[int, int]:
        """Return the bytes read and the size in bytes."""
        return self._lines.position, self._lines.size

    def close(self) -> None:
        """Close the file."""
        self._lines.close()
        self._keys.close()

    def _row(self, line: Line) -> SourceRow | RejectedRow:
        record: dict[str, Any] = {}
        try:
            record = self._renamed(_parsed(line.text))
            row = self._builder.row(line.number, record)
        except RowError as error:
            return RejectedRow(line.number, key_of(record), str(error))
        first = self._keys.first(row.key, line.number)
        if first != line.number:
            return RejectedRow(line.number, row.key, f"the id {row.key} is already on line {first}")
        return row

    def _renamed(self, document: dict[str, Any]) -> dict[str, Any]:
        record: dict[str, Any] = {}
        for field, value in _flat(document):
            name = self._builder.name(field)
            if name is None:
                continue
            if name == "images":
                record[name] = record.get(name, []) + listed_images(value)
                continue
            if name in record:
                raise RowError(f"two fields are {name!r}: rename one, or map or ignore it with --mapping")
            record[name] = value
        return record


def _flat(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the fields, with those of an object `attributes` (the form of the API) on the same level."""
    for name, value in document.items():
        if name == "attributes" and isinstance(value, dict):
            yield from value.items()
        else:
            yield name, value


def _parsed(text: str) -> dict[str, Any]:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise RowError(f"not JSON: {error.msg} at column {error.colno}") from None
    if not isinstance(document, dict):
        raise RowError("the line is not a JSON object")
    return document
