"""Tastes that are computed from the log when a search asks."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from services.catalogue.events.event import Event
from services.contracts.domain.errors import CatalogueUnavailable
from services.gateway.ranking import taste_cache as module
from services.gateway.ranking.taste_cache import TasteCache, TasteSource, TasteTimes
from tests.support.values.tastes import MODEL, VisitorLog, done

HERE = ("default",)
LONG = TasteTimes(deadline_s=30, kept_s=3600)


def bought(visitor: str, product: str = "a") -> Event:
    return done("purchase", visitor, product)


def run(
    log: VisitorLog, test: Callable[[TasteCache], Awaitable[None]], times: TasteTimes = LONG, size: int = 100
) -> None:
    async def main() -> None:
        cache = TasteCache({"default": TasteSource(log, log)}, times, size)
        try:
            await test(cache)
        finally:
            await cache.close()

    asyncio.run(main())


def test_a_taste_is_read_once_and_then_kept() -> None:
    log = VisitorLog([bought("v-1"), bought("v-2", "gone")])

    async def test(cache: TasteCache) -> None:
        profiles = [await cache.get(HERE, "v-1", MODEL) for _ in range(3)]
        assert profiles[0] is profiles[2]
        assert profiles[0] is not None
        assert profiles[0].categories[0].interest == pytest.approx(5.0, rel=1e-3)
        gone = await cache.get(HERE, "v-2", MODEL)
        assert gone is not None
        assert gone.is_empty

    run(log, test)
    assert log.readings == ["v-1", "v-2"]


def test_searches_of_a_visitor_at_the_same_time_share_a_reading() -> None:
    log = VisitorLog([bought("v-1")])

    async def test(cache: TasteCache) -> None:
        await asyncio.gather(*(cache.get(HERE, "v-1", MODEL) for _ in range(5)))

    run(log, test)
    assert log.readings == ["v-1"]


def test_a_taste_that_is_too_old_is_read_again() -> None:
    log = VisitorLog([bought("v-1")])

    async def test(cache: TasteCache) -> None:
        for _ in range(3):
            await cache.get(HERE, "v-1", MODEL)

    run(log, test, TasteTimes(deadline_s=30, kept_s=0))
    assert log.readings == ["v-1"] * 3


def test_a_search_does_not_wait_beyond_the_deadline_and_the_next_one_has_the_taste() -> None:
    log = VisitorLog([bought("v-1")], gate=asyncio.Event())

    async def test(cache: TasteCache) -> None:
        assert log.gate is not None
        assert await cache.get(HERE, "v-1", MODEL) is None
        log.gate.set()
        while not len(cache):  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert await cache.get(HERE, "v-1", MODEL) is not None

    run(log, test, TasteTimes(deadline_s=0, kept_s=3600))
    assert log.readings == ["v-1"]


def test_while_the_database_is_unavailable_searches_are_not_personal_and_it_is_not_asked_again() -> None:
    log = VisitorLog([bought("v-1")], trouble=CatalogueUnavailable("the database does not answer"))

    async def test(cache: TasteCache) -> None:
        for visitor in ("v-1", "v-2", "v-1"):
            assert await cache.get(HERE, visitor, MODEL) is None

    with capture_logs() as lines:
        run(log, test)
    assert log.readings == ["v-1"]
    assert [line["event"] for line in lines] == ["tastes_not_read"]


def test_after_a_pause_the_database_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_S", 0.0)
    log = VisitorLog([bought("v-1")], trouble=CatalogueUnavailable("the database does not answer"))

    async def test(cache: TasteCache) -> None:
        assert await cache.get(HERE, "v-1", MODEL) is None
        log.trouble = None
        assert await cache.get(HERE, "v-1", MODEL) is not None

    run(log, test)


def test_few_readings_run_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_READING", 2)
    log = VisitorLog(gate=asyncio.Event())

    async def test(cache: TasteCache) -> None:
        for number in range(5):
            assert await cache.get(HERE, f"v-{number}", MODEL) is None

    run(log, test, TasteTimes(deadline_s=0, kept_s=3600))
    assert len(log.readings) <= 2


def test_no_more_tastes_are_kept_than_the_cache_has_places() -> None:
    log = VisitorLog()

    async def test(cache: TasteCache) -> None:
        for number in range(5):
            await cache.get(HERE, f"v-{number}", MODEL)
        assert len(cache) == 2
        await cache.get(HERE, "v-4", MODEL)

    run(log, test, size=2)
    assert len(log.readings) == 5


def test_a_forgotten_visitor_is_read_again_and_others_stay() -> None:
    log = VisitorLog([bought("v-1"), bought("v-2")])

    async def test(cache: TasteCache) -> None:
        for visitor in ("v-1", "v-2"):
            await cache.get(HERE, visitor, MODEL)
        log.rows = [bought("v-2")]
        await cache.forget("v-1")
        first, second = [await cache.get(HERE, visitor, MODEL) for visitor in ("v-1", "v-2")]
        assert first is not None
        assert second is not None
        assert (first.is_empty, second.is_empty) == (True, False)

    run(log, test)
    assert log.readings == ["v-1", "v-2", "v-1"]


def test_a_taste_that_is_being_read_when_its_visitor_is_forgotten_is_not_kept() -> None:
    log = VisitorLog([bought("v-1")], gate=asyncio.Event())

    async def test(cache: TasteCache) -> None:
        assert log.gate is not None
        search = asyncio.create_task(cache.get(HERE, "v-1", MODEL))
        await log.was_asked.wait()
        await cache.forget("v-1")
        log.gate.set()
        assert await search is None
        assert len(cache) == 0

    run(log, test)


def test_a_taste_is_kept_for_less_than_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now))
    log = VisitorLog([bought("v-1")])

    async def test(cache: TasteCache) -> None:
        nonlocal now
        for moment, readings in ((100.0, 1), (104.9, 1), (105.0, 2), (109.9, 2), (110.0, 3)):
            now = moment
            await cache.get(HERE, "v-1", MODEL)
            assert len(log.readings) == readings

    run(log, test, TasteTimes(deadline_s=30, kept_s=5.0))


def test_after_a_failure_the_database_rests_for_the_whole_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now))
    log = VisitorLog([bought("v-1")], trouble=CatalogueUnavailable("no"))

    async def test(cache: TasteCache) -> None:
        nonlocal now
        for moment, readings in ((100.0, 1), (100.0 + module.PAUSE_S - 0.01, 1), (100.0 + module.PAUSE_S, 2)):
            now = moment
            assert await cache.get(HERE, "v-1", MODEL) is None
            assert len(log.readings) == readings

    run(log, test)


def test_sixty_four_visitors_are_read_at_the_same_time() -> None:
    log = VisitorLog(gate=asyncio.Event())

    async def test(cache: TasteCache) -> None:
        begun = [cache.begin(HERE, f"v-{number}", MODEL) for number in range(66)]
        assert [task is None for task in begun] == [False] * 64 + [True] * 2

    run(log, test)


def test_closing_ends_the_readings() -> None:
    log = VisitorLog([bought("v-1")], gate=asyncio.Event())

    async def main() -> None:
        cache = TasteCache({"default": TasteSource(log, log)}, LONG, 10)
        reading = cache.begin(HERE, "v-1", MODEL)
        assert isinstance(reading, asyncio.Task)
        await log.was_asked.wait()
        await cache.close()
        assert (reading.cancelled(), len(cache)) == (True, 0)

    asyncio.run(main())


def test_an_unexpected_error_of_a_reading_is_logged_and_the_next_search_reads_again() -> None:
    log = VisitorLog([bought("v-1")])
    log.trouble = ZeroDivisionError()  # type: ignore[assignment]

    async def test(cache: TasteCache) -> None:
        with pytest.raises(ZeroDivisionError):
            await cache.get(HERE, "v-1", MODEL)
        log.trouble = None
        assert await cache.get(HERE, "v-1", MODEL) is not None

    with capture_logs() as lines:
        run(log, test)
    assert [line["event"] for line in lines] == ["tastes_not_read"]
