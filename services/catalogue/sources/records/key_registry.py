"""Registers the ids of a feed and their lines, to detect duplicates with bounded memory."""

import sqlite3

from services.catalogue.sources.records.rows import SourceError


class KeyRegistry:
    """Ids and their first lines, in a temporary SQLite database."""

    def __init__(self) -> None:
        # An empty name is a temporary database: in memory while it is small, then in a file that SQLite removes.
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=OFF")
        self._db.execute("CREATE TABLE keys (key TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")
        self._db.execute("BEGIN")

    def first(self, key: str, line: int) -> int:
        """Register a key and return its first line, which is `line` if the key is new.

        Raises:
            SourceError: as `earlier`.
        """
        earlier = self.earlier(key, line)
        return line if earlier is None else earlier

    def earlier(self, key: str, line: int) -> int | None:
        """Register a key and return its earlier line, which may be the same line, or None if the key is new.

        Raises:
            SourceError: the disk for temporary files is full.
        """
        try:
            if self._db.execute("INSERT OR IGNORE INTO keys VALUES (?, ?)", (key, line)).rowcount:
                return None
        except sqlite3.OperationalError as error:
            raise SourceError(
                f"the ids of the feed do not fit on the disk for temporary files (line {line}): {error}"
            ) from None
        return int(self._db.execute("SELECT line FROM keys WHERE key = ?", (key,)).fetchone()[0])

    def has(self, key: str) -> bool:
        """Return whether the key is registered."""
        return self._db.execute("SELECT 1 FROM keys WHERE key = ?", (key,)).fetchone() is not None

    def close(self) -> None:
        """Remove the database."""
        self._db.close()
