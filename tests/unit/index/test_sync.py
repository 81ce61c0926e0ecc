"""Following the database through everything that can go wrong, with a database of the tests' own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from services.catalogue.changes import ChangeBatch
from services.catalogue.documents import Record
from services.catalogue.faults import HistoryLost
from services.catalogue.product import Product
from services.contracts.errors import CatalogueUnavailable
from services.index import sync
from services.index.flat import FaissFlat
from services.index.gallery import Gallery, Query
from services.index.mirror import Mirror
from services.index.sync import Follower

AWAY = CatalogueUnavailable("the catalogue's database at db:1 cannot be reached")


def record(key: str, title: str = "") -> Record:
    return Record(key, Product(key, 0, np.eye(4, dtype=np.float32)[0], model="fashion/1", title=title))


class Database:
    """Products and the log of their changes. Errors put into `faults` are raised by the next call of that name."""

    def __init__(self) -> None:
        self.products: dict[str, Record] = {}
        self.log: list[tuple[str, Any]] = []
        self.faults: dict[str, list[Exception]] = {}
        self.resumed_from: list[Any] = []
        self.silent = False
        self.unclear = False
        self.during_scan: Callable[[], None] = lambda: None
        self.scan_may_end = asyncio.Event()
        self.scan_may_end.set()

    def fail(self, call: str, *errors: Exception) -> None:
        self.faults.setdefault(call, []).extend(errors)

    def check(self, call: str) -> None:
        if self.faults.get(call):
            raise self.faults[call].pop(0)

    def put(self, key: str, title: str = "") -> None:
        self.products[key] = record(key, title)
        self.log.append((key, self.products[key]))

    def delete(self, key: str) -> None:
        del self.products[key]
        self.log.append((key, None))

    async def watch(self, after: Any = None, **_: Any) -> "Feed":
        self.check("watch")
        self.resumed_from.append(after)
        return Feed(self, len(self.log) if after is None else after["at"])

    async def scan(self, batch: int) -> AsyncIterator[list[Record]]:
        self.check("scan")
        yield list(self.products.values())
        self.during_scan()
        await self.scan_may_end.wait()

    async def read(self, document_ids: Sequence[str]) -> list[Record]:
        self.check("read")
        return [self.products[one] for one in document_ids if one in self.products]

    async def put_marker(self) -> str:
        self.check("put_marker")
        marker = f"~sync/{len(self.log)}"
        self.log.append((marker, None))
        return marker

    async def remove_markers(self, markers: Sequence[str]) -> None:
        self.check("remove_markers")


class Feed:
    def __init__(self, database: Database, at: int) -> None:
        self.database = database
        self.at = at

    async def next_batch(self, limit: int, gather_s: float) -> ChangeBatch:
        await asyncio.sleep(0.001)
        self.database.check("next_batch")
        new = [] if self.database.silent else self.database.log[self.at :]
        self.at += len(new)
        last = {key: state for key, state in new if not key.startswith("~")}
        unclear = self.database.unclear
        return ChangeBatch(
            found=() if unclear else tuple(state for state in last.values() if state is not None),
            gone=() if unclear else tuple(key for key, state in last.items() if state is None),
            unclear=tuple(last) if unclear else (),
            markers=frozenset(key for key, _ in new if key.startswith("~")),
            token={"at": self.at},
            level_at=1_000_000.0,
        )

    async def close(self) -> None:
        pass


@pytest.fixture
def database() -> Database:
    return Database()


@asynccontextmanager
async def following(database: Database) -> AsyncIterator[Follower]:
    def empty() -> Mirror:
        return Mirror(Gallery(1, 4, FaissFlat), "fashion/1", "fashion/1")

    follower = Follower(database, empty, longest_pause_s=0.01)  # type: ignore[arg-type]
    task = asyncio.create_task(follower.run())
    try:
        yield follower
    finally:
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def until(check: Callable[[], Any]) -> None:
    async with asyncio.timeout(5):
        while not check():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


def shown(follower: Follower) -> dict[str, bytes | None]:
    assert follower.mirror is not None
    found = follower.mirror.gallery.search(0, np.eye(4, dtype=np.float32)[0], Query(100))
    return {match.key: match.payload for match in found}


def keys(follower: Follower) -> list[str]:
    return sorted(shown(follower)) if follower.mirror else []


async def test_what_is_there_is_loaded_and_what_comes_is_followed(database: Database) -> None:
    database.put("1")
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        assert keys(follower) == ["1"]
        database.put("2")
        database.delete("1")
        await until(lambda: keys(follower) == ["2"])
        assert follower.status().applied == 2
        assert follower.status().last_error is None


async def test_what_happens_during_the_scan_is_applied_before_anything_is_shown(database: Database) -> None:
    database.put("old")
    database.put("gone")

    def change() -> None:
        database.delete("gone")
        database.put("new")
        database.put("old", "changed")

    database.during_scan = change
    async with following(database) as follower:
        await until(lambda: follower.mirror is not None)
        assert keys(follower) == ["new", "old"]
        assert shown(follower)["old"] == b'{"title":"changed"}'


async def test_while_the_scan_lasts_nothing_is_shown_and_the_state_is_loading(database: Database) -> None:
    database.put("1")
    database.scan_may_end.clear()
    async with following(database) as follower:
        await until(lambda: follower.state == "loading")
        await asyncio.sleep(0.02)
        assert follower.mirror is None
        assert follower.lag_s is None
        database.scan_may_end.set()
        await until(lambda: follower.mirror is not None)


@pytest.mark.parametrize("call", ["watch", "scan", "put_marker", "next_batch", "remove_markers"])
async def test_a_database_that_fails_at_the_start_is_tried_again(database: Database, call: str) -> None:
    database.put("1")
    database.fail(call, AWAY, AWAY)
    async with following(database) as follower:
        await until(lambda: follower.last_error)
        assert follower.mirror is None
        assert follower.status().last_error == AWAY.detail
        await until(lambda: keys(follower) == ["1"])
        await until(lambda: follower.state == "following")
        assert follower.last_error is None


async def test_a_stream_that_breaks_is_resumed_from_where_it_was_and_searches_go_on(database: Database) -> None:
    database.put("1")
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        mirror = follower.mirror
        database.fail("watch", *[AWAY] * 20)
        database.fail("next_batch", AWAY)
        await until(lambda: follower.state == "reconnecting")
        assert keys(follower) == ["1"]
        database.put("2")
        await until(lambda: keys(follower) == ["1", "2"])
        assert follower.mirror is mirror
        assert database.resumed_from[-1] is not None


@pytest.mark.parametrize("call", ["watch", "next_batch"])
async def test_a_lost_history_is_read_anew_beside_the_mirror_that_is_searched(database: Database, call: str) -> None:
    database.put("1")
    database.put("2")
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        mirror = follower.mirror
        database.scan_may_end.clear()
        database.fail(call, *[HistoryLost("error 286")] * (1 if call == "next_batch" else 2))
        if call == "watch":
            database.fail("next_batch", AWAY)
        database.products.pop("1")  # without an event, as when the log is gone
        database.products["3"] = record("3")
        await until(lambda: database.resumed_from[-1] is None and follower.state == "reconnecting")
        await asyncio.sleep(0.02)
        assert keys(follower) == ["1", "2"]
        database.scan_may_end.set()
        await until(lambda: follower.mirror is not mirror)
        assert keys(follower) == ["2", "3"]
        await until(lambda: follower.state == "following")


async def test_a_document_that_an_event_does_not_tell_is_read(database: Database) -> None:
    database.unclear = True
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        database.put("1")
        database.put("2")
        database.delete("2")
        await until(lambda: keys(follower) == ["1"])


async def test_a_change_that_could_not_be_read_comes_again(database: Database) -> None:
    database.unclear = True
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        database.fail("read", AWAY)
        database.put("1")
        await until(lambda: keys(follower) == ["1"])


async def test_a_server_whose_stream_tells_nothing_is_found_out(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "MARKER_WAIT_S", 0.02)
    database.silent = True
    async with following(database) as follower:
        await until(lambda: follower.last_error)
        assert "replica set" in follower.status().last_error
        assert follower.mirror is None


async def test_a_stream_that_does_not_go_on_after_a_break_means_reading_anew(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "MARKER_WAIT_S", 0.02)
    database.put("1")
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        database.silent = True
        database.fail("next_batch", AWAY)
        await until(lambda: follower.last_error and "did not go on" in follower.last_error)
        database.products["2"] = record("2")
        database.silent = False
        await until(lambda: keys(follower) == ["1", "2"])


async def test_an_error_of_our_own_is_told_and_does_not_end_the_following(database: Database) -> None:
    database.put("1")
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        database.fail("next_batch", KeyError("s3cret"))
        await until(lambda: follower.last_error)
        assert "KeyError" in follower.last_error and "s3cret" not in follower.last_error
        database.put("2")
        await until(lambda: keys(follower) == ["1", "2"])
