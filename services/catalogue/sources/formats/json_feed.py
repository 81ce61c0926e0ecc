"""Feeds of JSON objects: one per line, in a list, or one after the other."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from services.catalogue.sources.formats.json_fields import id_at_start, no_object, parsed, record_of
from services.catalogue.sources.parsing.json_items import JsonItems
from services.catalogue.sources.parsing.json_layout import json_layout
from services.catalogue.sources.parsing.lines import LineReader
from services.catalogue.sources.records.fields import RowBuilder, key_of
from services.catalogue.sources.records.key_registry import KeyRegistry
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RejectedRow, RowError, SourceRow

AROUND = " \t\r\n\x1e"  # a line; RFC 7464 begins each with a record separator


class JsonRows:
    """Turns JSON objects into rows."""

    def __init__(self, mapping: FeedMapping, images_root: Path) -> None:
        self._builder = RowBuilder(mapping, images_root)
        self._keys = KeyRegistry()

    def _row(self, number: int, text: str | bytes, key: str | None = None) -> SourceRow | RejectedRow:
        """Return the row of an object; `key` is its id if it has none."""
        record: dict[str, Any] = {}
        try:
            document = parsed(text)
        except RowError as error:
            start = text if isinstance(text, str) else text.decode("utf-8", "replace")
            return self._broken(number, start, str(error))
        try:
            record = record_of(document, self._builder)
            if key is not None and record.get("id") in (None, ""):
                record["id"] = key
            row = self._builder.row(number, record)
        except RowError as error:
            return RejectedRow(number, key_of(record), str(error))
        first = self._keys.earlier(row.key, number)  # all products of an array may be on one line
        if first is not None:
            return RejectedRow(number, row.key, f"the id {row.key} is already on line {first}")
        return row

    def _broken(self, number: int, start: str, reason: str) -> RejectedRow:
        return RejectedRow(number, key_of({"id": id_at_start(start)}), reason)


class NdjsonFeed(JsonRows):
    """A file with one JSON object per line. Values keep their types."""

    kind = "NDJSON feed"

    def __init__(self, path: Path, mapping: FeedMapping, images_root: Path) -> None:
        """Open the feed.

        Raises:
            SourceError: it cannot be read.
        """
        super().__init__(mapping, images_root)
        self._lines = LineReader(path)

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield every line that is not blank, as a product or as a rejected row."""
        for line in self._lines:
            if line.fault is not None:
                yield self._broken(line.number, line.text, line.fault)
            elif text := line.text.strip(AROUND):
                yield self._row(line.number, text)

    def progress(self) -> tuple[int, int]:
        """Return the bytes read and the size in bytes."""
        return self._lines.position, self._lines.size

    def close(self) -> None:
        """Close the file."""
        self._lines.close()
        self._keys.close()


class JsonFeed(JsonRows):
    """A file with a list of products, also inside an object, or with objects one after the other."""

    kind = "JSON feed"

    def __init__(self, path: Path, mapping: FeedMapping, images_root: Path) -> None:
        """Open the feed.

        Raises:
            SourceError: it cannot be read.
        """
        super().__init__(mapping, images_root)
        layout = json_layout(path)
        self._items = JsonItems(path, layout.names, is_map=layout.is_map)

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        """Yield every object, as a product or as a rejected row."""
        for line, data in self._items:
            yield self._row(line, data, self._items.key) if data.startswith(b"{") else no_object(line, data)

    def progress(self) -> tuple[int, int]:
        """Return the bytes read and the size in bytes."""
        return self._items.position, self._items.size

    def close(self) -> None:
        """Close the file."""
        self._items.close()
        self._keys.close()
