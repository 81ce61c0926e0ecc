import asyncio

import orjson
import pytest

from services.catalogue.importing.report import Outcome
from services.gateway.imports import result_lines
from services.gateway.imports.result_lines import ResultLines


async def read(results: ResultLines) -> list[dict[str, object]]:
    return [orjson.loads(line) for part in [part async for part in results.follow()] for line in part.splitlines()]


async def test_lines_come_in_order_and_the_last_one_ends_them() -> None:
    results = ResultLines(asyncio.Event())
    reading = asyncio.create_task(read(results))
    results.add(Outcome(1, "a", "imported"))
    await asyncio.sleep(0)
    results.add(Outcome(None, None, "rejected", "no image"))
    results.add(Outcome(2, "b", "image_rejected", "404", "back.jpg"))
    results.end({"state": "done"})
    assert await reading == [
        {"line": 1, "id": "a", "outcome": "imported"},
        {"line": None, "id": None, "outcome": "rejected", "reason": "no image"},
        {"line": 2, "id": "b", "outcome": "image_rejected", "reason": "404", "image": "back.jpg"},
        {"import": {"state": "done"}},
    ]


async def test_lines_come_in_parts_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_lines, "LINES_AT_ONCE", 2)
    results = ResultLines(asyncio.Event())
    for number in range(5):
        results.add(Outcome(number, "a", "imported"))
    results.end({})
    parts = [part async for part in results.follow()]
    assert [part.count(b"\n") for part in parts] == [2, 2, 2]
    assert [orjson.loads(line).get("line") for line in b"".join(parts).splitlines()] == [0, 1, 2, 3, 4, None]


async def test_a_reader_waits_for_the_next_line() -> None:
    results = ResultLines(asyncio.Event())
    following = results.follow()
    results.add(Outcome(1, "a", "imported"))
    await anext(following)
    waiting = asyncio.ensure_future(anext(following))
    await asyncio.sleep(0)
    assert not waiting.done()
    results.add(Outcome(2, "b", "imported"))
    assert orjson.loads(await waiting)["line"] == 2
    results.end({})
    await anext(following)
    with pytest.raises(StopAsyncIteration):
        await anext(following)


async def test_an_import_waits_for_a_slow_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_lines, "MAX_LINES", 3)
    monkeypatch.setattr(result_lines, "LINES_AT_ONCE", 2)
    stopping = asyncio.Event()
    results = ResultLines(stopping)
    for number in range(3):
        await results.room()  # there is room for three lines
        results.add(Outcome(number, "a", "imported"))
    waiting = asyncio.create_task(results.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    following = results.follow()
    assert (await anext(following)).count(b"\n") == 2
    await waiting
    assert not stopping.is_set()


async def test_a_client_that_reads_nothing_ends_the_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_lines, "MAX_LINES", 1)
    monkeypatch.setattr(result_lines, "STALL_S", 0.01)
    stopping = asyncio.Event()
    results = ResultLines(stopping)
    results.add(Outcome(1, "a", "imported"))
    await results.room()
    assert stopping.is_set()


async def test_five_thousand_lines_may_wait_for_the_client() -> None:
    results = ResultLines(asyncio.Event())
    for number in range(4999):
        results.add(Outcome(number, "a", "imported"))
    await asyncio.wait_for(results.room(), 5)
    results.add(Outcome(4999, "a", "imported"))
    waiting = asyncio.create_task(results.room())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    await anext(results.follow())
    await waiting


async def test_lines_that_come_after_the_end_of_a_part_are_read_before_it_ends() -> None:
    results = ResultLines(asyncio.Event())
    following = results.follow()
    results.add(Outcome(1, "a", "imported"))
    await anext(following)
    results.add(Outcome(2, "b", "imported"))
    results.end({"state": "done"})
    lines = [orjson.loads(line) async for part in following for line in part.splitlines()]
    assert lines == [{"line": 2, "id": "b", "outcome": "imported"}, {"import": {"state": "done"}}]
