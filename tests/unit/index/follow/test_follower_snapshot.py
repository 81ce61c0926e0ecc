"""A follower that starts from a snapshot searches it at once, and applies what has changed since."""

from pathlib import Path

import pytest

from services.catalogue.store.mongo.errors import HistoryLost
from services.index.replica.snapshot import Origin
from services.index.replica.snapshot_keeper import SnapshotKeeper
from tests.support.fakes.follow import UNAVAILABLE, Database, after_batches, following, keys, record, until

ORIGIN = Origin("lookalike.products", "fashion/1", "fashion/1", 1, 4)


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def keeper(folder: Path) -> SnapshotKeeper:
    return SnapshotKeeper(folder, ORIGIN, interval_s=0)


async def run_until_up_to_date(database: Database, folder: Path) -> None:
    """Run a follower until it is up to date, and stop it."""
    async with following(database, keeper(folder)) as follower:
        await until(lambda: follower.state == "following")


async def test_the_snapshot_is_searched_before_the_database_answers(database: Database, folder: Path) -> None:
    database.put("1")
    await run_until_up_to_date(database, folder)
    database.fail("identity", *[UNAVAILABLE] * 10_000)
    async with following(database, keeper(folder)) as follower:
        await until(lambda: keys(follower) == ["1"])
        await until(lambda: follower.last_error)
        status = follower.status()
        assert (status.loaded_from, status.state, status.stale) == ("snapshot", "reconnecting", True)
        assert status.lag_seconds is not None and status.lag_seconds > 0


async def test_the_stream_is_resumed_from_the_snapshots_position(database: Database, folder: Path) -> None:
    database.put("1")
    database.put("2")
    await run_until_up_to_date(database, folder)
    database.delete("1")
    database.put("3")
    database.resumed_from.clear()
    async with following(database, keeper(folder)) as follower:
        await until(lambda: keys(follower) == ["2", "3"])
        await until(lambda: follower.state == "following")
        assert None not in database.resumed_from
        status = follower.status()
        assert (status.loaded_from, status.stale, status.last_error) == ("snapshot", False, None)


async def test_changes_are_written_to_the_snapshot_in_the_background(database: Database, folder: Path) -> None:
    database.put("1")
    snapshots = keeper(folder)
    async with following(database, snapshots) as follower:
        await until(lambda: snapshots.status().bytes)
        size = snapshots.status().bytes
        database.put("2", "a title " * 100)
        await until(lambda: snapshots.status().bytes != size)
        assert follower.status().snapshot == snapshots.status()


async def test_an_index_that_was_killed_resumes_from_an_older_snapshot(database: Database, folder: Path) -> None:
    database.put("1")
    await run_until_up_to_date(database, folder)
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
async def test_a_snapshot_that_cannot_be_resumed_from_is_searched_until_everything_is_read_again(
    database: Database, folder: Path, loss: str
) -> None:
    database.put("1")
    database.put("2")
    await run_until_up_to_date(database, folder)
    database.products.pop("1")  # without an event
    database.products["3"] = record("3")
    if loss == "history":
        database.fail("watch", HistoryLost("the database has lost the history of changes (error 286)"))
    else:
        database.name = "another"
    database.scan_may_end.clear()
    async with following(database, keeper(folder)) as follower:
        await database.scan_is_at_end.wait()
        assert (follower.state, keys(follower)) == ("rebuilding", ["1", "2"])
        assert follower.status().stale
        database.scan_may_end.set()
        await until(lambda: follower.state == "following")
        assert keys(follower) == ["2", "3"]
        assert (follower.status().loaded_from, follower.status().stale) == ("database", False)
    async with following(database, keeper(folder)) as follower:
        await until(lambda: follower.state == "following")
        assert (keys(follower), follower.status().loaded_from) == (["2", "3"], "snapshot")


async def test_another_database_at_the_same_address_is_read_completely(database: Database, folder: Path) -> None:
    database.put("1")
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        database.products = {"2": record("2")}
        database.name = "another"
        database.fail("next_batch", UNAVAILABLE)
        await until(lambda: keys(follower) == ["2"])


async def test_a_damaged_snapshot_is_counted_and_the_database_is_read(database: Database, folder: Path) -> None:
    database.put("1")
    await run_until_up_to_date(database, folder)
    path = keeper(folder).path
    path.write_bytes(path.read_bytes()[:-1])
    async with following(database, keeper(folder)) as follower:
        await until(lambda: follower.state == "following")
        status = follower.status()
        assert (keys(follower), status.loaded_from) == (["1"], "database")
        assert status.snapshot is not None and status.snapshot.failures == 1


async def test_a_follower_that_is_stopped_writes_its_last_changes(database: Database, folder: Path) -> None:
    database.put("1")
    snapshots = SnapshotKeeper(folder, ORIGIN, interval_s=1000)
    async with following(database, snapshots) as follower:
        await until(lambda: snapshots.status().bytes)
        database.put("2")
        await until(lambda: keys(follower) == ["1", "2"])
    database.fail("identity", *[UNAVAILABLE] * 10_000)
    async with following(database, keeper(folder)) as follower:
        await until(lambda: keys(follower) == ["1", "2"])


async def test_a_follower_that_has_loaded_nothing_writes_no_snapshot(database: Database, folder: Path) -> None:
    database.fail("identity", *[UNAVAILABLE] * 10_000)
    async with following(database, keeper(folder)) as follower:
        await until(lambda: follower.last_error)
    assert not keeper(folder).path.exists()


async def test_after_a_lost_history_no_snapshot_is_written_until_everything_is_read(
    database: Database, folder: Path
) -> None:
    """Its token leads nowhere, and its products may be of another database."""
    database.put("1")
    async with following(database, keeper(folder)) as follower:
        await until(lambda: follower.state == "following" and keeper(folder).path.exists())
        await after_batches(database)
        database.scan_may_end.clear()
        database.scan_is_at_end.clear()
        database.fail("next_batch", HistoryLost("error 286"))
        await database.scan_is_at_end.wait()
        assert follower._position() is None
        written = keeper(folder).path.stat().st_mtime_ns
    assert keeper(folder).path.stat().st_mtime_ns == written


async def test_the_stream_may_have_missed_changes_before_a_snapshot_is_resumed(
    database: Database, folder: Path
) -> None:
    """The replica is compared with the database at once, not at the next interval."""
    database.put("1")
    await run_until_up_to_date(database, folder)
    database.products["2"] = record("2")  # without an event
    async with following(database, keeper(folder), reconcile_s=1000) as follower:
        await until(lambda: keys(follower) == ["1", "2"])
        assert follower.status().loaded_from == "snapshot"
        await until(lambda: follower.status().reconcile.found == 1)
