"""Events of requests that arrive together are written together, and each request gets its own report."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from services.catalogue.events.event import Event
from services.catalogue.store.mongo.bulk_write import InsertReport
from services.contracts.domain.errors import CatalogueUnavailable, TooManyRequests
from services.gateway.events import writer
from services.gateway.events.writer import MAX_GROUP, EventWriter
from tests.support.values.events import FakeEventLog, make_event

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def events(*names: str) -> list[Event]:
    return [make_event("click", name, NOW) for name in names]


class HeldLog(FakeEventLog):
    """Writes when `free` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.free = asyncio.Event()

    async def add_events(self, events: Sequence[Event]) -> InsertReport:
        await self.free.wait()
        return await super().add_events(events)


async def test_events_that_arrive_during_a_write_go_together() -> None:
    log = HeldLog()
    writing = EventWriter(log)
    tasks = [asyncio.create_task(writing.write(events(f"e{n}"))) for n in range(5)]
    await asyncio.sleep(0)
    log.free.set()
    await asyncio.gather(*tasks)
    assert sum(log.writes) == 5
    assert len(log.writes) <= 2
    assert writing.waiting == 0


async def test_each_request_has_the_duplicates_of_its_own_events() -> None:
    log = HeldLog()
    writing = EventWriter(log)
    tasks = [asyncio.create_task(writing.write(events(*names))) for names in ("ab", "ca", "d")]
    await asyncio.sleep(0)
    log.free.set()
    first, second, third = await asyncio.gather(*tasks)
    assert [set(report.duplicates) for report in (first, second, third)] == [set(), {1}, set()]


async def test_a_large_request_is_written_in_parts_with_one_report() -> None:
    log = FakeEventLog()
    await log.add_events(events(f"e{MAX_GROUP + 1}"))
    report = await EventWriter(log).write(events(*(f"e{n}" for n in range(MAX_GROUP * 2 + 5))))
    assert log.writes[1:] == [MAX_GROUP, MAX_GROUP, 5]
    assert report.duplicates == {MAX_GROUP + 1}


async def test_every_request_of_a_failed_write_gets_the_error_and_the_next_one_is_written() -> None:
    log = HeldLog()
    log.trouble = CatalogueUnavailable("no")
    writing = EventWriter(log)
    tasks = [asyncio.create_task(writing.write(events(name))) for name in "ab"]
    await asyncio.sleep(0)
    log.free.set()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(outcome, CatalogueUnavailable)
    log.trouble = None
    await writing.write(events("c"))
    assert [event.event_id for event in log.kept] == ["c"]


async def test_a_client_that_leaves_does_not_take_the_events_of_others_with_it() -> None:
    log = HeldLog()
    writing = EventWriter(log)
    leaving, staying = (asyncio.create_task(writing.write(events(name))) for name in "ab")
    await asyncio.sleep(0)
    leaving.cancel()
    log.free.set()
    await staying
    await writing.close()
    assert {event.event_id for event in log.kept} >= {"b"}


async def test_too_many_waiting_events_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MAX_WAITING", 2)
    log = HeldLog()
    writing = EventWriter(log)
    waiting = asyncio.create_task(writing.write(events("a", "b")))
    await asyncio.sleep(0)
    with pytest.raises(TooManyRequests):
        await writing.write(events("c"))
    log.free.set()
    await waiting
