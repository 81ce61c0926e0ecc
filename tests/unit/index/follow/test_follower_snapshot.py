"""Starting from a snapshot: it is searched at once, and brought level with whatever has happened since."""

import asyncio
from pathlib import Path

import pytest

from services.catalogue.store.errors import HistoryLost
from services.index.replica.snapshot import Origin
from services.index.replica.snapshot_keeper import SnapshotKeeper
from tests.support.follow import AWAY, Database, following, keys, record, until

ORIGIN = Origin("lookalike.products", "fashion/1", "fashion/1", 1, 4)


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def keeper(folder: Path) -> SnapshotKeeper:
    return SnapshotKeeper(folder, ORIGIN, interval_s=0)


async def leave(database: Database, folder: Path) -> None:
    """Run a follower until it is level, and end it."""
    async with following(database, keeper(folder)) as follower:
        await until(lambda: follower.state == "following")


async def test_the_snapshot_is_searched_before_the_database_answers(database: Database, folder: Path) -> None:
    database.put("1")
    await leave(database, folder)
    database.fail("identity", *[AWAY] * 10_000)
    async with following(database, keeper(folder)) as follower:
        await until(lambda: keys(follower) == ["1"])
        await until(lambda: follower.last_error)
        status = follower.status()
        assert (status.loaded_from, status.state, status.stale) == ("snapshot", "reconnecting", True)
        assert status.lag_seconds is not None and status.lag_seconds > 0


async def test_the_stream_goes_on_from_where_the_snapshot_ends(database: Database, folder: Path) -> None:
    database.put("1")
    database.put("2")
    await leave(database, folder)
    database.delete("1")
    database.put("3")
    database.resumed_from.clear()
    async with following(database, keeper(folder)) as follower:
        await until(lambda: keys(follower) == ["2", "3"])
        await until(lambda: follower.state == "following")
        assert None not in database.resumed_from
        status = follower.status()
        assert (status.loaded_from, status.stale, status.last_error) == ("snapshot", False, None)


async def test_what_has_changed_is_written_while_it_goes_on(database: Database, folder: Path) -> None:
    database.put("1")
    kept = keeper(folder)
    async with following(database, kept) as follower:
        await until(lambda: kept.status().bytes)
        size = kept.status().bytes
        database.put("2", "a title " * 100)
        await until(lambda: kept.status().bytes != size)
        assert follower.status().snapshot == kept.status()


async def test_an_index_that_was_killed_goes_on_from_an_older_snapshot(database: Database, folder: Path) -> None:
    database.put("1")
    await leave(database, folder)
    older = keeper(folder).path.read_bytes()
    async with following(database, keeper(folder)) as follower:
        database.put("2")
        database.delete("1")
        await until(lambda: keys(follower) == ["2"])
    keeper(folder).path.write_bytes(older)
    async with following(database, keeper(folder)) as follower:
        await until(lambda: follower.state == "following")
        assert keys(follower) == ["2"]


@pytest.mark.parametrize("loss", ["history", "database"])
async def test_a_snapshot_that_leads_nowhere_is_searched_until_all_is_read_anew(
    database: Database, folder: Path, loss: str
) -> None:
    database.put("1")
    database.put("2")
    await leave(database, folder)
    database.products.pop("1")  # without an event
    database.products["3"] = record("3")
    if loss == "history":
        database.fail("watch", HistoryLost("the database has lost the history of changes (error 286)"))
    else:
        database.name = "another"
    database.scan_may_end.clear()
    async with following(database, keeper(folder)) as follower:
        await until(lambda: follower.state == "rebuilding")
        await asyncio.sleep(0.02)
        assert keys(follower) == ["1", "2"]
        assert follower.status().stale
        database.scan_may_end.set()
        await until(lambda: follower.state == "following")
        assert keys(follower) == ["2", "3"]
        assert (follower.status().loaded_from, follower.status().stale) == ("database", False)
    async with following(database, keeper(folder)) as follower:
        await until(lambda: follower.state == "following")
        assert (keys(follower), follower.status().loaded_from) == (["2", "3"], "snapshot")


async def test_another_database_behind_the_same_address_is_read_anew(database: Database, folder: Path) -> None:
    database.put("1")
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        database.products = {"2": record("2")}
        database.name = "another"
        database.fail("next_batch", AWAY)
        await until(lambda: keys(follower) == ["2"])


async def test_a_damaged_snapshot_is_as_good_as_none(database: Database, folder: Path) -> None:
    database.put("1")
    await leave(database, folder)
    path = keeper(folder).path
    path.write_bytes(path.read_bytes()[:-1])
    async with following(database, keeper(folder)) as follower:
        await until(lambda: follower.state == "following")
        status = follower.status()
        assert (keys(follower), status.loaded_from) == (["1"], "database")
        assert status.snapshot is not None and status.snapshot.failures == 1
