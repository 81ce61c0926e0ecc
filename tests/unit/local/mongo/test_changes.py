"""Our change events against nx-27017's own."""

from pathlib import Path
from typing import Any

import bson
import pytest
from bson import ObjectId
from nx_27017.handler import NeoSQLiteHandler
from nx_27017.wire_protocol import ResponseBuilder

from services.local.mongo import changes
from services.local.mongo.inserts import MongoHandler

DOCUMENTS = [
    {"_id": "15970", "vector": b"\x27\x00\x01", "n": [1, {"x": 2.5}]},
    {"_id": ObjectId("0" * 24)},
    {"_id": "b"},
]
Command = dict[str, Any]


def ask(handler: NeoSQLiteHandler, **command: Any) -> Command:
    """Return the answer to a command as a driver reads it."""
    msg = {"request_id": 1, "_conn_id": "a", "sections": [("body", {**command, "$db": "shop"})]}
    _, answer = handler.handle_insert(msg) if "insert" in command else handler.handle_command(msg)
    reply = ResponseBuilder.build_op_msg_reply(2, 1, answer)
    return bson.decode(reply[21:])


def watch(handler: NeoSQLiteHandler, **options: Any) -> int:
    stages = [{"$changeStream": {"fullDocument": "updateLookup", **options}}]
    return int(ask(handler, aggregate="products", pipeline=stages, cursor={})["cursor"]["id"])


def more(handler: NeoSQLiteHandler, cursor: int, size: int = 100) -> Command:
    return dict(ask(handler, getMore=cursor, collection="products", batchSize=size)["cursor"])


def told(handler: NeoSQLiteHandler) -> list[Command]:
    """Return the events of some writes, without their times."""
    ask(handler, insert="products", documents=[{"_id": "first"}])
    cursor = watch(handler)
    ask(handler, insert="products", documents=DOCUMENTS)
    ask(handler, update="products", updates=[{"q": {"_id": "b"}, "u": {"$set": {"n": 3}}}])
    ask(handler, delete="products", deletes=[{"q": {"_id": "15970"}, "limit": 1}])
    batch = more(handler, cursor)
    assert batch["postBatchResumeToken"] == batch["nextBatch"][-1]["_id"]
    return [{name: value for name, value in event.items() if "Time" not in name} for event in batch["nextBatch"]]


def test_events_are_told_as_nx_27017_tells_them(tmp_path: Path) -> None:
    handlers = [MongoHandler(str(tmp_path / "ours")), NeoSQLiteHandler(data_dir=str(tmp_path / "theirs"))]
    ours, theirs = (told(handler) for handler in handlers)
    for handler in handlers:
        handler.close_all()
    assert [event["operationType"] for event in ours] == ["insert", "insert", "insert", "update", "delete"]
    assert ours == theirs


@pytest.fixture
def short_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "KEPT", 100)
    monkeypatch.setattr(changes, "CLEANED_EVERY", 10)


def insert(handler: NeoSQLiteHandler, begin: int, end: int) -> None:
    ask(handler, insert="products", documents=[{"_id": str(n)} for n in range(begin, end)])


@pytest.mark.usefixtures("short_log")
def test_a_stream_goes_on_after_a_token_while_the_log_reaches_back_to_it(tmp_path: Path) -> None:
    handler = MongoHandler(str(tmp_path))
    ask(handler, insert="products", documents=[{"_id": "first"}])
    cursor = watch(handler)
    insert(handler, 0, 180)
    tokens = [more(handler, cursor, 1)["postBatchResumeToken"] for _ in range(180)]
    again = watch(handler, resumeAfter=tokens[99])
    assert [event["documentKey"]["_id"] for event in more(handler, again)["nextBatch"]] == [
        str(n) for n in range(100, 180)
    ]
    handler.close_all()


@pytest.mark.usefixtures("short_log")
@pytest.mark.parametrize("how", ["resumeAfter", "startAfter"])
def test_a_token_that_the_log_does_not_reach_back_to_is_refused_as_mongodb_refuses_it(how: str, tmp_path: Path) -> None:
    handler = MongoHandler(str(tmp_path))
    ask(handler, insert="products", documents=[{"_id": "first"}])
    cursor = watch(handler)
    insert(handler, 0, 180)
    early = more(handler, cursor, 1)["postBatchResumeToken"]
    watch(handler, **{how: early})  # nothing has been cleaned away yet
    handler.close_streams_for_connection("a")
    cursor = watch(handler, **{how: early})
    for _ in range(5):
        more(handler, cursor, 40)
    for token in (early, {"_data": "nx:0"}, {"_data": "8264"}):
        stages = [{"$changeStream": {how: token}}]
        answer = ask(handler, aggregate="products", pipeline=stages, cursor={})
        assert (answer["ok"], answer.get("code")) == (0, 286)
    handler.close_all()


def test_what_is_written_between_a_clean_stop_and_the_next_stream_is_in_the_log(tmp_path: Path) -> None:
    handler = MongoHandler(str(tmp_path))
    ask(handler, insert="products", documents=[{"_id": "first"}])
    token = more(handler, watch(handler))["postBatchResumeToken"]
    handler.close_all()
    handler = MongoHandler(str(tmp_path))
    ask(handler, insert="products", documents=[{"_id": "a"}])
    again = watch(handler, startAfter=token)
    assert [event["documentKey"] for event in more(handler, again)["nextBatch"]] == [{"_id": "a"}]
    handler.close_all()


@pytest.mark.usefixtures("short_log")
def test_the_log_is_cleaned_in_the_end(tmp_path: Path) -> None:
    handler = MongoHandler(str(tmp_path))
    ask(handler, insert="products", documents=[{"_id": "first"}])
    cursor = watch(handler)
    insert(handler, 0, 300)
    for _ in range(5):
        more(handler, cursor, 100)
    log = handler.get_database("shop").db.execute("SELECT COUNT(*) FROM _neosqlite_changestream").fetchone()
    assert log[0] == 100
    handler.close_all()


@pytest.mark.parametrize("kind", [MongoHandler, NeoSQLiteHandler])
def test_a_stream_that_asks_for_some_kinds_of_events_gets_those(kind: Any, tmp_path: Path) -> None:
    handler = kind(data_dir=str(tmp_path))
    ask(handler, insert="products", documents=[{"_id": "a"}])
    stages = [{"$changeStream": {}}, {"$match": {"operationType": "delete"}}]
    cursor = int(ask(handler, aggregate="products", pipeline=stages, cursor={})["cursor"]["id"])
    ask(handler, insert="products", documents=[{"_id": "b"}])
    ask(handler, delete="products", deletes=[{"q": {"_id": "a"}, "limit": 1}])
    assert [event["documentKey"] for event in more(handler, cursor)["nextBatch"]] == [{"_id": "a"}]
    handler.close_all()
