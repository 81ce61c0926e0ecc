"""Following a database without change streams: what is read again and again is what is shown."""

from pathlib import Path

import pytest

from services.catalogue.store.errors import NO_STREAM, NoChangeStreams
from services.index.follow import change_stream as stream
from services.index.follow import comparison
from services.index.follow import follower as sync
from services.index.replica.snapshot import Origin
from services.index.replica.snapshot_keeper import SnapshotKeeper
from tests.support.follow import AWAY, Database, following, keys, record, shown, until

ORIGIN = Origin("lookalike.products", "fashion/1", "fashion/1", 1, 4)
FAST = {"polling_s": 0.01}


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database that has no change streams: its log is never read."""
    monkeypatch.setattr(comparison, "PAGE", 2)
    database = Database()
    database.fail("watch", *[NoChangeStreams(NO_STREAM)] * 10_000)
    for key in ("1", "2", "3"):
        database.put(key)
    return database


@pytest.mark.parametrize("mode", ["auto", "polling"])
async def test_what_is_there_is_loaded_and_what_becomes_of_it_is_seen(database: Database, mode: str) -> None:
    async with following(database, mode=mode, **FAST) as follower:
        await until(lambda: follower.state == "polling")
        assert keys(follower) == ["1", "2", "3"]
        database.put("2", "changed")
        database.put("4")
        database.delete("1")
        await until(lambda: keys(follower) == ["2", "3", "4"])
        await until(lambda: shown(follower)["2"] == b'{"title":"changed"}')
        await until(lambda: follower.status().applied == 3)
        status = follower.status()
        assert (status.stale, status.last_error, status.loaded_from) == (False, None, "database")
        assert status.lag_seconds is not None and status.lag_seconds < 60
        assert status.reconcile.found == 0


async def test_what_happens_during_a_reading_is_seen_by_the_next(database: Database) -> None:
    def change() -> None:
        database.during_scan = lambda: None
        database.put("3", "changed")
        database.put("4")
        database.delete("1")

    database.during_scan = change
    async with following(database, mode="polling", **FAST) as follower:
        await until(lambda: keys(follower) == ["2", "3", "4"])
        await until(lambda: shown(follower)["3"] == b'{"title":"changed"}')


async def test_a_product_that_came_back_while_it_was_looked_for_stays(database: Database) -> None:
    async with following(database, mode="polling", **FAST) as follower:
        await until(lambda: follower.state == "polling")
        read = database.read

        async def back_again(document_ids: list[str]) -> list[object]:
            database.put("1", "back")
            return list(await read(document_ids))

        database.read = back_again  # type: ignore[method-assign,assignment]
        database.delete("1")
        await until(lambda: shown(follower).get("1") == b'{"title":"back"}')


async def test_with_streams_asked_for_a_database_without_them_is_no_use(database: Database) -> None:
    async with following(database, mode="stream") as follower:
        await until(lambda: follower.last_error)
        assert follower.last_error == f"{NO_STREAM}; or set INDEX_FOLLOW=auto"
        assert follower.replica is None


async def test_a_stream_that_tells_nothing_is_done_without(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MARKER_TIMEOUT_S", 0.02)
    database.faults.clear()
    database.silent = True
    async with following(database, **FAST) as follower:
        await until(lambda: follower.state == "polling")
        database.put("4")
        await until(lambda: keys(follower) == ["1", "2", "3", "4"])


async def test_a_database_that_is_away_for_a_while_is_read_again(database: Database) -> None:
    async with following(database, mode="polling", **FAST) as follower:
        await until(lambda: follower.state == "polling")
        database.fail("identity", *[AWAY] * 30)
        database.fail("scan", AWAY)
        await until(lambda: follower.state == "reconnecting")
        assert follower.status().stale
        assert keys(follower) == ["1", "2", "3"]
        database.put("4")
        await until(lambda: keys(follower) == ["1", "2", "3", "4"])
        assert follower.status().loaded_from == "database"


async def test_a_database_that_gets_change_streams_is_followed_by_them(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "STREAM_RETRY_S", 0.05)
    async with following(database, **FAST) as follower:
        await until(lambda: follower.state == "polling")
        database.faults.clear()
        await until(lambda: follower.state == "following")
        assert keys(follower) == ["1", "2", "3"]


async def test_a_snapshot_is_searched_at_once_and_brought_level(database: Database, tmp_path: Path) -> None:
    async with following(database, SnapshotKeeper(tmp_path, ORIGIN, 0), mode="polling", **FAST) as follower:
        await until(lambda: follower.state == "polling")
    database.delete("1")
    database.put("4")
    database.fail("identity", *[AWAY] * 5)
    database.scans = 0
    async with following(database, SnapshotKeeper(tmp_path, ORIGIN, 0), mode="polling", **FAST) as follower:
        await until(lambda: keys(follower) == ["1", "2", "3"])
        await until(lambda: keys(follower) == ["2", "3", "4"])
        assert follower.status().loaded_from == "snapshot"


async def test_another_database_is_read_beside_what_is_searched(database: Database) -> None:
    async with following(database, mode="polling", **FAST) as follower:
        await until(lambda: follower.state == "polling")
        database.scan_may_end.clear()
        database.products, database.name = {"9": record("9")}, "another"
        database.fail("scan", AWAY)
        await until(lambda: follower.state == "rebuilding")
        assert keys(follower) == ["1", "2", "3"]
        database.scan_may_end.set()
        await until(lambda: keys(follower) == ["9"])
