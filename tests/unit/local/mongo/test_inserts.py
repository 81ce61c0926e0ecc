"""Our inserts against nx-27017's own: the same rows, the same answers."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bson import Binary, ObjectId
from bson.int64 import Int64
from nx_27017.handler import NeoSQLiteHandler

from services.local.mongo.inserts import MongoHandler

DOCUMENT = {
    "_id": "15970",
    "vector": Binary(b"\x27\x00" + bytes(range(16)), 9),
    "picture": b"\xff\xd8\x00",
    "model": None,
    "attributes": {
        "colour": "bleu foncé",
        "year": 2011,
        "large": Int64(2**60),
        "price": 29.9,
        "tags": ["a", b"\x00", {"x": 1}],
    },
    "updated_at": dt.datetime(2026, 5, 1, 12, 30),  # what the driver's decoder gives
    "related": ObjectId("0123456789abcdef01234567"),
}


@pytest.fixture(params=[MongoHandler, NeoSQLiteHandler])
def handler(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NeoSQLiteHandler]:
    made = request.param(data_dir=str(tmp_path))
    yield made
    made.close_all()


def message(*documents: dict[str, Any], as_section: bool = True, **options: Any) -> dict[str, Any]:
    command = {"insert": "products", "$db": "shop", **options}
    if not as_section:
        return {"request_id": 7, "_conn_id": "a", "sections": [("body", {**command, "documents": list(documents)})]}
    sections = [("body", command), ("payload", {"documents": list(documents)})]
    return {"request_id": 7, "_conn_id": "a", "sections": sections}


def rows(handler: NeoSQLiteHandler) -> list[tuple[str, Any]]:
    found = handler.get_database("shop").db.execute('SELECT _id, data FROM "products" ORDER BY id').fetchall()
    return [(key, json.loads(data)) for key, data in found]


@pytest.mark.parametrize("as_section", [True, False])
def test_documents_are_stored_as_nx_27017_stores_them(tmp_path: Path, as_section: bool) -> None:
    stored = []
    for kind in (MongoHandler, NeoSQLiteHandler):
        made = kind(data_dir=str(tmp_path / kind.__name__))
        _, answer = made.handle_insert(
            message(DOCUMENT, {"_id": ObjectId("0" * 24)}, {"_id": 5}, as_section=as_section)
        )
        assert answer["n"] == 3
        stored.append(rows(made))
        made.close_all()
    assert stored[0] == stored[1]
    assert len(stored[0]) == 3


def test_a_key_that_is_there_is_refused_and_the_others_are_written(handler: NeoSQLiteHandler) -> None:
    handler.handle_insert(message({"_id": "b", "n": 1}))
    given = [{"_id": key, "n": 2} for key in "abc"]
    request, answer = handler.handle_insert(message(*given, ordered=False))
    assert (request, answer["ok"], answer["n"]) == (7, 1, 2)
    assert [(error["index"], error["code"]) for error in answer["writeErrors"]] == [(1, 11000)]
    assert rows(handler) == [("b", {"_id": "b", "n": 1}), ("a", {"_id": "a", "n": 2}), ("c", {"_id": "c", "n": 2})]


def test_an_ordered_insert_ends_with_the_first_that_is_refused(handler: NeoSQLiteHandler) -> None:
    handler.handle_insert(message({"_id": "b"}))
    _, answer = handler.handle_insert(message({"_id": "a"}, {"_id": "b"}, {"_id": "c"}))
    assert answer["n"] == 1
    assert [key for key, _ in rows(handler)] == ["b", "a"]


def test_a_value_that_json_does_not_have_is_refused(handler: NeoSQLiteHandler) -> None:
    _, answer = handler.handle_insert(message({"_id": "a", "n": float("nan")}, {"_id": "b"}, ordered=False))
    assert [(error["index"], error["code"]) for error in answer["writeErrors"]] == [(0, 8)]
    assert [key for key, _ in rows(handler)] == ["b"]


def test_a_document_without_an_id_gets_one(handler: NeoSQLiteHandler) -> None:
    _, answer = handler.handle_insert(message({"n": 1}))
    assert answer["n"] == 1
    ((key, _),) = rows(handler)
    assert len(key) == 24


def test_what_goes_wrong_as_a_whole_leaves_nothing_half_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = MongoHandler(str(tmp_path))
    handler.handle_insert(message({"_id": "a"}))

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("services.local.mongo.inserts._ENCODER.encode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        handler.handle_insert(message({"_id": "b"}))
    assert not handler.get_database("shop").db.in_transaction
    assert [key for key, _ in rows(handler)] == ["a"]
    handler.close_all()
