"""Searches wait for the database without making anyone wait for them."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from services.catalogue.events.logged_query import LoggedQuery
from services.catalogue.store.mongo.bulk_write import InsertReport
from services.contracts.domain.errors import CatalogueUnavailable
from services.gateway.events import query_log
from services.gateway.events.query_log import QueryLog
from tests.support.values.events import FakeEventLog, make_query
from tests.support.waiting import WITHIN_S

NOW = datetime(2026, 11, 30, tzinfo=UTC)


class Counts(Counter[str]):
    def add(self, result: str, number: int) -> None:
        self[result] += number


def make_log(sink: FakeEventLog) -> tuple[QueryLog, Counts]:
    counts = Counts()
    return QueryLog(sink, keeps_vectors=False, count=counts.add), counts


async def test_searches_that_still_wait_are_written_at_the_end() -> None:
    sink = FakeEventLog()
    log, counts = make_log(sink)
    async with log.writing():
        for name in "abc":
            log.record(make_query(name, NOW))
    assert [query.query_id for query in sink.searches] == ["a", "b", "c"]
    assert (counts["kept"], log.waiting) == (3, 0)


async def test_searches_wait_on_while_the_database_is_unavailable() -> None:
    sink = FakeEventLog(trouble=CatalogueUnavailable("no"))
    log, counts = make_log(sink)
    log.record(make_query("a", NOW))
    with pytest.raises(CatalogueUnavailable):
        await log.flush()
    sink.trouble = None
    await log.flush()
    assert [query.query_id for query in sink.searches] == ["a"]
    assert counts["dropped"] == 0


async def test_searches_beyond_the_bound_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_log, "MAX_WAITING", 2)
    sink = FakeEventLog(trouble=CatalogueUnavailable("no"))
    log, counts = make_log(sink)
    async with log.writing():
        for name in "abc":
            log.record(make_query(name, NOW))
        assert counts["dropped"] == 1
    assert counts["dropped"] == 3  # the gateway ends without a database


class CountedLog(FakeEventLog):
    """Notes the sizes of the writes; some positions of each write fail."""

    def __init__(self, *failing: int) -> None:
        super().__init__()
        self.sizes: list[int] = []
        self.failing = failing

    async def add_queries(self, queries: Sequence[LoggedQuery]) -> InsertReport:
        self.sizes.append(len(queries))
        await super().add_queries(queries)
        return InsertReport(frozenset(), dict.fromkeys(self.failing, "no"))


async def test_ten_thousand_searches_may_wait_and_go_in_groups_of_two_hundred() -> None:
    sink = CountedLog(0, 7)
    log, counts = make_log(sink)
    query = make_query("a", NOW)
    for _ in range(10_000):
        log.record(query)
    assert (log.waiting, counts["dropped"]) == (10_000, 0)
    log.record(query)
    assert (log.waiting, counts["dropped"]) == (10_000, 1)
    sink.searches = []
    await log.flush()
    assert sink.sizes == [200] * 50
    assert (log.waiting, counts["kept"], counts["dropped"]) == (0, 9900, 101)
    for _ in range(201):
        log.record(query)
    await log.flush()
    assert sink.sizes[50:] == [200, 1]


async def test_searches_are_written_in_the_background_once_the_database_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(query_log, "GATHER_S", 0.0)
    monkeypatch.setattr(query_log, "PAUSES_S", (0.0, 0.0))
    sink = FakeEventLog(trouble=CatalogueUnavailable("no"))
    log, counts = make_log(sink)

    async def until(waiting: int, searches: int) -> None:
        while (log.waiting, len(sink.searches)) != (waiting, searches):  # noqa: ASYNC110
            await asyncio.sleep(0)

    with capture_logs() as logs:
        async with log.writing():
            log.record(make_query("a", NOW))
            for _ in range(30):  # it fails several times
                await asyncio.sleep(0)
            assert log.waiting == 1
            sink.trouble = None
            await asyncio.wait_for(until(0, 1), WITHIN_S)
            log.record(make_query("b", NOW))
            await asyncio.wait_for(until(0, 2), WITHIN_S)
    assert (counts["kept"], counts["dropped"]) == (2, 0)
    assert [line["event"] for line in logs] == ["searches_not_kept"]  # said once


class Pauses:
    """Pauses of no length, which are noted by their place."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.taken: list[int] = []

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, place: int) -> float:
        self.taken.append(place)
        return 0.0


async def test_the_pauses_get_longer_from_failure_to_failure_and_begin_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = Pauses(3)
    monkeypatch.setattr(query_log, "GATHER_S", 0.0)
    monkeypatch.setattr(query_log, "PAUSES_S", pauses)
    sink = FakeEventLog(trouble=CatalogueUnavailable("no"))
    log, _ = make_log(sink)

    async def until(count: int, kept: int) -> None:
        while len(pauses.taken) < count or len(sink.searches) < kept:  # noqa: ASYNC110
            await asyncio.sleep(0)

    async with log.writing():
        log.record(make_query("a", NOW))
        await asyncio.wait_for(until(5, 0), WITHIN_S)
        assert pauses.taken[:5] == [0, 1, 2, 2, 2]
        sink.trouble = None
        await asyncio.wait_for(until(5, 1), WITHIN_S)
        await asyncio.sleep(0)
        before = len(pauses.taken)
        sink.trouble = CatalogueUnavailable("no")
        log.record(make_query("b", NOW))
        await asyncio.wait_for(until(before + 2, 1), WITHIN_S)
        assert pauses.taken[before : before + 2] == [0, 1]
