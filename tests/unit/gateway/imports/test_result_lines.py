import asyncio

import orjson
import pytest

from services.catalogue.importing.report import Outcome
from services.gateway.imports import result_lines as import_results
from services.gateway.imports.result_lines import ResultLines


async def read(results: ResultLines) -> list[dict[str, object]]:
    return [orjson.loads(line) for part in [part async for part in results.follow()] for line in part.splitlines()]


async def test_lines_come_in_order_and_the_last_one_ends_them() -> None:
    results = ResultLines(asyncio.Event())
    reading = asyncio.create_task(read(results))
    results.add(Outcome(1, "a", "imported"))
    await asyncio.sleep(0)
    results.add(Outcome(None, None, "rejected", "no image"))
    results.end({"state": "done"})
    assert await reading == [
        {"line": 1, "id": "a", "outcome": "imported"},
        {"line": None, "id": None, "outcome": "rejected", "reason": "no image"},
        {"import": {"state": "done"}},
    ]


async def test_an_import_waits_for_a_reader_that_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_results, "MOST_LINES", 3)
    monkeypatch.setattr(import_results, "LINES_AT_ONCE", 2)
    stopping = asyncio.Event()
    results = ResultLines(stopping)
    await results.room()
    for number in range(3):
        results.add(Outcome(number, "a", "imported"))
    waiting = asyncio.create_task(results.room())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    following = results.follow()
    assert (await anext(following)).count(b"\n") == 2
    await waiting
    assert not stopping.is_set()


async def test_a_reader_that_does_not_read_at_all_ends_the_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_results, "MOST_LINES", 1)
    monkeypatch.setattr(import_results, "STALL_S", 0.05)
    stopping = asyncio.Event()
    results = ResultLines(stopping)
    results.add(Outcome(1, "a", "imported"))
    await results.room()
    assert stopping.is_set()
