"""Ends the work for a request whose client has disconnected."""

import asyncio
import contextlib
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
    task = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait((task, watching), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise InvalidRequest(DISCONNECTED)
        return task.result()
    finally:
        for pending in (task, watching):
            if not pending.done():
                pending.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await pending


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
