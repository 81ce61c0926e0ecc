"""What `JsonItems` makes of a file that cannot be read to its end."""

from pathlib import Path
from typing import Any

import pytest

from services.catalogue.sources.parsing import json_items
from services.catalogue.sources.parsing.json_items import JsonItems
from services.catalogue.sources.records.rows import SourceError


class BrokenFile:
    """Returns the beginning of a file, then fails as a disk does."""

    def __init__(self, start: bytes) -> None:
        self._start = start

    def read(self, size: int) -> bytes:
        if not self._start:
            raise OSError(5, "Input/output error")
        start, self._start = self._start, b""
        return start


def test_a_file_that_cannot_be_read_further_is_an_error_after_the_entries_before(tmp_path: Path) -> None:
    path = tmp_path / "feed.json"
    path.write_bytes(b"[]")
    items: Any = JsonItems(path, ())
    items.close()
    items._file = BrokenFile(b'[\n{"id": 1},\n{"id":')
    entries = iter(items)
    assert next(entries) == (2, b'{"id": 1}')
    with pytest.raises(SourceError, match=r"feed\.json cannot be read after line 3: Input/output error"):
        next(entries)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.json cannot be read: No such file"):
        JsonItems(tmp_path / "none.json", ())


@pytest.mark.parametrize("chunk", [1, 2, 7, json_items.CHUNK])
def test_lines_are_counted_over_the_ends_of_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    path = tmp_path / "feed.json"
    path.write_bytes(b'[\n\n{"id": 1,\n"a": 2},\n\n{"id": 3}]\n')
    monkeypatch.setattr(json_items, "CHUNK", chunk)
    items = JsonItems(path, ())
    assert list(items) == [(3, b'{"id": 1,\n"a": 2}'), (6, b'{"id": 3}')]
    items.close()
