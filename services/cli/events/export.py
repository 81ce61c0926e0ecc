"""Writes rows of the log to a file: NDJSON, or Parquet with the library pyarrow."""

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import orjson

Row = Mapping[str, Any]


class RowWriter(Protocol):
    """Takes the rows of a file, several at a time."""

    def write(self, rows: Sequence[Row]) -> None: ...


class MissingLibrary(Exception):
    """A library that a format needs is not installed. The text says how to install it."""


class _Lines:
    """Writes a line of JSON for each row."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


@contextlib.contextmanager
def ndjson_writer(path: Path | None) -> Iterator[RowWriter]:
    """Write lines to a file, or to stdout without one."""
    if path is None:
        yield _Lines(sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    with _whole(path) as part, part.open("wb") as file:
        yield _Lines(file)


@contextlib.contextmanager
def parquet_writer(path: Path, *, is_events: bool) -> Iterator[RowWriter]:
    """Write a Parquet file with a column for each field; of nested ones, the innermost name.

    Raises:
        MissingLibrary: pyarrow is not installed.
    """
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ModuleNotFoundError:
        text = "Parquet needs the library pyarrow: pip install pyarrow, or use --format ndjson"
        raise MissingLibrary(text) from None
    text, number, moment = arrow.string(), arrow.float32(), arrow.timestamp("us", tz="UTC")
    common = [("application", text), ("query_id", text), ("client_id", text), ("timestamp", moment)]
    events = [("event_id", text), ("action_name", text), ("message_type", text), ("object_id", text)]
    events += [("ordinal", arrow.int32()), ("quantity", arrow.int32())]
    searches = [("kind", text), ("product", text), ("outcome", text), ("category", text), ("model", text)]
    searches += [("offset", arrow.int32()), ("filter", text), ("nearest_score", number)]
    searches += [("nearest_similarity", number), ("query_response_id", text)]
    searches += [("query_response_hit_ids", arrow.list_(text)), ("vector", arrow.list_(number))]
    schema = arrow.schema(common + (events if is_events else searches))

    class Table:
        """Writes a row group for each page."""

        def write(self, rows: Sequence[Row]) -> None:
            table.write_table(arrow.Table.from_pylist([_flat(row) for row in rows], schema))

    with _whole(path) as part, parquet.ParquetWriter(part, schema) as table:
        yield Table()


def _flat(row: Row) -> dict[str, Any]:
    """Return the columns of a row."""
    from datetime import datetime

    attributes = {**row.get("event_attributes", {}), **row.get("query_attributes", {})}
    flat = {**row, **attributes, **attributes.get("object", {}), **attributes.get("position", {})}
    if isinstance(flat.get("filter"), dict):
        flat["filter"] = orjson.dumps(flat["filter"]).decode()
    return {**flat, "timestamp": datetime.fromisoformat(row["timestamp"])}


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Give the name of a file that takes the place of `path` once it is complete."""
    part = path.with_name(path.name + ".part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
