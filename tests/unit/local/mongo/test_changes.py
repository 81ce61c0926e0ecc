"""Change events, compared with those of nx-27017."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import bson
import pytest
from bson import ObjectId
from nx_27017.handler import NeoSQLiteHandler
from nx_27017.wire_protocol import ResponseBuilder

from services.local.mongo import changes
from services.local.mongo.inserts import MongoHandler
from tests.support.waiting import WITHIN_MS, WITHIN_S

DOCUMENTS = [
    {"_id": "15970", "vector": b"\x27\x00\x01", "n": [1, {"x": 2.5}]},
    {"_id": ObjectId("0" * 24)},
    {"_id": "b"},
]
Command = dict[str, Any]


def send(handler: NeoSQLiteHandler, **command: Any) -> Command:
    """Return the response to a command as a driver decodes it."""
    msg = {"request_id": 1, "_conn_id": "a", "sections": [("body", {**command, "$db": "shop"})]}
    _, response = handler.handle_insert(msg) if "insert" in command else handler.handle_command(msg)
    reply = ResponseBuilder.build_op_msg_reply(2, 1, response)
    return dict(bson.decode(reply[21:]))


def watch(handler: NeoSQLiteHandler, **options: Any) -> int:
    stages = [{"$changeStream": {"fullDocument": "updateLookup", **options}}]
    return int(send(handler, aggregate="products", pipeline=stages, cursor={})["cursor"]["id"])


def next_batch(handler: NeoSQLiteHandler, cursor: int, size: int = 100) -> Command:
    return dict(send(handler, getMore=cursor, collection="products", batchSize=size)["cursor"])


def events_of(handler: NeoSQLiteHandler) -> list[Command]:
    """Return the events of several writes, without their times."""
    send(handler, insert="products", documents=[{"_id": "first"}])
    cursor = watch(handler)
    send(handler, insert="products", documents=DOCUMENTS)
    send(handler, update="products", updates=[{"q": {"_id": "b"}, "u": {"$set": {"n": 3}}}])
    send(handler, delete="products", deletes=[{"q": {"_id": "15970"}, "limit": 1}])
    batch = next_batch(handler, cursor)
    assert batch["postBatchResumeToken"] == batch["nextBatch"][-1]["_id"]
    return [{name: value for name, value in event.items() if "Time" not in name} for event in batch["nextBatch"]]


def test_events_are_the_same_as_those_of_nx_27017(tmp_path: Path) -> None:
    handlers = [MongoHandler(str(tmp_path / "handler")), NeoSQLiteHandler(data_dir=str(tmp_path / "original"))]
    events, original = (events_of(handler) for handler in handlers)
    for handler in handlers:
        handler.close_all()
    assert [event["operationType"] for event in events] == ["insert", "insert", "insert", "update", "delete"]
    assert events == original


@pytest.fixture
def short_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MIN_LOG_EVENTS", 100)
    monkeypatch.setattr(changes, "PRUNE_INTERVAL", 10)


def insert(handler: NeoSQLiteHandler, begin: int, end: int) -> None:
    send(handler, insert="products", documents=[{"_id": str(n)} for n in range(begin, end)])


@pytest.mark.usefixtures("short_log")
def test_a_stream_resumes_after_a_token_that_is_in_the_log(tmp_path: Path) -> None:
    handler = MongoHandler(str(tmp_path))
    send(handler, insert="products", documents=[{"_id": "first"}])
    cursor = watch(handler)
    insert(handler, 0, 180)
    tokens = [next_batch(handler, cursor, 1)["postBatchResumeToken"] for _ in range(180)]
    resumed = watch(handler, resumeAfter=tokens[99])
    assert [event["documentKey"]["_id"] for event in next_batch(handler, resumed)["nextBatch"]] == [
        str(n) for n in range(100, 180)
    ]
    handler.close_all()


@pytest.mark.usefixtures("short_log")
@pytest.mark.parametrize("option", ["resumeAfter", "startAfter"])
def test_a_token_that_is_no_longer_in_the_log_is_mongodbs_error(option: str, tmp_path: Path) -> None:
    handler = MongoHandler(str(tmp_path))
    send(handler, insert="products", documents=[{"_id": "first"}])
    cursor = watch(handler)
    insert(handler, 0, 180)
    early = next_batch(handler, cursor, 1)["postBatchResumeToken"]
    watch(handler, **{option: early})  # nothing has been pruned yet
    handler.close_streams_for_connection("a")
    cursor = watch(handler, **{option: early})
    for _ in range(5):
        next_batch(handler, cursor, 40)
    for token in (early, {"_data": "nx:0"}, {"_data": "8264"}):
        stages = [{"$changeStream": {option: token}}]
        response = send(handler, aggregate="products", pipeline=stages, cursor={})
        assert (response["ok"], response.get("code")) == (0, 286)
    handler.close_all()


def test_a_cursor_that_the_server_does_not_have_is_mongodbs_error(tmp_path: Path) -> None:
    handler = MongoHandler(str(tmp_path))
    send(handler, insert="products", documents=[{"_id": str(number)} for number in range(5)])
    scan = send(handler, find="products", batchSize=2)["cursor"]["id"]
    assert len(next_batch(handler, scan, 2)["nextBatch"]) == 2
    assert len(next_batch(handler, scan, 2)["nextBatch"]) == 1
    stream = watch(handler)
    next_batch(handler, stream)
    send(handler, killCursors="products", cursors=[stream])
    for number in (scan, stream, 7):
        response = send(handler, getMore=number, collection="products")
        assert (response["ok"], response["code"], response["codeName"]) == (0, 43, "CursorNotFound")
        assert str(number) in response["errmsg"]
    handler.close_all()


def test_writes_between_a_stop_and_the_next_stream_are_in_the_log(tmp_path: Path) -> None:
    handler = MongoHandler(str(tmp_path))
    send(handler, insert="products", documents=[{"_id": "first"}])
    token = next_batch(handler, watch(handler))["postBatchResumeToken"]
    handler.close_all()
    handler = MongoHandler(str(tmp_path))
    send(handler, insert="products", documents=[{"_id": "a"}])
    resumed = watch(handler, startAfter=token)
    assert [event["documentKey"] for event in next_batch(handler, resumed)["nextBatch"]] == [{"_id": "a"}]
    handler.close_all()


@pytest.mark.usefixtures("short_log")
def test_the_log_is_pruned(tmp_path: Path) -> None:
    handler = MongoHandler(str(tmp_path))
    send(handler, insert="products", documents=[{"_id": "first"}])
    cursor = watch(handler)
    insert(handler, 0, 300)
    for _ in range(5):
        next_batch(handler, cursor, 100)
    log = handler.get_database("shop").db.execute("SELECT COUNT(*) FROM _neosqlite_changestream").fetchone()
    assert log[0] == 100
    handler.close_all()


@pytest.mark.parametrize("kind", [MongoHandler, NeoSQLiteHandler])
def test_a_stream_receives_the_event_types_that_it_matches(kind: Any, tmp_path: Path) -> None:
    handler = kind(data_dir=str(tmp_path))
    send(handler, insert="products", documents=[{"_id": "a"}])
    stages = [{"$changeStream": {}}, {"$match": {"operationType": "delete"}}]
    cursor = int(send(handler, aggregate="products", pipeline=stages, cursor={})["cursor"]["id"])
    send(handler, insert="products", documents=[{"_id": "b"}])
    send(handler, delete="products", deletes=[{"q": {"_id": "a"}, "limit": 1}])
    assert [event["documentKey"] for event in next_batch(handler, cursor)["nextBatch"]] == [{"_id": "a"}]
    handler.close_all()


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Return what is set as soon as a request waits for events."""
    event, wait = threading.Event(), changes.ChangeStreams.wait

    def watched(streams: changes.ChangeStreams, *arguments: Any) -> bool:
        event.set()
        return wait(streams, *arguments)

    monkeypatch.setattr(changes.ChangeStreams, "wait", watched)
    return event


def insert_elsewhere_first(handler: MongoHandler) -> None:
    send(handler, insert="others", documents=[{"_id": "a"}])
    insert(handler, 0, 1)


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda handler: insert(handler, 0, 2), ["0", "1"]),
        (insert_elsewhere_first, ["0"]),
        (lambda handler: send(handler, update="products", updates=[{"q": {}, "u": {"$set": {"n": 1}}}]), ["first"]),
        (lambda handler: handler.end_waiting(), []),
    ],
    ids=["an insert", "an insert after one elsewhere", "an update", "the end of the server"],
)
def test_a_request_for_events_waits_for_the_next_one(
    act: Callable[[MongoHandler], object], expected: list[str], tmp_path: Path, waiting: threading.Event
) -> None:
    handler = MongoHandler(str(tmp_path))
    send(handler, insert="products", documents=[{"_id": "first"}])
    cursor = watch(handler)
    with ThreadPoolExecutor(1) as threads:
        batch = threads.submit(send, handler, getMore=cursor, collection="products", maxTimeMS=WITHIN_MS)
        assert waiting.wait(WITHIN_S)
        act(handler)
        events = batch.result(WITHIN_S)["cursor"]["nextBatch"]
    assert [event["documentKey"]["_id"] for event in events] == expected
    handler.close_all()


def test_a_request_for_events_ends_after_the_time_of_the_client(tmp_path: Path, waiting: threading.Event) -> None:
    handler = MongoHandler(str(tmp_path))
    send(handler, insert="products", documents=[{"_id": "first"}])
    batch = send(handler, getMore=watch(handler), collection="products", maxTimeMS=1)["cursor"]
    assert batch["nextBatch"] == [] and waiting.is_set()
    handler.close_all()
