"""When a search takes one of the places."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import Request

from services.contracts.domain.errors import InvalidRequest, TooManyRequests
from services.gateway.state import GatewayState, admitted


class Upload:
    """A request whose body arrives when `send` is called."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.request = Request({"type": "http", "method": "POST", "headers": []}, self._messages.get)

    def send(self, body: bytes, *, is_last: bool) -> None:
        self._messages.put_nowait({"type": "http.request", "body": body, "more_body": not is_last})

    def leave(self) -> None:
        self._messages.put_nowait({"type": "http.disconnect"})


def state_with(places: int) -> GatewayState:
    return cast(GatewayState, SimpleNamespace(gate=asyncio.Semaphore(places)))


async def test_a_search_takes_its_place_once_its_body_has_arrived() -> None:
    state, upload = state_with(1), Upload()
    admission = admitted(upload.request, state)
    entering = asyncio.ensure_future(anext(admission))
    upload.send(b"half", is_last=False)
    for _ in range(5):
        await asyncio.sleep(0)
    assert not entering.done()
    assert not state.gate.locked()
    upload.send(b" and half", is_last=True)
    await entering
    assert state.gate.locked()
    assert await upload.request.body() == b"half and half"
    await anext(admission, None)
    assert not state.gate.locked()


async def test_a_search_without_a_place_is_rejected_after_its_body() -> None:
    state, upload = state_with(1), Upload()
    upload.send(b"photo", is_last=True)
    async with state.gate:
        with pytest.raises(TooManyRequests):
            await anext(admitted(upload.request, state))


async def test_a_client_that_leaves_takes_no_place() -> None:
    state, upload = state_with(1), Upload()
    upload.send(b"half", is_last=False)
    upload.leave()
    with pytest.raises(InvalidRequest, match="disconnected"):
        await anext(admitted(upload.request, state))
    assert not state.gate.locked()
