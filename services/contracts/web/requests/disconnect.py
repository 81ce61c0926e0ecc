"""Ends the work for a request whose client has disconnected."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request

from services.contracts.domain.errors import InvalidRequest
from services.contracts.web.bodies.forms import DISCONNECTED

T = TypeVar("T")
UNWATCHED_S = 0.02  # most work is over sooner, and a task that watches its client costs as much as a call


async def until_disconnected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of work whose request has been read; cancel the work if the client disconnects.

    Raises:
        InvalidRequest: the client disconnected. The response has no reader.
    """
    working, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert working is not None
    is_over = has_disconnected = False
    watching: asyncio.Task[None] | None = None

    def end(watching: "asyncio.Task[None]") -> None:
        nonlocal has_disconnected
        if not is_over and not watching.cancelled():
            has_disconnected = True
            working.cancel()

    def watch() -> None:
        nonlocal watching
        watching = loop.create_task(_disconnected(request))
        watching.add_done_callback(end)

    timer = loop.call_later(UNWATCHED_S, watch)
    try:
        return await work
    except asyncio.CancelledError:
        if has_disconnected and working.uncancel() == 0:
            raise InvalidRequest(DISCONNECTED) from None
        raise
    finally:
        is_over = True
        timer.cancel()
        if watching is not None:
            watching.cancel()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
