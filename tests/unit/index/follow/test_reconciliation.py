"""What has drifted apart is found, put right and counted; what is only on its way is neither."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.index.follow import comparison
from services.index.follow import reconciliation as reconcile
from services.index.follow.follower import Follower
from tests.support.follow import AWAY, Database, following, keys, record, shown, until


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setattr(comparison, "PAGE", 2)
    monkeypatch.setattr(reconcile, "TIME_SHARE", 1.0)
    return Database()


async def level(follower: Follower) -> None:
    await until(lambda: follower.state == "following")


async def compared(follower: Follower) -> None:
    """Wait until a comparison has begun and ended from now on."""
    for _ in range(2):
        before = follower.status().reconcile.last_at
        await until(lambda before=before: follower.status().reconcile.last_at != before)  # type: ignore[misc]


def lose(database: Database) -> None:
    """Change products without an event."""
    database.products["new"] = record("new")
    database.products["2"] = record("2", "changed")
    del database.products["1"]


async def test_what_no_event_told_is_found_put_right_and_counted(database: Database) -> None:
    for key in ("1", "2", "3"):
        database.put(key)
    async with following(database, reconcile_s=0.01) as follower:
        await level(follower)
        with capture_logs() as lines:
            lose(database)
            await until(lambda: follower.status().reconcile.repaired == 3)
        assert keys(follower) == ["2", "3", "new"]
        assert shown(follower)["2"] == b'{"title":"changed"}'
        await compared(follower)
        status = follower.status().reconcile
        assert (status.found, status.repaired, status.last_error) == (3, 3, None)
        assert status.last_at is not None and status.last_seconds is not None
        found = [line for line in lines if line["event"] == "drift_repaired"]
        assert sum(line["drifted"] for line in found) == 3
        assert {key for line in found for key in line["examples"]} == {"1", "2", "new"}


async def test_without_drift_nothing_is_found_however_much_changes_meanwhile(database: Database) -> None:
    rng = random.Random(3)
    for number in range(20):
        database.put(str(number))

    def change() -> None:
        key = str(rng.randrange(30))
        if key in database.products and rng.random() < 0.5:
            database.delete(key)
        else:
            database.put(key, str(rng.random()))

    database.during_scan = change
    async with following(database, reconcile_s=0.001) as follower:
        await level(follower)
        for _ in range(300):
            change()
            await asyncio.sleep(0.001)
        database.during_scan = lambda: None
        await compared(follower)
        assert follower.status().reconcile.found == 0
        assert keys(follower) == sorted(database.products)


async def test_what_is_lost_among_much_that_changes_is_found(database: Database) -> None:
    for number in range(40):
        database.put(str(number))
    async with following(database, reconcile_s=0.001) as follower:
        await level(follower)
        for number in range(40):
            if number % 4 == 0:
                database.products[str(number)] = record(str(number), "lost")
            database.put(f"more {number}")
            await asyncio.sleep(0.002)
        await until(lambda: follower.status().reconcile.found == 10)
        await compared(follower)
        assert follower.status().reconcile.found == follower.status().reconcile.repaired == 10
        assert [shown(follower)[str(number)] for number in range(0, 40, 4)] == [b'{"title":"lost"}'] * 10


async def test_a_document_that_changes_again_while_its_drift_is_looked_into_keeps_the_newer_state(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.put("1")
    database.put("2")
    async with following(database, reconcile_s=0.01) as follower:
        await level(follower)
        put_marker = database.put_marker

        async def put_marker_then_change() -> str:
            marker = await put_marker()
            database.put("1", "newer")
            await until(lambda: shown(follower)["1"] == b'{"title":"newer"}')
            return marker

        monkeypatch.setattr(database, "put_marker", put_marker_then_change)
        database.products["1"] = record("1", "lost")
        database.products["2"] = record("2", "lost")
        await until(lambda: follower.status().reconcile.repaired == 1)
        assert shown(follower) == {"1": b'{"title":"newer"}', "2": b'{"title":"lost"}'}
        await compared(follower)
        assert follower.status().reconcile.found == 1


@pytest.mark.parametrize("call", ["scan", "put_marker", "remove_markers"])
async def test_a_comparison_that_fails_is_told_and_made_again(database: Database, call: str) -> None:
    database.put("1")
    async with following(database, reconcile_s=0.05) as follower:
        await level(follower)
        database.fail(call, AWAY)
        database.products["2"] = record("2")
        await until(lambda: follower.status().reconcile.last_error == AWAY.detail)
        await until(lambda: keys(follower) == ["1", "2"] and follower.status().reconcile.last_error is None)
        assert follower.state == "following"


async def test_a_marker_that_does_not_come_by_ends_the_comparison_without_a_change(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "MARKER_TIMEOUT_S", 0.02)
    database.put("1")
    async with following(database, reconcile_s=0.01) as follower:
        await level(follower)
        database.silent = True
        database.products["2"] = record("2")
        await until(lambda: follower.status().reconcile.last_error)
        assert "fallen silent" in str(follower.status().reconcile.last_error)
        assert keys(follower) == ["1"]


async def test_an_error_of_our_own_is_told_and_does_not_end_the_following(database: Database) -> None:
    database.put("1")
    async with following(database, reconcile_s=0.05) as follower:
        await level(follower)
        database.fail("scan", KeyError("s3cret"))
        await until(lambda: follower.status().reconcile.last_error)
        assert follower.status().reconcile.last_error == "the comparison failed (KeyError): see the log"
        database.put("2")
        await until(lambda: keys(follower) == ["1", "2"])
        await until(lambda: follower.status().reconcile.last_error is None)


async def test_after_a_break_of_the_stream_the_comparison_is_made_at_once(database: Database) -> None:
    database.put("1")
    async with following(database, reconcile_s=1000) as follower:
        await level(follower)
        assert follower.status().reconcile.last_at is None
        database.products["2"] = record("2")  # as when the server forgets to write down a change
        database.fail("next_batch", AWAY)
        await until(lambda: keys(follower) == ["1", "2"])
        await until(lambda: follower.status().reconcile.found == 1)


async def test_a_document_that_a_reading_passed_over_is_not_taken_for_gone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("1", "2", "3"):
        database.put(key)
    async with following(database, reconcile_s=0.01) as follower:
        await level(follower)
        scan = database.scan

        async def one_passed_over(batch: int) -> AsyncIterator[list[Any]]:
            async for page in scan(batch):
                yield [item for item in page if item.document_id != "2"]

        monkeypatch.setattr(database, "scan", one_passed_over)
        await compared(follower)
        assert keys(follower) == ["1", "2", "3"]
        del database.products["2"]
        await until(lambda: keys(follower) == ["1", "3"])
        await until(lambda: follower.status().reconcile.found == 1)


async def test_after_the_driver_has_resumed_the_stream_the_comparison_is_made_at_once(database: Database) -> None:
    database.put("1")
    async with following(database, reconcile_s=1000) as follower:
        await level(follower)
        database.products["2"] = record("2")
        database.resumed = True
        await until(lambda: keys(follower) == ["1", "2"])


async def test_a_comparison_that_is_asked_for_during_another_follows_it(database: Database) -> None:
    database.put("1")
    async with following(database, reconcile_s=1000) as follower:
        await level(follower)
        reading = asyncio.Event()
        database.during_scan = reading.set
        database.scan_may_end.clear()
        database.resumed = True
        await asyncio.wait_for(reading.wait(), 20)
        database.resumed = True
        await until(lambda: not database.resumed)
        database.products["2"] = record("2")
        database.scan_may_end.set()
        await until(lambda: keys(follower) == ["1", "2"])


async def test_a_comparison_rests_for_most_of_the_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    ticks = itertools.count()

    async def rest(seconds: float) -> None:
        rests.append(seconds)

    for number in range(6):
        database.put(str(number))
    async with following(database) as follower:
        await level(follower)
        assert follower._writer is not None
        found = comparison.Comparison(database, follower._writer, 0.25)  # type: ignore[arg-type]
        monkeypatch.setattr(comparison, "time", SimpleNamespace(monotonic=lambda: 0.1 * next(ticks)))
        monkeypatch.setattr(comparison, "asyncio", SimpleNamespace(sleep=rest))
        assert [list(page) async for page in found.differences()] == [[], [], []]
    assert found.documents == 6
    assert rests == [pytest.approx(0.3)] * 3  # a page takes 0.1 s by this clock, a quarter of the time with the rest
