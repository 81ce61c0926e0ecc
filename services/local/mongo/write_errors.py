"""A full disk as MongoDB reports it: nx-27017 gives every error of SQLite the code of an unknown one."""

from typing import Any

from neosqlite._sqlite import sqlite3
from nx_27017 import handler

OUT_OF_DISK_SPACE = 14031
_unknown_error = handler._bulk_write_error


def bulk_write_error(error: Exception, index: int) -> dict[str, Any]:
    """Return MongoDB's entry of `writeErrors` for a document that was not written."""
    entry: dict[str, Any] = _unknown_error(error, index)
    if isinstance(error, sqlite3.OperationalError) and "disk" in str(error):  # "disk I/O error", "… disk is full"
        entry |= {"code": OUT_OF_DISK_SPACE}
    return entry


def report_full_disks() -> None:
    """Let nx-27017 report full disks for updates, too."""
    handler._bulk_write_error = bulk_write_error
