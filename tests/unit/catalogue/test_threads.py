"""Work in threads that is not abandoned."""

import asyncio
import threading

import pytest

from services.catalogue.threads import ended, to_the_end


def add(first: int, *, second: int) -> int:
    return first + second


async def test_the_result_or_the_error_of_the_work_comes_back() -> None:
    assert await to_the_end(add, 3, second=4) == 7
    with pytest.raises(ZeroDivisionError):
        await to_the_end(lambda: 1 // 0)


@pytest.mark.parametrize("fails", [False, True])
async def test_a_caller_that_is_cancelled_waits_for_the_end_of_the_work(fails: bool) -> None:
    started, go_on = threading.Event(), threading.Event()
    done: list[str] = []
    unhandled: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))

    def work() -> None:
        started.set()
        go_on.wait()
        done.append("done")
        if fails:
            raise ZeroDivisionError

    caller = asyncio.create_task(to_the_end(work))
    await asyncio.to_thread(started.wait)
    caller.cancel()
    for _ in range(3):
        await asyncio.sleep(0)
    assert (caller.done(), done) == (False, [])
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert (done, unhandled) == (["done"], [])


async def test_work_that_is_cancelled_itself_ends_the_wait() -> None:
    work = asyncio.get_running_loop().create_future()
    caller = asyncio.create_task(ended(work))
    await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
