"""Ends the work for a request whose client has disconnected."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request

from services.contracts.domain.errors import InvalidRequest
from services.contracts.web.bodies.forms import DISCONNECTED

T = TypeVar("T")


async def until_disconnected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of work whose request has been read; cancel the work if the client disconnects.

    Raises:
        InvalidRequest: the client disconnected. The response has no reader.
    """
    working = asyncio.current_task()
    assert working is not None
    is_over = has_disconnected = False

    def end(watching: "asyncio.Task[None]") -> None:
        nonlocal has_disconnected
        if not is_over and not watching.cancelled():
            has_disconnected = True
            working.cancel()

    watching = asyncio.create_task(_disconnected(request))
    watching.add_done_callback(end)
    try:
        return await work
    except asyncio.CancelledError:
        if has_disconnected and working.uncancel() == 0:
            raise InvalidRequest(DISCONNECTED) from None
        raise
    finally:
        is_over = True
        watching.cancel()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
