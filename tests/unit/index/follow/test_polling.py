"""A database without change streams is read and compared repeatedly."""

import asyncio
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from services.catalogue.store.mongo.errors import NO_STREAM, NoChangeStreams
from services.index.follow import change_stream, comparison
from services.index.follow import follower as follower_module
from services.index.replica.snapshot import Origin
from services.index.replica.snapshot_keeper import SnapshotKeeper
from tests.support.fakes.follow import UNAVAILABLE, Database, following, keys, record, shown, until

ORIGIN = Origin("lookalike.products", "fashion/1", "fashion/1", 1, 4)
FAST: dict[str, Any] = {"polling_s": 0.01}


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
async def test_products_are_loaded_and_then_changes_are_found(database: Database, mode: str) -> None:
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


async def test_changes_during_a_scan_are_found_by_the_next_scan(database: Database) -> None:
    def change() -> None:
        database.during_scan = lambda: None
        database.put("3", "changed")
        database.put("4")
        database.delete("1")

    database.during_scan = change
    async with following(database, mode="polling", **FAST) as follower:
        await until(lambda: keys(follower) == ["2", "3", "4"])
        await until(lambda: shown(follower)["3"] == b'{"title":"changed"}')


async def test_a_product_that_is_put_again_while_its_deletion_is_confirmed_stays(database: Database) -> None:
    async with following(database, mode="polling", **FAST) as follower:
        await until(lambda: follower.state == "polling")
        read = database.read

        async def back_again(document_ids: list[str]) -> list[object]:
            database.put("1", "back")
            return list(await read(document_ids))

        database.read = back_again  # type: ignore[method-assign,assignment]
        database.delete("1")
        await until(lambda: shown(follower).get("1") == b'{"title":"back"}')


async def test_a_database_without_change_streams_is_an_error_if_the_mode_is_stream(database: Database) -> None:
    async with following(database, mode="stream") as follower:
        await until(lambda: follower.last_error)
        assert follower.last_error == f"{NO_STREAM}; or set INDEX_FOLLOW=auto"
        assert follower.replica is None


async def test_a_database_whose_stream_has_no_events_is_polled(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_stream, "MARKER_TIMEOUT_S", 0.02)
    database.errors.clear()
    database.silent = True
    async with following(database, **FAST) as follower:
        await until(lambda: follower.state == "polling")
        database.put("4")
        await until(lambda: keys(follower) == ["1", "2", "3", "4"])


async def test_after_an_outage_the_database_is_read_again(database: Database) -> None:
    async with following(database, mode="polling", **FAST) as follower:
        await until(lambda: follower.state == "polling")
        database.fail("identity", *[UNAVAILABLE] * 30)
        database.fail("scan", UNAVAILABLE)
        await until(lambda: follower.state == "reconnecting")
        assert follower.status().stale
        assert keys(follower) == ["1", "2", "3"]
        database.put("4")
        await until(lambda: keys(follower) == ["1", "2", "3", "4"])
        assert follower.status().loaded_from == "database"


async def test_a_database_that_gets_change_streams_is_followed_by_its_stream(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "STREAM_RETRY_S", 0.05)
    async with following(database, **FAST) as follower:
        await until(lambda: follower.state == "polling")
        database.errors.clear()
        await until(lambda: follower.state == "following")
        assert keys(follower) == ["1", "2", "3"]


async def test_a_snapshot_is_searched_at_once_and_changes_since_are_found(database: Database, tmp_path: Path) -> None:
    async with following(database, SnapshotKeeper(tmp_path, ORIGIN, 0), mode="polling", **FAST) as follower:
        await until(lambda: follower.state == "polling")
    database.delete("1")
    database.put("4")
    database.fail("identity", *[UNAVAILABLE] * 5)
    database.scans = 0
    async with following(database, SnapshotKeeper(tmp_path, ORIGIN, 0), mode="polling", **FAST) as follower:
        await until(lambda: keys(follower) == ["1", "2", "3"])
        await until(lambda: keys(follower) == ["2", "3", "4"])
        assert follower.status().loaded_from == "snapshot"


async def test_another_database_is_read_while_the_replica_is_searched(database: Database) -> None:
    async with following(database, mode="polling", **FAST) as follower:
        await until(lambda: follower.state == "polling")
        database.scan_may_end.clear()
        database.products, database.name = {"9": record("9")}, "another"
        database.fail("scan", UNAVAILABLE)
        await until(lambda: follower.state == "rebuilding")
        assert keys(follower) == ["1", "2", "3"]
        database.scan_may_end.set()
        await until(lambda: keys(follower) == ["9"])


async def test_two_scans_are_at_least_the_interval_apart(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, pauses = [0.0], list[float]()

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        clock[0] += seconds
        await asyncio.sleep(0)

    async def catch_up(_: Any) -> None:
        clock[0] += scan_s.pop(0) if scan_s else 1.0

    scan_s = [1.0, 7.0]
    names = {**vars(asyncio), "sleep": sleep}
    monkeypatch.setattr(follower_module, "asyncio", SimpleNamespace(**names))
    monkeypatch.setattr(follower_module, "time", SimpleNamespace(**{**vars(time), "monotonic": lambda: clock[0]}))
    async with following(database, mode="polling", polling_s=5.0) as follower:
        monkeypatch.setattr(follower._poller, "catch_up", catch_up)
        await until(lambda: len(pauses) >= 3)
    assert pauses[:2] == [5.0, 7.0]
