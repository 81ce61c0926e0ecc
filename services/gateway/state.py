"""What the gateway holds while it runs, and how routes reach it."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request

from services.contracts.domain.catalogues import ALL, DEFAULT, known_catalogue
from services.contracts.domain.errors import TooManyRequests, Unauthorised, UnknownCatalogue
from services.contracts.web.telemetry import note
from services.contracts.wire.index import IndexStatus
from services.gateway.catalogue_path import asked_catalogue
from services.gateway.imports.jobs import ImportJobs
from services.gateway.index_nodes.nodes import IndexNodes
from services.gateway.pages.pictures import Resizer
from services.gateway.products.service import ProductService
from services.gateway.search.request import ImageReader
from services.gateway.search.service import SearchService
from services.gateway.settings import GatewaySettings


@dataclass(frozen=True)
class Shop:
    """What there is of each catalogue: its products, and what imports into it."""

    products: ProductService
    imports: ImportJobs


@dataclass(frozen=True)
class GatewayState:
    """The open clients and the domain services made of them, for requests about one catalogue, or about all of them.

    `shop` is None for all of them: no product is in more than one.
    """

    catalogue: str
    settings: GatewaySettings
    search: SearchService
    shop: Shop | None
    index: IndexNodes
    reader: ImageReader
    resizer: Resizer
    gate: asyncio.Semaphore
    started: float = field(default_factory=time.monotonic)

    @property
    def products(self) -> ProductService:
        """The catalogue's products.

        Raises:
            UnknownCatalogue: the request is about all catalogues.
        """
        return self._one.products

    @property
    def imports(self) -> ImportJobs:
        """What imports into the catalogue.

        Raises:
            UnknownCatalogue: the request is about all catalogues.
        """
        return self._one.imports

    @property
    def _one(self) -> Shop:
        if self.shop is None:
            names = ", ".join(self.settings.catalogues)
            raise UnknownCatalogue(f"{ALL!r} is for searches: what you ask for is asked of one catalogue, of {names}")
        return self.shop

    async def status(self) -> IndexStatus:
        """Return what the index holds of the catalogue, or of all.

        Raises:
            IndexNotReady, UpstreamTimeout: as `IndexNodes.status`.
        """
        return await self.index.status(self.search.catalogues)


def gateway_state(request: Request) -> GatewayState:
    """Return the running gateway's state for the catalogue that a request is about.

    Raises:
        UnknownCatalogue: there is none of that name.
    """
    states = cast(Mapping[str, GatewayState], request.state.gateway)
    name = asked_catalogue(request)
    if name != ALL:
        known_catalogue(name, states[DEFAULT].settings.catalogues)
    if name != DEFAULT:
        note(catalogue=name)
    return states[name]


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
