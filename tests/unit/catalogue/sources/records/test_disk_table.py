"""What readers of feeds keep on disk: records by key, and the ids with their lines."""

import sqlite3

import pytest

from services.catalogue.sources.records.disk_table import DiskTable
from services.catalogue.sources.records.key_registry import KeyRegistry
from services.catalogue.sources.records.rows import SourceError


def test_a_table_on_disk_keeps_values_and_lists_in_their_order() -> None:
    table = DiskTable()
    table.put("a", {"x": [1]})
    table.put("a", {"x": [2]})
    for key, value in [("n", 1), ("m", 2), ("n", "3")]:
        table.append(key, value)
    assert (table.get("a"), table.get("n")) == ({"x": [2]}, None)
    assert [(key, list(values)) for key, values in table.lists()] == [("n", [1, "3"]), ("m", [2])]
    assert (list(table.values("n")), list(table.values("a"))) == ([1, "3"], [])
    table._db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(SourceError, match=r"the records of the feed do not fit on the disk .*\(at big\)"):
        table.put("big", "x" * 100_000)
    table.close()
    with pytest.raises(sqlite3.ProgrammingError):
        table.get("a")


def test_a_registry_knows_the_first_line_of_each_key() -> None:
    registry = KeyRegistry()
    assert [registry.earlier("a", 3), registry.earlier("a", 5), registry.first("a", 6), registry.first("b", 7)] == [
        *(None, 3, 3, 7)
    ]
    assert (registry.has("a"), registry.has("A")) == (True, False)
    registry.close()
