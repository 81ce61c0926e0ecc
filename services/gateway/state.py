"""The gateway's state while it runs, and the dependencies by which routes reach it."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request

from services.contracts.domain.catalogues import ALL, known_catalogue
from services.contracts.domain.errors import EventsOff, UnknownCatalogue
from services.contracts.web.bodies.forms import read_body
from services.contracts.web.observability.telemetry import note
from services.contracts.web.requests.deadline import deadline_in
from services.gateway.access.guard import caller_name
from services.gateway.access.places import Places
from services.gateway.events.service import EventService
from services.gateway.imports.jobs import ImportJobs
from services.gateway.index_nodes.level import wait_until_level
from services.gateway.index_nodes.nodes import IndexNodes
from services.gateway.look.service import LookService
from services.gateway.merchandising.service import MerchandisingService
from services.gateway.pages.pictures import Resizer
from services.gateway.products.service import ProductService
from services.gateway.request_path import requested_catalogue
from services.gateway.search.image_reader import ImageReader
from services.gateway.search.service import SearchService
from services.gateway.settings import GatewaySettings, Work
from services.gateway.shop_page import ShopPage


@dataclass(frozen=True)
class CatalogueServices:
    """The services that work on one catalogue: its products, the imports into it, and its rules."""

    products: ProductService
    imports: ImportJobs
    merchandising: MerchandisingService


@dataclass(frozen=True)
class GatewayState:
    """The open clients and the services made of them, for requests about one catalogue or about all.

    `services` is None for all: a product belongs to one catalogue. `logs` are the logs of events: the catalogue's, or
    those of all.
    """

    catalogue: str
    settings: GatewaySettings
    search: SearchService
    look: LookService
    services: CatalogueServices | None
    index: IndexNodes
    reader: ImageReader
    resizer: Resizer
    places: Places
    shop: ShopPage = ShopPage()  # noqa: RUF009 - it is immutable
    logs: tuple[EventService, ...] = ()
    started: float = field(default_factory=time.monotonic)

    @property
    def products(self) -> ProductService:
        """The catalogue's products.

        Raises:
            UnknownCatalogue: the request is about all catalogues.
        """
        return self._services.products

    @property
    def imports(self) -> ImportJobs:
        """The imports into the catalogue.

        Raises:
            UnknownCatalogue: the request is about all catalogues.
        """
        return self._services.imports

    @property
    def events(self) -> EventService:
        """The log of events; of requests about all catalogues, that of the default one.

        Raises:
            EventsOff: the settings say that none are kept.
        """
        if not self.settings.events_enabled:
            raise EventsOff("this installation keeps no events: GATEWAY_EVENTS_ENABLED is off")
        return self.logs[0]

    @property
    def merchandising(self) -> MerchandisingService:
        """The catalogue's rules for the order of results.

        Raises:
            UnknownCatalogue: the request is about all catalogues.
        """
        return self._services.merchandising

    async def is_level(self) -> bool:
        """Wait, within the bound of the settings, until searches see every change of the catalogue; return whether.

        Raises:
            UnknownCatalogue: the request is about all catalogues.
        """
        return await wait_until_level(self.index.nodes, self.products.store.catalogue, self.settings.wait_s)

    @property
    def _services(self) -> CatalogueServices:
        if self.services is None:
            names = ", ".join(self.settings.catalogues)
            raise UnknownCatalogue(f"{ALL!r} is for searches: for this request, name one catalogue of {names}")
        return self.services


def gateway_state(request: Request) -> GatewayState:
    """Return the running gateway's state for the catalogue of a request.

    Raises:
        UnknownCatalogue: there is no catalogue of that name.
    """
    states = cast(Mapping[str, GatewayState], request.scope["state"]["gateway"])
    names = states[ALL].settings.catalogues
    name = requested_catalogue(request)
    if name != ALL:
        known_catalogue(name, names)
    if len(names) > 1:
        note(catalogue=name)
    return states[name]


async def _state(request: Request) -> GatewayState:
    return gateway_state(request)  # FastAPI calls a function that is not async in a thread, which takes 0.2 ms


State = Annotated[GatewayState, Depends(_state)]


@asynccontextmanager
async def place(request: Request, state: GatewayState, work: Work) -> AsyncIterator[None]:
    """Have a place for the work of a request once its body has arrived, and give a search its deadline.

    A client that sends slowly therefore takes no place.

    Raises:
        InvalidRequest: the client disconnected.
        TooManyRequests: there is no place for this client at present.
    """
    if work != "write":  # a write has read its form already
        await read_body(request)
    with state.places.take(work, caller_name(request)):
        if work == "write":
            yield
            return
        with deadline_in(state.settings.search_timeout_s):
            yield
