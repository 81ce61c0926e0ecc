"""When a search takes one of the places."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import Request

from services.contracts.domain.errors import InvalidRequest, TooManyRequests
from services.contracts.web.requests.deadline import remaining_s
from services.gateway.access.places import Places
from services.gateway.settings import GatewaySettings, Work
from services.gateway.state import GatewayState, place


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
    settings = GatewaySettings(max_concurrent_searches=places)
    return cast(GatewayState, SimpleNamespace(settings=settings, places=Places(settings.places)))


def is_full(state: GatewayState) -> bool:
    """Whether another client gets no place."""
    try:
        with state.places.take("photo", "another client"):
            return False
    except TooManyRequests:
        return True


async def test_a_search_takes_its_place_once_its_body_has_arrived() -> None:
    state, upload = state_with(1), Upload()
    entered, leaving = asyncio.Event(), asyncio.Event()

    async def search() -> bytes:
        async with place(upload.request, state, "photo"):
            entered.set()
            await leaving.wait()
            return await upload.request.body()

    searching = asyncio.ensure_future(search())
    upload.send(b"half", is_last=False)
    for _ in range(5):
        await asyncio.sleep(0)
    assert not entered.is_set()
    assert not is_full(state)
    upload.send(b" and half", is_last=True)
    await entered.wait()
    assert is_full(state)
    leaving.set()
    assert await searching == b"half and half"
    assert not is_full(state)


async def test_a_search_without_a_place_is_rejected_after_its_body() -> None:
    state, upload = state_with(1), Upload()
    upload.send(b"photo", is_last=True)
    with state.places.take("photo", "another client"), pytest.raises(TooManyRequests):
        async with place(upload.request, state, "photo"):
            pass


async def test_a_client_that_leaves_takes_no_place() -> None:
    state, upload = state_with(1), Upload()
    upload.send(b"half", is_last=False)
    upload.leave()
    with pytest.raises(InvalidRequest, match="disconnected"):
        async with place(upload.request, state, "photo"):
            pass
    assert not is_full(state)


async def test_a_search_has_a_deadline_and_a_write_has_none() -> None:
    for work, left in (("photo", 8.0), ("similar", 8.0), ("write", 60.0)):
        state, upload = state_with(1), Upload()
        upload.send(b"", is_last=True)
        async with place(upload.request, state, cast(Work, work)):
            assert left - 1 < remaining_s(60) <= left
