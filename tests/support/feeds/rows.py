"""Reading feeds in tests: the rows of a file, and their products and rejections."""

from pathlib import Path
from typing import Any

import orjson

from services.catalogue.sources.open_source import open_source
from services.catalogue.sources.records.rows import RejectedRow, SourceRow

Rows = list[SourceRow | RejectedRow]


def read(path: Path, **options: Any) -> Rows:
    """Return all rows of a source; options as for `open_source`."""
    source = open_source(path, **options)
    try:
        return list(source.rows())
    finally:
        source.close()


def read_text(folder: Path, name: str, text: str | bytes, **options: Any) -> Rows:
    """Write a file and return its rows."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read(path, **options)


def csv_rows(folder: Path, text: str | bytes, name: str = "feed.csv", **options: Any) -> Rows:
    """Return the rows of a CSV feed."""
    return read_text(folder, name, text, **options)


def json_rows(folder: Path, *documents: Any, **options: Any) -> Rows:
    """Return the rows of an NDJSON feed of documents or of lines in bytes."""
    lines = [document if isinstance(document, bytes) else orjson.dumps(document) for document in documents]
    return read_text(folder, "feed.ndjson", b"\n".join(lines), **options)


def xml_rows(folder: Path, text: str | bytes, name: str = "feed.xml", **options: Any) -> Rows:
    """Return the rows of a Google feed."""
    return read_text(folder, name, text, **options)


def shopify_rows(folder: Path, text: str | bytes, name: str = "products.csv", **options: Any) -> Rows:
    """Return the rows of an export of Shopify."""
    return read_text(folder, name, text, **options)


def product(row: SourceRow | RejectedRow) -> SourceRow:
    """Return a row that must be a product."""
    assert isinstance(row, SourceRow), row
    return row


def keys(rows: Rows) -> list[str]:
    """Return the keys of the products."""
    return [row.key for row in rows if isinstance(row, SourceRow)]


def reasons(rows: Rows) -> list[tuple[int | None, str | None, str]]:
    """Return the line, the key and the reason of each rejected row."""
    return [(row.line, row.key, row.reason) for row in rows if isinstance(row, RejectedRow)]


def outcomes(rows: Rows) -> list[tuple[int | None, str | None, str]]:
    """Return the line and the key of each row, and the reason of a rejected one."""
    return [(row.line, row.key, row.reason if isinstance(row, RejectedRow) else "") for row in rows]
