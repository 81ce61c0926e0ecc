"""Inserts, compared with those of nx-27017: the same rows and the same responses."""

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
    "updated_at": dt.datetime(2026, 5, 1, 12, 30),  # as the driver's decoder returns it
    "related": ObjectId("0123456789abcdef01234567"),
}


@pytest.fixture(params=[MongoHandler, NeoSQLiteHandler])
def handler(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NeoSQLiteHandler]:
    handler = request.param(data_dir=str(tmp_path))
    yield handler
    handler.close_all()


def message(*documents: dict[str, Any], as_section: bool = True, **options: Any) -> dict[str, Any]:
    command = {"insert": "products", "$db": "shop", **options}
    if not as_section:
        return {"request_id": 7, "_conn_id": "a", "sections": [("body", {**command, "documents": list(documents)})]}
    sections = [("body", command), ("payload", {"documents": list(documents)})]
    return {"request_id": 7, "_conn_id": "a", "sections": sections}


def rows(handler: NeoSQLiteHandler) -> list[tuple[str, Any]]:
    records = handler.get_database("shop").db.execute('SELECT _id, data FROM "products" ORDER BY id').fetchall()
    return [(key, json.loads(data)) for key, data in records]


@pytest.mark.parametrize("as_section", [True, False])
def test_documents_are_stored_as_by_nx_27017(tmp_path: Path, as_section: bool) -> None:
    stored = []
    for kind in (MongoHandler, NeoSQLiteHandler):
        handler = kind(data_dir=str(tmp_path / kind.__name__))
        _, response = handler.handle_insert(
            message(DOCUMENT, {"_id": ObjectId("0" * 24)}, {"_id": 5}, as_section=as_section)
        )
        assert response["n"] == 3
        stored.append(rows(handler))
        handler.close_all()
    assert stored[0] == stored[1]
    assert len(stored[0]) == 3


def test_a_duplicate_key_is_rejected_and_the_others_are_written(handler: NeoSQLiteHandler) -> None:
    handler.handle_insert(message({"_id": "b", "n": 1}))
    documents = [{"_id": key, "n": 2} for key in "abc"]
    request, response = handler.handle_insert(message(*documents, ordered=False))
    assert (request, response["ok"], response["n"]) == (7, 1, 2)
    assert [(error["index"], error["code"]) for error in response["writeErrors"]] == [(1, 11000)]
    assert rows(handler) == [("b", {"_id": "b", "n": 1}), ("a", {"_id": "a", "n": 2}), ("c", {"_id": "c", "n": 2})]


def test_an_ordered_insert_stops_at_the_first_rejected_document(handler: NeoSQLiteHandler) -> None:
    handler.handle_insert(message({"_id": "b"}))
    _, response = handler.handle_insert(message({"_id": "a"}, {"_id": "b"}, {"_id": "c"}))
    assert response["n"] == 1
    assert [key for key, _ in rows(handler)] == ["b", "a"]


def test_a_value_without_a_json_form_is_rejected(handler: NeoSQLiteHandler) -> None:
    _, response = handler.handle_insert(message({"_id": "a", "n": float("nan")}, {"_id": "b"}, ordered=False))
    assert [(error["index"], error["code"]) for error in response["writeErrors"]] == [(0, 8)]
    assert [key for key, _ in rows(handler)] == ["b"]


def test_a_document_without_an_id_gets_one(handler: NeoSQLiteHandler) -> None:
    _, response = handler.handle_insert(message({"n": 1}))
    assert response["n"] == 1
    ((key, _),) = rows(handler)
    assert len(key) == 24


def test_an_interrupted_insert_is_rolled_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
