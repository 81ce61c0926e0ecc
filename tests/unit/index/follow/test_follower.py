"""Following the database through everything that can go wrong, with a database of the tests' own."""

import asyncio

import pytest

from services.catalogue.store.errors import HistoryLost
from services.index.follow import change_stream as stream
from services.index.follow.follower import MAX_LAG_S
from tests.support.follow import AWAY, Database, following, keys, record, shown, until


@pytest.fixture
def database() -> Database:
    return Database()


async def test_what_is_there_is_loaded_and_what_comes_is_followed(database: Database) -> None:
    database.put("1")
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        assert keys(follower) == ["1"]
        database.put("2")
        database.delete("1")
        await until(lambda: keys(follower) == ["2"])
        await until(lambda: follower.status().applied == 2)
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
        await until(lambda: follower.replica is not None)
        assert keys(follower) == ["new", "old"]
        assert shown(follower)["old"] == b'{"title":"changed"}'


async def test_while_the_scan_lasts_nothing_is_shown_and_the_state_is_loading(database: Database) -> None:
    database.put("1")
    database.scan_may_end.clear()
    async with following(database) as follower:
        await until(lambda: follower.state == "loading")
        await asyncio.sleep(0.02)
        assert follower.replica is None
        assert follower.lag_s is None
        database.scan_may_end.set()
        await until(lambda: follower.replica is not None)


@pytest.mark.parametrize("call", ["identity", "watch", "scan", "put_marker", "next_batch", "remove_markers"])
async def test_a_database_that_fails_at_the_start_is_tried_again(database: Database, call: str) -> None:
    database.put("1")
    database.fail(call, AWAY, AWAY)
    async with following(database) as follower:
        await until(lambda: follower.last_error)
        assert follower.replica is None
        assert follower.status().last_error == AWAY.detail
        await until(lambda: keys(follower) == ["1"])
        await until(lambda: follower.state == "following")
        assert follower.last_error is None


async def test_a_stream_that_breaks_is_resumed_from_where_it_was_and_searches_go_on(database: Database) -> None:
    database.put("1")
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        replica = follower.replica
        database.fail("watch", *[AWAY] * 20)
        database.fail("next_batch", AWAY)
        await until(lambda: follower.state == "reconnecting")
        assert keys(follower) == ["1"]
        database.put("2")
        await until(lambda: keys(follower) == ["1", "2"])
        assert follower.replica is replica
        assert database.resumed_from[-1] is not None


@pytest.mark.parametrize("call", ["watch", "next_batch"])
async def test_a_lost_history_is_read_anew_beside_the_mirror_that_is_searched(database: Database, call: str) -> None:
    database.put("1")
    database.put("2")
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        replica = follower.replica
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
        await until(lambda: follower.replica is not replica)
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
    monkeypatch.setattr(stream, "MARKER_TIMEOUT_S", 0.02)
    database.silent = True
    async with following(database, mode="stream") as follower:
        await until(lambda: follower.last_error)
        assert "it would have to be a replica set" in follower.status().last_error
        assert follower.replica is None


async def test_a_stream_that_does_not_go_on_after_a_break_means_reading_anew(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MARKER_TIMEOUT_S", 0.02)
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


async def test_an_index_whose_changes_come_late_says_so_until_it_has_caught_up(database: Database) -> None:
    database.put("1")
    async with following(database) as follower:
        await until(lambda: follower.state == "following")
        assert not follower.status().stale
        database.late_s = 2 * MAX_LAG_S
        await until(lambda: follower.status().stale)
        assert follower.state == "following"
        database.late_s = 0.0
        await until(lambda: not follower.status().stale)
