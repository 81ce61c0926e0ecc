"""A full disk of the stand-in for MongoDB."""

import sqlite3

import pytest

from services.local.mongo.inserts import insert
from services.local.mongo.write_errors import OUT_OF_DISK_SPACE, Message, bulk_write_error, with_code


def test_a_full_disk_has_mongodbs_code() -> None:
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.execute("CREATE TABLE products (id INTEGER PRIMARY KEY, data TEXT, _id TEXT UNIQUE)")
    database.execute("PRAGMA max_page_count = 20")
    documents = [{"_id": "small"}, {"_id": "large", "title": "x" * 1_000_000}]
    written, errors = insert(database, "products", documents, ordered=False)
    assert written == database.execute("SELECT count(*) FROM products").fetchone()[0] == 0
    assert [(error["index"], error["code"]) for error in errors] == [(0, OUT_OF_DISK_SPACE), (1, OUT_OF_DISK_SPACE)]
    assert insert(database, "products", documents[:1], ordered=False) == (1, [])


@pytest.mark.parametrize("text", ["database or disk is full", "disk I/O error"])
def test_a_command_that_a_full_disk_ends_has_the_code(text: str) -> None:
    def fail(_: Message) -> tuple[int, Message]:
        raise sqlite3.OperationalError(text)

    expected = (7, {"ok": 0, "errmsg": text, "code": OUT_OF_DISK_SPACE})
    assert with_code(fail, {"request_id": 7}) == expected
    assert with_code(lambda _: (7, {"ok": 0, "errmsg": text}), {}) == expected


def test_a_command_that_fails_otherwise_is_left_alone() -> None:
    def fail(_: Message) -> tuple[int, Message]:
        raise sqlite3.OperationalError("no such table: disks")

    with pytest.raises(sqlite3.OperationalError):
        with_code(fail, {"request_id": 7})
    assert with_code(lambda _: (7, {"ok": 1}), {}) == (7, {"ok": 1})


def test_an_error_that_follows_from_a_full_disk_has_the_same_code() -> None:
    try:
        try:
            raise sqlite3.OperationalError("disk I/O error")
        except sqlite3.OperationalError:
            raise TypeError("Object of type Binary is not JSON serializable")  # noqa: B904 - as neosqlite does
    except TypeError as error:
        assert bulk_write_error(error, 3) == {"index": 3, "code": OUT_OF_DISK_SPACE, "errmsg": str(error)}


def test_other_errors_keep_theirs() -> None:
    assert bulk_write_error(sqlite3.IntegrityError("UNIQUE constraint failed"), 0)["code"] == 11000
    assert bulk_write_error(sqlite3.OperationalError("no such table"), 0)["code"] == 8
    assert bulk_write_error(TypeError("disk"), 0)["code"] == 8
