"""Which ids a feed has given so far, and on which line: on disk beyond a few megabytes, so that memory stays flat."""

import sqlite3

from services.catalogue.sources.records.rows import SourceError


class KeyRegistry:
    """Ids and the line each was first given on."""

    def __init__(self) -> None:
        # An empty name is SQLite's temporary database: in memory while small, then in a file that goes with it.
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=OFF")
        self._db.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")
        self._db.execute("BEGIN")

    def first(self, key: str, line: int) -> int:
        """Return the line on which the key was first given: this one, if it is new.

        Raises:
            SourceError: as `earlier`.
        """
        earlier = self.earlier(key, line)
        return line if earlier is None else earlier

    def earlier(self, key: str, line: int) -> int | None:
        """Return the line on which the key was given before, which may be this one; None if it is new.

        Raises:
            SourceError: there is no room to remember it.
        """
        try:
            if self._db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (key, line)).rowcount:
                return None
        except sqlite3.OperationalError as error:
            told = f"the ids of the feed do not fit on the disk for temporary files (line {line}): {error}"
            raise SourceError(told) from None
        return int(self._db.execute("SELECT line FROM seen WHERE key = ?", (key,)).fetchone()[0])

    def has(self, key: str) -> bool:
        """Return whether the key was given."""
        return self._db.execute("SELECT 1 FROM seen WHERE key = ?", (key,)).fetchone() is not None

    def close(self) -> None:
        """Forget them."""
        self._db.close()
