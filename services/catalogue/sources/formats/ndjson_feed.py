"""An NDJSON feed: one JSON object a line."""

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
    """A file of JSON lines. Values keep their types."""

    kind = "NDJSON feed"

    def __init__(self, path: Path, mapping: FeedMapping, images_root: Path) -> None:
        """Open the feed.

        Raises:
            SourceError: it cannot be read.
        """
        self._lines = LineReader(path)
        self._builder = RowBuilder(mapping, images_root)
        self._seen = KeyRegistry()

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield every line that is not blank, as a product or with what is wrong with it."""
        for line in self._lines:
            if line.fault is not None:
                yield RejectedRow(line.number, None, line.fault)
            elif line.text.strip():
                yield self._row(line)

    def progress(self) -> tuple[int, int]:
        """Return the bytes read and the bytes there are."""
        return self._lines.position, self._lines.size

    def close(self) -> None:
        """Close the file."""
        self._lines.close()
        self._seen.close()

    def _row(self, line: Line) -> SourceRow | RejectedRow:
        record: dict[str, Any] = {}
        try:
            record = self._renamed(_parsed(line.text))
            row = self._builder.row(line.number, record)
        except RowError as error:
            return RejectedRow(line.number, key_of(record), str(error))
        first = self._seen.first(row.key, line.number)
        if first != line.number:
            return RejectedRow(line.number, row.key, f"the id {row.key} was already given on line {first}")
        return row

    def _renamed(self, document: dict[str, Any]) -> dict[str, Any]:
        record: dict[str, Any] = {}
        for theirs, value in _flat(document):
            ours = self._builder.name(theirs)
            if ours is None:
                continue
            if ours == "images":
                record[ours] = record.get(ours, []) + listed_images(value)
                continue
            if ours in record:
                raise RowError(f"two fields are {ours!r}: rename one, or map or ignore it with --mapping")
            record[ours] = value
        return record


def _flat(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the fields; those of an object `attributes`, the form in which the API takes them, as if they stood beside it."""
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
