"""Searches wait for the database without making anyone wait for them."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from services.contracts.domain.errors import CatalogueUnavailable
from services.gateway.events import query_log
from services.gateway.events.query_log import QueryLog
from tests.support.values.events import FakeEventLog, make_query

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
