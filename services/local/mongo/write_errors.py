"""A full disk as MongoDB reports it: nx-27017 gives every error of SQLite the code of an unknown one."""

from typing import Any

from neosqlite._sqlite import sqlite3
from nx_27017 import handler

OUT_OF_DISK_SPACE = 14031
_unknown_error = handler._bulk_write_error


def bulk_write_error(error: Exception, index: int) -> dict[str, Any]:
    """Return MongoDB's entry of `writeErrors` for a document that was not written."""
    entry: dict[str, Any] = _unknown_error(error, index)
    if _is_of_the_disk(error):
        entry |= {"code": OUT_OF_DISK_SPACE}
    return entry


def _is_of_the_disk(error: BaseException | None) -> bool:
    """Whether an error is SQLite's "disk I/O error" or "database or disk is full", or came up while one was handled.

    neosqlite handles an error of SQLite by another way to update, which cannot store the driver's binary values.
    """
    if error is None:
        return False
    is_of_the_disk = isinstance(error, sqlite3.OperationalError) and "disk" in str(error)
    return is_of_the_disk or _is_of_the_disk(error.__context__)


def report_full_disks() -> None:
    """Let nx-27017 report full disks for updates, too."""
    handler._bulk_write_error = bulk_write_error
