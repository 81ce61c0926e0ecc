"""What the store makes of the driver's errors and of a change stream's events, without a database."""

import asyncio
import threading
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from bson.timestamp import Timestamp
from pymongo import errors as driver

from services.catalogue.store import change_feed
from services.catalogue.store.change_feed import ChangeFeed, cluster_time
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.mongo.errors import HistoryLost, NoChangeStreams, shown_address, translated
from services.contracts.domain.errors import CatalogueUnavailable
from tests.support.waiting import WITHIN_S

VECTOR = [0.5] * 64
MOMENT = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mongodb://user:s3cret@db.example:27017/?replicaSet=rs0", "db.example:27017"),
        ("mongodb://user:p@ss@a:1,b:2/lookalike", "a:1,b:2"),
        ("mongodb+srv://user:s3cret@cluster.example", "cluster.example"),
        ("mongodb://127.0.0.1:27017", "127.0.0.1:27017"),
        ("", "(no address)"),
    ],
)
def test_an_address_is_shown_without_credentials_and_options(url: str, shown: str) -> None:
    assert shown_address(url) == shown


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (driver.ServerSelectionTimeoutError("mongodb://u:s3cret@h refused"), "cannot be reached"),
        (driver.AutoReconnect("s3cret"), "cannot be reached"),
        (driver.NotPrimaryError("s3cret"), "cannot be reached"),
        (driver.NetworkTimeout("s3cret"), "did not respond in time"),
        (driver.OperationFailure("s3cret", 18), "refuses the user or the password"),
        (driver.OperationFailure("s3cret", 13), "refuses the user or the password"),
        (driver.OperationFailure("s3cret", 2), "error 2"),
        (driver.OperationFailure("s3cret", 14031), "the disk of the catalogue's database is full"),
        (driver.OperationFailure("s3cret"), "the catalogue's database refused the operation"),
        (driver.ConfigurationError("s3cret"), "ConfigurationError"),
    ],
)
def test_an_error_of_the_driver_is_one_sentence_without_its_text(error: Exception, said: str) -> None:
    with pytest.raises(CatalogueUnavailable) as caught, translated("db:1"):
        raise error
    assert said in caught.value.detail
    assert "db:1" not in caught.value.detail
    assert caught.value.inside == {"database": "db:1"}
    assert "s3cret" not in caught.value.detail
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("code", [286, 280, 260])
def test_a_lost_history_is_told_apart(code: int) -> None:
    with pytest.raises(HistoryLost, match=str(code)), translated("db:1"):
        raise driver.OperationFailure("resume token not found", code)


@pytest.mark.parametrize("code", [40573, 40324])
def test_a_server_without_change_streams_is_told_apart(code: int) -> None:
    with pytest.raises(NoChangeStreams, match="replica set"), translated("db:1"):
        raise driver.OperationFailure("The $changeStream stage is only supported on replica sets", code)


async def test_a_server_that_takes_connections_and_never_answers_is_given_up_in_time() -> None:
    open_writers = []

    async def swallow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_writers.append(writer)

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with CatalogueDatabase(f"mongodb://127.0.0.1:{port}", timeout_s=0.4, connect_timeout_s=5) as store:
        with pytest.raises(CatalogueUnavailable, match="did not respond in time"):
            await store.ping()
    server.close()
    for writer in open_writers:
        writer.close()


async def test_an_unconnected_store_says_so() -> None:
    with pytest.raises(RuntimeError, match="connect"):
        await CatalogueDatabase("mongodb://127.0.0.1:1").ping()


class Stream:
    """A driver's change stream that gives these events, or raises what stands among them."""

    def __init__(self, *events: Any) -> None:
        self.events = deque(events)
        self._cursor = SimpleNamespace(_data=self.events)  # as the driver's, which holds the events of an answer
        self.resume_token = {"_data": "token"}
        self.alive = True
        self.closed = False
        self.asked = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()

    def try_next(self) -> Any:
        self.asked.set()
        self.may_answer.wait(WITHIN_S)
        event = self.events.popleft() if self.events else None
        if isinstance(event, Exception):
            raise event
        return event

    def resume(self) -> None:
        """Open another cursor, as the driver does by itself when the connection breaks."""
        self._cursor = SimpleNamespace(_data=self.events)

    def close(self) -> None:
        self.closed = True


def event(kind: str, document_id: Any, document: Any = None, **more: Any) -> dict[str, Any]:
    return {"operationType": kind, "documentKey": {"_id": document_id}, "fullDocument": document, **more}


def whole(key: str, **more: Any) -> dict[str, Any]:
    return {"_id": key, "id": key, "Category": 1, "vector": VECTOR, **more}


def feed(*events: Any) -> ChangeFeed:
    return ChangeFeed(Stream(*events), "db:1", 0.001)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("token", "seconds"),
    [
        ({"_data": "8265E0C2F3000000012B0429296E1404"}, 0x65E0C2F3),
        ({"_data": "8265E0C2F3"}, 0x65E0C2F3),
        ({"_data": "8265E0"}, None),
        ({"_data": "82........"}, None),
        ({"_data": "nx:12"}, None),
        ({"_data": 12}, None),
        ({}, None),
        (None, None),
    ],
)
def test_a_token_of_mongodb_tells_its_cluster_time(token: dict[str, Any] | None, seconds: float | None) -> None:
    assert cluster_time(token) == seconds


async def test_the_stream_of_a_sharded_cluster_is_level_at_the_time_of_its_token() -> None:
    """A router holds events back until every shard has reached their time."""
    held_back = ChangeFeed(Stream(), "db:1", 0.001, is_sharded=True)  # type: ignore[arg-type]
    held_back._stream.resume_token = {"_data": f"82{1_700_000_000:08X}00000001"}  # type: ignore[misc]
    assert (await held_back.next_batch(10, 0.0)).level_at == 1_700_000_000
    whole_server = feed()
    whole_server._stream.resume_token = held_back._stream.resume_token  # type: ignore[misc]
    assert (await whole_server.next_batch(10, 0.0)).level_at > 1_700_000_000
    await held_back.close()
    await whole_server.close()


async def test_of_several_changes_of_a_document_the_last_counts() -> None:
    batch = await feed(
        event("insert", "a", whole("a", title="first")),
        event("update", "a", whole("a", title="last")),
        event("insert", "b", whole("b")),
        event("delete", "b"),
        event("delete", "c"),
        event("insert", "c", whole("c")),
    ).next_batch(100, 5)
    assert {(r.document_id, r.product.title) for r in batch.changed} == {("a", "last"), ("c", None)}
    assert batch.deleted == ("b",)
    assert batch.unclear == ()
    assert batch.token == {"_data": "token"}


async def test_a_document_that_an_event_does_not_tell_has_to_be_read() -> None:
    batch = await feed(event("update", "a"), event("replace", "b", {"Category": 1})).next_batch(100, 5)
    assert batch.unclear == ("a", "b")
    assert not batch.changed and not batch.is_empty


async def test_a_delete_that_brings_the_old_document_is_a_delete() -> None:
    batch = await feed(event("delete", "a", whole("a"))).next_batch(100, 5)
    assert batch.deleted == ("a",) and not batch.changed


async def test_markers_come_by_apart_from_products() -> None:
    batch = await feed(event("insert", "~sync/1", {}), event("delete", "~sync/2")).next_batch(100, 5)
    assert batch.markers == {"~sync/1", "~sync/2"}
    assert batch.is_empty


@pytest.mark.parametrize("kind", ["drop", "rename", "dropDatabase", "invalidate"])
async def test_a_collection_changed_as_a_whole_is_a_lost_history(kind: str) -> None:
    with pytest.raises(HistoryLost, match=kind):
        await feed(event("insert", "a", whole("a")), {"operationType": kind}).next_batch(100, 5)


async def test_a_stream_that_fails_is_told_in_the_project_s_words() -> None:
    with pytest.raises(CatalogueUnavailable):
        await feed(driver.AutoReconnect("gone")).next_batch(100, 5)
    with pytest.raises(HistoryLost):
        await feed(driver.OperationFailure("lost", 286)).next_batch(100, 5)


async def test_a_batch_is_no_longer_than_asked_for_and_the_rest_comes_next() -> None:
    source = feed(*[event("insert", str(number), whole(str(number))) for number in range(5)])
    sizes = [len((await source.next_batch(3, 0.001)).changed) for _ in range(3)]
    assert sizes == [3, 2, 0]


async def test_the_first_changes_come_at_once_and_the_next_batch_not_before_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    monkeypatch.setattr(change_feed, "time", clock)
    source = feed(*[event("insert", str(number), whole(str(number))) for number in range(4)])
    await source.next_batch(2, 0.2)
    assert clock.slept == [0.0]
    clock.now += 0.05
    await source.next_batch(2, 0.2)
    assert clock.slept == [0.0, pytest.approx(0.15)]


class Clock:
    """Stands in for the module `time`: sleeping takes no time."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ({"wallTime": MOMENT}, MOMENT.timestamp()),
        ({"clusterTime": Timestamp(MOMENT, 1)}, MOMENT.timestamp()),
        ({}, None),
    ],
)
async def test_a_batch_that_was_cut_short_is_level_with_its_last_event(stamp: Any, expected: float | None) -> None:
    first = event("insert", "first", whole("first"), wallTime=MOMENT - timedelta(hours=1))
    rest = [event("insert", str(n), whole(str(n)), **stamp) for n in range(5)]
    batch = await feed(first, *rest).next_batch(2, 5)
    assert batch.level_at == pytest.approx(expected or time.time(), abs=5)
    assert len(batch.changed) == 2


async def test_a_batch_that_took_all_there_was_is_level_with_the_present() -> None:
    batch = await feed(event("insert", "a", whole("a"), wallTime=MOMENT)).next_batch(100, 5)
    assert batch.level_at == pytest.approx(time.time(), abs=5)


async def test_a_stream_that_the_driver_has_resumed_by_itself_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream()
    source = ChangeFeed(stream, "db:1", 0.001)  # type: ignore[arg-type]
    assert not (await source.next_batch(10, 0)).resumed
    try_next = stream.try_next

    def resume_and_try() -> Any:
        stream.resume()
        return try_next()

    monkeypatch.setattr(stream, "try_next", resume_and_try)
    assert (await source.next_batch(10, 0)).resumed
    monkeypatch.setattr(stream, "try_next", try_next)
    assert not (await source.next_batch(10, 0)).resumed


async def test_a_stream_that_the_database_has_ended_is_an_error_after_its_last_event() -> None:
    """The driver has no error for an answer that ends the stream without saying why."""
    stream = Stream(event("insert", "a", whole("a")))
    stream.alive = False
    source = ChangeFeed(stream, "db:1", 0.001)  # type: ignore[arg-type]
    assert [record.document_id for record in (await source.next_batch(10, 0)).changed] == ["a"]
    with pytest.raises(CatalogueUnavailable, match="has ended the change stream"):
        await source.next_batch(10, 0)
    await source.close()


async def test_cancelling_waits_for_the_stream_so_that_it_can_be_closed() -> None:
    stream = Stream()
    stream.may_answer.clear()
    source = ChangeFeed(stream, "db:1", 0.001)  # type: ignore[arg-type]
    task = asyncio.create_task(source.next_batch(10, 5))
    await asyncio.to_thread(stream.asked.wait, 5)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    stream.may_answer.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    await source.close()
    assert stream.closed
