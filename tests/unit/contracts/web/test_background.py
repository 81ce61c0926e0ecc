"""Work runs for as long as a block lasts."""

import asyncio

import pytest

from services.contracts.web.background import in_background


async def test_work_runs_during_the_block_and_has_ended_after_it() -> None:
    begun, ended = asyncio.Event(), False

    async def work() -> None:
        nonlocal ended
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended = True

    async with in_background(work(), "wait"):
        await begun.wait()
        assert "wait" in [task.get_name() for task in asyncio.all_tasks()]
    assert ended


async def test_an_error_of_the_work_is_raised_at_the_end_of_the_block() -> None:
    async def work() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        async with in_background(work(), "break"):
            await asyncio.sleep(0)


async def test_the_work_ends_if_the_block_fails() -> None:
    with pytest.raises(KeyError):
        async with in_background(asyncio.sleep(3600), "sleep"):
            raise KeyError
    assert "sleep" not in [task.get_name() for task in asyncio.all_tasks()]
