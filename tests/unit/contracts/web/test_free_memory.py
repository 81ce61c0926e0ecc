"""Freed memory is returned for as long as a service runs."""

import asyncio
import ctypes

import pytest

from services.contracts.web import free_memory


async def test_memory_is_returned_again_and_again_until_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, calls, again, kept = asyncio.get_running_loop(), list[int](), asyncio.Event(), list[bool]()

    def trim(pad: int) -> int:
        calls.append(pad)
        if len(calls) == 2:
            loop.call_soon_threadsafe(again.set)
        return 1

    monkeypatch.setattr(free_memory, "memory_trimmer", lambda: trim)
    monkeypatch.setattr(free_memory, "keep_freed_memory", lambda: kept.append(True))  # for as long as the process lives
    async with free_memory.returning_memory(interval_s=0):
        await again.wait()
    assert set(calls) == {0}
    assert kept == [True]
    assert [task.get_name() for task in asyncio.all_tasks()].count("return freed memory") == 0


@pytest.mark.parametrize("error", [AttributeError, OSError, TypeError])
async def test_a_c_library_that_cannot_return_memory_changes_nothing(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(_: None) -> object:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", without)
    async with free_memory.returning_memory(interval_s=0):
        assert [task.get_name() for task in asyncio.all_tasks()].count("return freed memory") == 0
