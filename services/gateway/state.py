"""What the gateway holds while it runs, and how routes reach it."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request

from services.contracts.errors import TooManyRequests, Unauthorised
from services.gateway.imports import ImportJobs
from services.gateway.index_nodes import IndexNodes
from services.gateway.pages_images import Resizer
from services.gateway.products import ProductService
from services.gateway.query import ImageReader
from services.gateway.search import SearchService
from services.gateway.settings import GatewaySettings


@dataclass(frozen=True)
class GatewayState:
    """The open clients and the domain services made of them."""

    settings: GatewaySettings
    search: SearchService
    products: ProductService
    imports: ImportJobs
    index: IndexNodes
    reader: ImageReader
    resizer: Resizer
    gate: asyncio.Semaphore
    started: float = field(default_factory=time.monotonic)


def gateway_state(request: Request) -> GatewayState:
    """Return the running gateway's state."""
    return cast(GatewayState, request.state.gateway)


State = Annotated[GatewayState, Depends(gateway_state)]


async def admitted(state: State) -> AsyncIterator[None]:
    """Let a search in, or refuse it while as many as the settings allow are under way.

    Raises:
        TooManyRequests: the gateway is full.
    """
    async with _place(state.gate):
        yield


@asynccontextmanager
async def _place(gate: asyncio.Semaphore) -> AsyncIterator[None]:
    if gate.locked():
        raise TooManyRequests("as many searches as this gateway takes at once are under way: try again in a second")
    async with gate:
        yield


async def authorised(request: Request, state: State) -> None:
    """Let a request through that carries the admin key, where one is set.

    Raises:
        Unauthorised: the key is missing or wrong.
    """
    expected = state.settings.admin_key
    if expected is None:
        return
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not _same(given.strip(), expected.get_secret_value()):
        raise Unauthorised("send the admin key: Authorization: Bearer …")


def _same(given: str, expected: str) -> bool:
    digests = [hashlib.sha256(text.encode()).digest() for text in (given, expected)]
    return hmac.compare_digest(*digests)


Admitted = Depends(admitted)
Authorised = Depends(authorised)
