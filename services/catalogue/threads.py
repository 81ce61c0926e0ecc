"""Work in threads that must not be abandoned."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def to_the_end(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function in a thread.

    A caller that is cancelled meanwhile continues only when the function has returned.
    """
    return await ended(asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs)))


async def ended(work: "asyncio.Future[T]") -> T:
    """Return the result of work that runs in a thread; a caller that is cancelled waits as in `to_the_end`."""
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        if not work.cancelled():
            work.exception()
        raise
