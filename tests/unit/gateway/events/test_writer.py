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


@pytest.mark.parametrize(
    ("sizes", "writes"),
    [
        ([1, 100, 100], [1, 200]),
        ([1, 100, 101], [1, 100, 101]),
        ([1, 199, 1, 1], [1, 200, 1]),
        ([200, 200], [200, 200]),
        ([401], [200, 200, 1]),
    ],
)
async def test_requests_go_together_up_to_two_hundred_events(
    monkeypatch: pytest.MonkeyPatch, sizes: list[int], writes: list[int]
) -> None:
    monkeypatch.setattr(writer, "GATHER_S", 0.0)
    log = HeldLog()
    writing = EventWriter(log)
    tasks = []
    for size in sizes:  # the first is under way when the others arrive
        tasks.append(asyncio.create_task(writing.write(events("e") * size)))
        for _ in range(5):
            await asyncio.sleep(0)
    assert writing.waiting == sum(sizes)
    log.free.set()
    await asyncio.gather(*tasks)
    assert (log.writes, writing.waiting) == (writes, 0)


async def test_twenty_thousand_events_may_wait() -> None:
    log = HeldLog()
    writing = EventWriter(log)
    one = events("a")
    waiting = asyncio.create_task(writing.write(one * 19_999))
    await asyncio.sleep(0)
    with pytest.raises(TooManyRequests) as caught:
        await writing.write(one * 2)
    assert caught.value.inside == {"limit": "events"}
    last = asyncio.create_task(writing.write(one))
    await asyncio.sleep(0)
    assert writing.waiting == 20_000
    for task in (waiting, last):
        task.cancel()
    log.trouble = CatalogueUnavailable("no")
    log.free.set()
    await writing.close()
    assert writing.waiting == 0


class FailingLog(FakeEventLog):
    """Does not take the events whose id ends in `x`."""

    async def add_events(self, events: Sequence[Event]) -> InsertReport:
        failures = {n: event.event_id for n, event in enumerate(events) if event.event_id.endswith("x")}
        return InsertReport(frozenset(), failures)


async def test_failures_are_named_by_their_place_in_their_own_request() -> None:
    writing = EventWriter(FailingLog())
    first, second, third = await asyncio.gather(
        writing.write(events("a", "bx")),
        writing.write(events("cx", "d", "ex")),
        writing.write(events(*(["f"] * 199), "gx", "hx", "i")),
    )
    assert first.failures == {1: "bx"}
    assert second.failures == {0: "cx", 2: "ex"}
    assert third.failures == {199: "gx", 200: "hx"}


class BrokenLog(FakeEventLog):
    async def add_events(self, events: Sequence[Event]) -> InsertReport:
        raise ZeroDivisionError


async def test_an_unexpected_error_is_one_of_the_request_too() -> None:
    writing = EventWriter(BrokenLog())
    with pytest.raises(RuntimeError, match="events were not written"):
        await writing.write(events("a"))
    await writing.close()
