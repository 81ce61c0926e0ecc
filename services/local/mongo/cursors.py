"""Cursors that a restart ends, as MongoDB's: their numbers are drawn, and a request for another is an error.

nx-27017 numbers them from the same number in each process, and has no events and no documents for a number that it
does not know: after a restart a stream would have no more events, or those of another collection, and a scan would end
early.
"""

import itertools
import secrets
from typing import Any

from nx_27017 import changestream, handler

NOT_FOUND = {"ok": 0.0, "code": 43, "codeName": "CursorNotFound"}
STREAMS = range(1_000, 10**12)  # nx-27017 tells streams and scans apart by their numbers
SCANS = range(10**12, 10**18)


def draw_numbers() -> None:
    """Let nx-27017 number the cursors of this process from drawn numbers."""
    changestream._cursor_id_counter = _counter(STREAMS)
    handler._data_cursor_id_counter = _counter(SCANS)


def _counter(numbers: range) -> "itertools.count[int]":
    return itertools.count(numbers.start + secrets.randbelow(len(numbers) // 2))


def not_found(number: int) -> dict[str, Any]:
    """Return MongoDB's response to a request for a cursor that the server does not have."""
    return {**NOT_FOUND, "errmsg": f"cursor id {number} not found"}
