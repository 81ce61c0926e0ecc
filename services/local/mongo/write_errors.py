"""A full disk as MongoDB reports it: nx-27017 gives every error of SQLite the code of an unknown one."""

from collections.abc import Callable
from typing import Any

from neosqlite._sqlite import sqlite3
from nx_27017 import handler

Message = dict[str, Any]
OUT_OF_DISK_SPACE = 14031
FULL = frozenset({"database or disk is full", "disk I/O error"})  # SQLite's texts
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
    from_sqlite = isinstance(error, sqlite3.OperationalError) and str(error) in FULL
    return from_sqlite or _is_of_the_disk(error.__context__)


def with_code(handle: Callable[[Message], tuple[int, Message]], msg: Message) -> tuple[int, Message]:
    """Handle a message. If the disk is full, the response has the code, which nx-27017 leaves out."""
    try:
        request, response = handle(msg)
    except Exception as error:
        if not _is_of_the_disk(error):
            raise
        request, response = msg["request_id"], {"ok": 0, "errmsg": str(error), "code": OUT_OF_DISK_SPACE}
    if response.get("errmsg") in FULL:
        response["code"] = OUT_OF_DISK_SPACE
    return request, response


def report_full_disks() -> None:
    """Let nx-27017 report full disks for updates, too."""
    handler._bulk_write_error = bulk_write_error
