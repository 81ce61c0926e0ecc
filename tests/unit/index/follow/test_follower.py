"""The follower keeps a replica up to date with a database that fails in many ways."""

import asyncio
from types import SimpleNamespace

import pytest

from services.catalogue.store.mongo.errors import HistoryLost
from services.index.follow import change_stream
from services.index.follow import follower as follower_module
from services.index.follow.follower import MAX_LAG_S, MAX_SHARDED_LAG_S
from tests.support.fakes.follow import (
    COMPARING,
    UNAVAILABLE,
    Database,
    after_batches,
    following,
    keys,
    record,
    running,
    shown,
    until,
)


@pytest.fixture
def database() -> Database:
    return Database()


async def test_products_are_loaded_and_then_changes_are_followed(database: Database) -> None:
    database.put("1")
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        assert keys(follower) == ["1"]
        database.put("2")
        database.delete("1")
        await until(lambda: keys(follower) == ["2"])
        await until(lambda: follower.status().applied == 2)
        status = follower.status()
        assert (status.last_error, status.loaded_from, status.stale) == (None, "database", False)


async def test_changes_during_the_scan_are_applied_before_the_replica_is_searched(database: Database) -> None:
    database.put("old")
    database.put("gone")

    def change() -> None:
        database.delete("gone")
        database.put("new")
        database.put("old", "changed")

    database.during_scan = change
    async with following(database) as follower:
        await until(lambda: follower.replica is not None)
        assert keys(follower) == ["new", "old"]
        assert shown(follower)["old"] == b'{"title":"changed"}'


async def test_during_the_first_scan_there_is_no_replica_and_the_state_is_loading(database: Database) -> None:
    database.put("1")
    database.scan_may_end.clear()
    async with following(database) as follower:
        await database.scan_is_at_end.wait()
        assert (follower.state, follower.replica, follower.lag_s) == ("loading", None, None)
        database.scan_may_end.set()
        await until(lambda: follower.replica is not None)
        assert follower.lag_s is None or follower.lag_s < 60


async def test_documents_that_cannot_be_indexed_are_counted_during_the_first_load(database: Database) -> None:
    database.products["1"] = record("1")
    object.__setattr__(database.products["1"].product, "category", 7)
    database.scan_may_end.clear()
    async with following(database) as follower:
        await database.scan_is_at_end.wait()
        await until(lambda: follower.status().skipped == 1)
        assert follower.replica is None
        database.scan_may_end.set()
        await until(lambda: follower.state == "following")
        assert follower.status().skipped == 1


@pytest.mark.parametrize("call", ["identity", "watch", "scan", "put_marker", "next_batch", "remove_markers"])
async def test_a_call_that_fails_at_the_start_is_retried(database: Database, call: str) -> None:
    database.put("1")
    database.fail(call, UNAVAILABLE, UNAVAILABLE)
    async with following(database) as follower:
        await until(lambda: follower.last_error)
        assert follower.replica is None
        assert follower.status().last_error == UNAVAILABLE.detail
        await until(lambda: keys(follower) == ["1"])
        await until(lambda: follower.state == "following")
        assert follower.last_error is None


async def test_a_broken_stream_is_resumed_after_the_last_token_and_searches_go_on(database: Database) -> None:
    database.put("1")
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        replica = follower.replica
        database.fail("watch", *[UNAVAILABLE] * 20)
        database.fail("next_batch", UNAVAILABLE)
        await until(lambda: follower.state == "reconnecting")
        assert follower.status().stale
        assert keys(follower) == ["1"]
        database.put("2")
        await until(lambda: keys(follower) == ["1", "2"])
        assert follower.replica is replica
        assert database.resumed_from[-1] is not None


async def test_after_a_break_one_comparison_and_one_feed_are_left(database: Database) -> None:
    database.put("1")
    async with following(database) as follower:
        for number in range(3):
            await until(lambda: follower.state == "following")
            assert (running({COMPARING}), len(database.open_feeds)) == ([COMPARING], 1), f"after {number} breaks"
            database.fail("next_batch", UNAVAILABLE)
            await until(lambda: follower.state == "reconnecting")
            assert running({COMPARING}) == []


@pytest.mark.parametrize("call", ["watch", "next_batch"])
async def test_after_a_lost_history_everything_is_read_while_the_replica_is_searched(
    database: Database, call: str
) -> None:
    database.put("1")
    database.put("2")
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        replica, applied = follower.replica, follower.status().applied
        database.scan_may_end.clear()
        database.fail(call, *[HistoryLost("error 286")] * (1 if call == "next_batch" else 2))
        if call == "watch":
            database.fail("next_batch", UNAVAILABLE)
        database.products.pop("1")  # without an event, as when the log is lost
        database.products["3"] = record("3")
        database.scan_is_at_end.clear()
        await database.scan_is_at_end.wait()
        assert (database.resumed_from[-1], follower.state) == (None, "rebuilding")
        assert keys(follower) == ["1", "2"]
        database.scan_may_end.set()
        await until(lambda: follower.replica is not replica)
        assert keys(follower) == ["2", "3"]
        await until(lambda: follower.state == "following")
        assert follower.status().applied >= applied


async def test_the_counts_of_changes_go_on_after_everything_was_read_again(database: Database) -> None:
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        database.put("1")
        database.put("2")
        await until(lambda: follower.status().applied == 2)
        assert follower._writer is not None
        changes = follower._writer.changes
        replica = follower.replica
        database.fail("next_batch", HistoryLost("error 286"))
        await until(lambda: follower.replica is not replica and follower.state == "following")
        assert follower.status().applied == 2
        assert follower._writer.changes > changes


async def test_a_document_that_an_event_does_not_hold_is_read(database: Database) -> None:
    database.unclear = True
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        database.put("1")
        database.put("2")
        database.delete("2")
        await until(lambda: keys(follower) == ["1"])


async def test_many_documents_that_events_do_not_hold_are_all_read(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_stream, "READ_BATCH", 3)
    database.unclear = True
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        for number in range(7):
            database.put(str(number))
        await until(lambda: keys(follower) == [str(number) for number in range(7)])
        await until(lambda: follower.status().applied == 7)
        await after_batches(database)
        assert follower.status().applied == 7


async def test_a_change_that_could_not_be_read_comes_again(database: Database) -> None:
    database.unclear = True
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        database.fail("read", UNAVAILABLE)
        database.put("1")
        await until(lambda: keys(follower) == ["1"])


async def test_a_stream_without_events_is_an_error(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_stream, "MARKER_TIMEOUT_S", 0.02)
    database.silent = True
    async with following(database, mode="stream") as follower:
        await until(lambda: follower.last_error)
        assert "they need a replica set" in str(follower.status().last_error)
        assert follower.replica is None


async def test_a_stream_that_falls_silent_during_the_scan_is_an_error(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_stream, "MARKER_TIMEOUT_S", 0.02)
    database.put("1")

    def fall_silent() -> None:
        database.silent = True

    database.during_scan = fall_silent
    async with following(database) as follower:
        await until(lambda: follower.last_error)
        assert follower.last_error == "the database's change stream has fallen silent"
        assert follower.replica is None
        database.during_scan = lambda: None
        database.silent = False
        await until(lambda: keys(follower) == ["1"])


async def test_a_stream_that_does_not_go_on_after_a_break_means_a_complete_load(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_stream, "MARKER_TIMEOUT_S", 0.02)
    database.put("1")
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        database.silent = True
        database.fail("next_batch", UNAVAILABLE)
        await until(lambda: follower.last_error and "did not go on" in follower.last_error)
        database.products["2"] = record("2")
        database.silent = False
        await until(lambda: keys(follower) == ["1", "2"])


async def test_an_error_in_our_own_code_is_reported_and_the_follower_goes_on(database: Database) -> None:
    database.put("1")
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        database.fail("next_batch", KeyError("s3cret"))
        await until(lambda: follower.last_error)
        assert follower.last_error is not None
        assert "KeyError" in follower.last_error and "s3cret" not in follower.last_error
        database.put("2")
        await until(lambda: keys(follower) == ["1", "2"])


async def test_an_index_is_stale_while_its_changes_come_late(database: Database) -> None:
    database.put("1")
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        assert not follower.status().stale
        database.late_s = 2 * MAX_LAG_S
        await until(lambda: follower.status().stale)
        assert follower.state == "following"
        database.late_s = 0.0
        await until(lambda: not follower.status().stale)


async def test_behind_a_sharded_cluster_an_index_is_stale_only_after_the_time_of_its_idle_shards(
    database: Database,
) -> None:
    database.put("1")
    database.is_sharded = True
    database.late_s = 2 * MAX_LAG_S
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        assert not follower.status().stale
        database.late_s = 2 * MAX_SHARDED_LAG_S
        await until(lambda: follower.status().stale)


async def test_the_pause_between_attempts_doubles_and_starts_again_after_progress(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def record_pause(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr(follower_module, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": record_pause}))
    monkeypatch.setattr(follower_module, "random", SimpleNamespace(uniform=lambda _, high: high))
    database.fail("identity", *[UNAVAILABLE] * 6)
    async with following(database, longest_pause_s=1.5) as follower:
        await until(lambda: follower.state == "following")
        database.fail("next_batch", UNAVAILABLE)
        await until(lambda: len(pauses) == 7)
    assert pauses == pytest.approx([0.2, 0.4, 0.8, 1.5, 1.5, 1.5, 0.1])


async def test_each_replica_that_takes_the_place_of_another_makes_a_revision(database: Database) -> None:
    database.put("1")
    async with following(database) as follower:
        first = str(follower._revision)
        await until(lambda: follower.state == "following")
        loaded = str(follower._revision)
        await after_batches(database)
        assert first != loaded == str(follower._revision)
        replica = follower.replica
        database.fail("next_batch", HistoryLost("too late"))
        await until(lambda: follower.replica is not replica)
        assert str(follower._revision) != loaded
