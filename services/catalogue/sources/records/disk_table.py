"""Records of a feed that are needed again later, on disk: memory does not grow with the feed."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import orjson

from services.catalogue.sources.records.rows import SourceError


class DiskTable:
    """Values by key, and lists of values by key, in a temporary SQLite database. Values are what JSON has."""

    def __init__(self) -> None:
        # An empty name is a temporary database: in memory while it is small, then in a file that SQLite removes.
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=OFF")
        self._db.execute("CREATE TABLE one (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID")
        self._db.execute("CREATE TABLE many (number INTEGER PRIMARY KEY, key TEXT, value BLOB)")
        self._db.execute("CREATE INDEX many_key ON many (key, number)")
        self._db.execute("BEGIN")

    def put(self, key: str, value: Any) -> None:
        """Set the value of a key.

        Raises:
            SourceError: the disk for temporary files is full.
        """
        self._write("INSERT OR REPLACE INTO one VALUES (?, ?)", key, value)

    def get(self, key: str) -> Any:
        """Return the value of a key, or None."""
        row = self._db.execute("SELECT value FROM one WHERE key = ?", (key,)).fetchone()
        return None if row is None else orjson.loads(row[0])

    def append(self, key: str, value: Any) -> None:
        """Add a value to the list of a key.

        Raises:
            SourceError: the disk for temporary files is full.
        """
        self._write("INSERT INTO many (key, value) VALUES (?, ?)", key, value)

    def lists(self) -> Iterator[tuple[str, Iterator[Any]]]:
        """Yield each key that has a list, in the order of the first values, and the values in their order."""
        keys = self._db.execute("SELECT key FROM many GROUP BY key ORDER BY MIN(number)")
        for (key,) in keys:
            yield key, self.values(key)

    def values(self, key: str) -> Iterator[Any]:
        """Yield the list of a key."""
        for (value,) in self._db.execute("SELECT value FROM many WHERE key = ? ORDER BY number", (key,)):
            yield orjson.loads(value)

    def close(self) -> None:
        """Remove the database."""
        self._db.close()

    def _write(self, statement: str, key: str, value: Any) -> None:
        try:
            self._db.execute(statement, (key, orjson.dumps(value)))
        except sqlite3.OperationalError as error:
            raise SourceError(
                f"the records of the feed do not fit on the disk for temporary files (at {key}): {error}"
            ) from None
