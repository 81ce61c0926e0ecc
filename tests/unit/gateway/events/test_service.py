"""The events of a catalogue: how requests are read."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from services.catalogue.events.event import Event
from services.catalogue.store.events.event_log import EventLog
from services.catalogue.store.mongo.bulk_write import InsertReport
from services.contracts.domain.errors import InvalidRequest
from services.gateway.events import service
from services.gateway.events.body import SHORT_BYTES, ReadEvents, fault
from services.gateway.events.service import EventService
from tests.support.values.events import FakeEventLog, make_event, make_query

SHORT, LONG = b" " * SHORT_BYTES, b" " * (SHORT_BYTES + 1)


@pytest.mark.parametrize(("body", "most"), [(LONG, 1), (SHORT, 3)])
async def test_long_bodies_are_read_one_at_a_time(monkeypatch: pytest.MonkeyPatch, body: bytes, most: int) -> None:
    at_once: list[int] = []
    reading = 0

    async def read(body: bytes, content_type: str) -> ReadEvents:
        nonlocal reading
        reading += 1
        at_once.append(reading)
        await asyncio.sleep(0)
        reading -= 1
        return ReadEvents()

    monkeypatch.setattr(service, "read_events", read)
    events = EventService(Mock(EventLog), 1.0, keeps_vectors=False, count=Mock())
    await asyncio.gather(*(events.read(body, "application/json") for _ in range(3)))
    assert (len(at_once), max(at_once)) == (3, most)


def read_of(*ages: timedelta) -> ReadEvents:
    now = datetime.now(UTC)
    return ReadEvents({n: make_event("click", f"e{n}", now - age) for n, age in enumerate(ages)})


async def test_an_event_is_as_old_as_the_log_at_most_and_five_minutes_ahead_at_most() -> None:
    events = EventService(FakeEventLog(), 2.0, keeps_vectors=False, count=Mock())  # type: ignore[arg-type]
    second = timedelta(seconds=30)
    read = read_of(
        timedelta(days=2) - second,
        timedelta(days=2) + second,
        -timedelta(minutes=5) + second,
        -timedelta(minutes=5) - second,
    )
    response = await events.accept(read)
    assert (response.accepted, response.rejected, response.errors_left_out) == (2, [1, 3], 0)
    assert [(error["pointer"], error["detail"]) for error in map(dict, response.errors)] == [
        ("#/1/timestamp", "the time is older than the 2 days of the log"),
        ("#/3/timestamp", "the time is in the future"),
    ]


async def test_without_an_event_of_a_possible_time_the_request_is_invalid() -> None:
    events = EventService(FakeEventLog(), 2.0, keeps_vectors=False, count=Mock())  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="in the future"):
        await events.accept(read_of(-timedelta(days=1)))


async def test_events_that_the_database_does_not_take_are_rejected_by_their_index() -> None:
    class Refusing(FakeEventLog):
        async def add_events(self, events: Sequence[Event]) -> InsertReport:
            return InsertReport(frozenset({0}), {1: "it is too large"})

    events = EventService(Refusing(), 2.0, keeps_vectors=False, count=Mock())  # type: ignore[arg-type]
    read = read_of(timedelta(0), timedelta(0), timedelta(0))
    read.reject(0, fault("it is wrong"))
    response = await events.accept(read)
    assert (response.accepted, response.duplicates, response.rejected) == (1, 1, [0, 2])
    assert [dict(error)["pointer"] for error in response.errors] == ["#/0", "#/2"]


async def test_a_visitor_is_removed_from_the_waiting_searches_too() -> None:
    log = FakeEventLog()
    events = EventService(log, 2.0, keeps_vectors=False, count=Mock())  # type: ignore[arg-type]
    forgotten: list[str] = []

    async def forget(visitor: str) -> None:
        forgotten.append(visitor)

    events.forgetters += [forget, forget]
    events.queries.record(make_query("q", datetime.now(UTC), visitor="v"))
    removed = await events.delete_visitor("v")
    assert (removed.queries, log.searches, forgotten) == (1, [], ["v", "v"])


async def test_old_events_are_removed_while_the_service_runs() -> None:
    log = FakeEventLog()
    events = EventService(log, 2.0, keeps_vectors=False, count=Mock())  # type: ignore[arg-type]
    async with events.running():
        for _ in range(5):
            await asyncio.sleep(0)
        assert log.indexed == [2.0]
        events.queries.record(make_query("q", datetime.now(UTC)))
    assert len(log.searches) == 1
    assert not [
        task for task in asyncio.all_tasks() if task.get_name() == "remove old events" and not task.cancelling()
    ]


async def test_the_oldest_and_the_latest_time_are_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    monkeypatch.setattr(service, "datetime", SimpleNamespace(now=lambda _: now))
    events = EventService(FakeEventLog(), 2.0, keeps_vectors=False, count=Mock())  # type: ignore[arg-type]
    times = [now - timedelta(days=2), now + timedelta(minutes=5)]
    beyond = [times[0] - timedelta(microseconds=1), times[1] + timedelta(microseconds=1)]
    read = ReadEvents({n: make_event("click", f"e{n}", moment) for n, moment in enumerate([*times, *beyond])})
    response = await events.accept(read)
    assert (response.accepted, response.rejected) == (2, [2, 3])


async def test_events_that_still_wait_are_written_before_the_service_ends() -> None:
    log = FakeEventLog()
    events = EventService(log, 2.0, keeps_vectors=False, count=Mock())  # type: ignore[arg-type]
    async with events.running():
        accepting = asyncio.create_task(events.accept(read_of(timedelta(0))))
        await asyncio.sleep(0)
    assert len(log.kept) == 1
    assert (await accepting).accepted == 1
