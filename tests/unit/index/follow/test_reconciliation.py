"""Drift is found, repaired and counted; changes that are on their way are not drift."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.catalogue.store.change_feed import ChangeBatch
from services.index.follow import comparison, reconciliation
from services.index.follow.follower import Follower
from tests.support.fakes.follow import UNAVAILABLE, Database, following, keys, record, shown, until
from tests.support.waiting import WITHIN_S


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setattr(comparison, "PAGE", 2)
    monkeypatch.setattr(reconciliation, "TIME_SHARE", 1.0)
    return Database()


async def up_to_date(follower: Follower) -> None:
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


async def test_drift_is_found_repaired_counted_and_logged(database: Database) -> None:
    for key in ("1", "2", "3"):
        database.put(key)
    async with following(database, reconcile_s=0.01) as follower:
        await up_to_date(follower)
        with capture_logs() as lines:
            lose(database)
            await until(lambda: follower.status().reconcile.repaired == 3)
        assert keys(follower) == ["2", "3", "new"]
        assert shown(follower)["2"] == b'{"title":"changed"}'
        await compared(follower)
        status = follower.status().reconcile
        assert (status.found, status.repaired, status.last_error) == (3, 3, None)
        assert status.last_at is not None and status.last_seconds is not None
        events = [line for line in lines if line["event"] == "drift_repaired"]
        assert sum(line["drifted"] for line in events) == 3
        assert {key for line in events for key in line["examples"]} == {"1", "2", "new"}


async def test_changes_during_comparisons_are_not_drift(database: Database) -> None:
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
        await up_to_date(follower)
        for _ in range(300):
            change()
            await asyncio.sleep(0.001)
        database.during_scan = lambda: None
        await compared(follower)
        assert follower.status().reconcile.found == 0
        assert keys(follower) == sorted(database.products)


async def test_drift_among_many_changes_is_found(database: Database) -> None:
    for number in range(40):
        database.put(str(number))
    async with following(database, reconcile_s=0.001) as follower:
        await up_to_date(follower)
        for number in range(40):
            if number % 4 == 0:
                database.products[str(number)] = record(str(number), "lost")
            database.put(f"more {number}")
            await asyncio.sleep(0.002)
        await until(lambda: follower.status().reconcile.found == 10)
        await compared(follower)
        assert follower.status().reconcile.found == follower.status().reconcile.repaired == 10
        assert [shown(follower)[str(number)] for number in range(0, 40, 4)] == [b'{"title":"lost"}'] * 10


async def test_a_document_that_changes_while_its_drift_is_confirmed_keeps_the_newer_state(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.put("1")
    database.put("2")
    async with following(database, reconcile_s=0.01) as follower:
        await up_to_date(follower)
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
async def test_a_comparison_that_fails_is_reported_and_repeated(database: Database, call: str) -> None:
    database.put("1")
    async with following(database, reconcile_s=0.05) as follower:
        await up_to_date(follower)
        database.fail(call, UNAVAILABLE)
        database.products["2"] = record("2")
        await until(lambda: follower.status().reconcile.last_error == UNAVAILABLE.detail)
        await until(lambda: keys(follower) == ["1", "2"] and follower.status().reconcile.last_error is None)
        assert follower.state == "following"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a comparison wait for its marker for 20 ms."""
    monkeypatch.setattr(reconciliation, "MARKER_TIMEOUT_S", 0.02)


@pytest.mark.usefixtures("impatient")
async def test_without_its_marker_a_comparison_fails_and_repairs_nothing(database: Database) -> None:
    database.put("1")
    async with following(database, reconcile_s=0.01) as follower:
        await up_to_date(follower)
        database.silent = True
        database.products["2"] = record("2")
        await until(lambda: follower.status().reconcile.last_error)
        assert "fallen silent" in str(follower.status().reconcile.last_error)
        assert keys(follower) == ["1"]


@pytest.mark.usefixtures("impatient")
async def test_a_stream_that_has_fallen_silent_is_opened_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.put("1")
    async with following(database, reconcile_s=0.01) as follower:
        await up_to_date(follower)
        (feed,) = database.open_feeds
        nothing = ChangeBatch((), (), (), frozenset(), {"at": feed.at}, time.time())
        asked = asyncio.Event()

        async def next_batch(limit: int, gather_s: float) -> ChangeBatch:
            asked.set()
            await asyncio.sleep(0.001)
            return nothing

        monkeypatch.setattr(feed, "next_batch", next_batch)
        await asked.wait()
        database.put("2")
        await until(lambda: keys(follower) == ["1", "2"])
        assert feed not in database.open_feeds
        assert nothing.token in database.resumed_from
        await until(lambda: follower.state == "following" and follower.status().reconcile.last_error is None)


async def test_an_error_in_our_own_code_is_reported_and_the_follower_goes_on(database: Database) -> None:
    database.put("1")
    async with following(database, reconcile_s=0.05) as follower:
        await up_to_date(follower)
        database.fail("scan", KeyError("s3cret"))
        await until(lambda: follower.status().reconcile.last_error)
        assert follower.status().reconcile.last_error == "the comparison failed (KeyError): see the log"
        database.put("2")
        await until(lambda: keys(follower) == ["1", "2"])
        await until(lambda: follower.status().reconcile.last_error is None)


async def test_after_a_break_of_the_stream_a_comparison_starts_at_once(database: Database) -> None:
    database.put("1")
    async with following(database, reconcile_s=1000) as follower:
        await up_to_date(follower)
        assert follower.status().reconcile.last_at is None
        database.products["2"] = record("2")  # without an event
        database.fail("next_batch", UNAVAILABLE)
        await until(lambda: keys(follower) == ["1", "2"])
        await until(lambda: follower.status().reconcile.found == 1)


async def test_a_document_that_a_scan_missed_is_not_deleted(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("1", "2", "3"):
        database.put(key)
    async with following(database, reconcile_s=0.01) as follower:
        await up_to_date(follower)
        scan = database.scan

        async def scan_without_one(batch: int) -> AsyncIterator[list[Any]]:
            async for page in scan(batch):
                yield [item for item in page if item.document_id != "2"]

        monkeypatch.setattr(database, "scan", scan_without_one)
        await compared(follower)
        assert keys(follower) == ["1", "2", "3"]
        del database.products["2"]
        await until(lambda: keys(follower) == ["1", "3"])
        await until(lambda: follower.status().reconcile.found == 1)


async def test_after_the_driver_has_resumed_the_stream_a_comparison_starts_at_once(database: Database) -> None:
    database.put("1")
    async with following(database, reconcile_s=1000) as follower:
        await up_to_date(follower)
        database.products["2"] = record("2")
        database.resumed = True
        await until(lambda: keys(follower) == ["1", "2"])


async def test_a_comparison_that_is_requested_during_another_follows_it(database: Database) -> None:
    database.put("1")
    async with following(database, reconcile_s=1000) as follower:
        await up_to_date(follower)
        reading = asyncio.Event()
        database.during_scan = reading.set
        database.scan_may_end.clear()
        database.resumed = True
        await asyncio.wait_for(reading.wait(), WITHIN_S)
        database.resumed = True
        await until(lambda: not database.resumed)
        database.products["2"] = record("2")
        database.scan_may_end.set()
        await until(lambda: keys(follower) == ["1", "2"])


async def test_many_differences_are_confirmed_in_parts_each_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages have two documents: after every second page four differences are confirmed with one marker."""
    monkeypatch.setattr(reconciliation, "CONFIRM", 4)
    batches: list[list[str]] = []
    for number in range(10):
        database.put(f"{number:02}")
    async with following(database, reconcile_s=1000) as follower:
        await up_to_date(follower)
        assert follower._writer is not None
        repair = follower._writer.repair

        async def recording(differences: Any, changed: Any) -> Any:
            batches.append([document_id for document_id, _ in differences])
            return await repair(differences, changed)

        monkeypatch.setattr(follower._writer, "repair", recording)
        for number in range(9):
            database.products[f"{number:02}"] = record(f"{number:02}", "changed")
        database.products["10"] = record("10")
        markers = database.markers
        with capture_logs() as lines:
            follower._reconciler.request()
            await until(lambda: follower.status().reconcile.last_at)
        status = follower.status().reconcile
        assert (status.found, status.repaired) == (10, 10)
        assert [line["drifted"] for line in lines if line["event"] == "drift_repaired"] == [10]
    assert batches == [["00", "01", "02", "03"], ["04", "05", "06", "07"], ["08", "10"]]
    assert database.markers - markers == 3


async def test_a_comparison_that_is_cancelled_stops_its_scan(database: Database) -> None:
    database.put("1")
    async with following(database, reconcile_s=0.01) as follower:
        await up_to_date(follower)
        database.scan_may_end.clear()
        database.scan_is_at_end.clear()
        await database.scan_is_at_end.wait()
        assert follower._writer is not None
        assert len(follower._writer._trackers) == 1
    assert follower._writer._trackers == []


async def test_the_examples_of_drift_in_the_log_are_few(database: Database) -> None:
    async with following(database, reconcile_s=1000) as follower:
        await up_to_date(follower)
        for number in range(8):
            database.products[str(number)] = record(str(number))
        with capture_logs() as lines:
            follower._reconciler.request()
            await until(lambda: follower.status().reconcile.last_at)
    (event,) = [line for line in lines if line["event"] == "drift_repaired"]
    assert (event["drifted"], event["examples"], event["documents"]) == (8, ["0", "1", "2", "3", "4"], 8)


async def test_after_a_comparison_that_failed_the_next_follows_soon(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciliation, "RETRY_S", 0.01)
    async with following(database, reconcile_s=1000) as follower:
        await up_to_date(follower)
        database.fail("scan", UNAVAILABLE)
        follower._reconciler.request()
        await until(lambda: follower.status().reconcile.last_at)
        assert follower.status().reconcile.last_error is None
