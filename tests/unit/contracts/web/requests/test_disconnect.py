"""Work ends with its client."""

import asyncio
from typing import Any

import pytest
from fastapi import Request

from services.contracts.domain.errors import InvalidRequest, UnknownProduct
from services.contracts.web.requests.disconnect import until_disconnected


class Client:
    """A client whose request has been read, and who may disconnect."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.request = Request({"type": "http", "method": "POST", "headers": []}, self._receive)

    async def _receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}


async def test_the_result_is_that_of_the_work() -> None:
    async def work() -> int:
        return 3

    assert await until_disconnected(Client().request, work()) == 3


async def test_an_error_is_that_of_the_work() -> None:
    async def work() -> int:
        raise UnknownProduct("there is none")

    with pytest.raises(UnknownProduct, match="there is none"):
        await until_disconnected(Client().request, work())


async def test_the_work_is_cancelled_when_the_client_disconnects() -> None:
    client = Client()
    ended = asyncio.Event()

    async def work() -> None:
        try:
            client.left.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.set()

    with pytest.raises(InvalidRequest, match="disconnected"):
        await until_disconnected(client.request, work())
    assert ended.is_set()


async def test_the_work_is_cancelled_with_the_request() -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            started.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(until_disconnected(Client().request, work()))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
