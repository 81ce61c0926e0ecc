"""The gateway: the public API and the search page."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

from fastapi import FastAPI, Request
from starlette.middleware.cors import CORSMiddleware

from services.catalogue.store.database import CatalogueDatabase
from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.domain.catalogues import ALL, PATHS
from services.contracts.domain.errors import LookalikeError
from services.contracts.images.fetch import ImageFetcher
from services.contracts.web.app import Readiness, make_app
from services.contracts.web.telemetry import REQUEST_ID_HEADER, Metrics
from services.gateway.catalogue_path import CataloguePathMiddleware
from services.gateway.imports.jobs import ImportJobs, ImportMeans
from services.gateway.index_nodes.client import IndexClient
from services.gateway.index_nodes.nodes import IndexNodes
from services.gateway.pages.pictures import Resizer
from services.gateway.products.service import ProductService
from services.gateway.routes import catalogue as routes_catalogue
from services.gateway.routes import detect as routes_detect
from services.gateway.routes import imports as routes_imports
from services.gateway.routes import pages as routes_page
from services.gateway.routes import products as routes_products
from services.gateway.routes import search as routes_search
from services.gateway.search.links import Links
from services.gateway.search.models import Models
from services.gateway.search.request import ImageReader
from services.gateway.search.service import SearchService
from services.gateway.settings import GatewaySettings
from services.gateway.state import GatewayState, Shop, gateway_state

DESCRIPTION = """A shopper's photo goes in; out come the kind of clothing it shows and the products of the catalogue
that look most like it. Errors are problem documents (RFC 9457); every answer carries `X-Request-ID`.

Where the installation has several catalogues, every address has one of its own for each of them: `/catalogues/NAME` before
it. A name that none has is answered with `unknown-catalogue`, 404. Under `/catalogues/all` a search goes through all of
them, and each result names its own."""

# Each route is there for each catalogue: OpenAPI's word for that.
SERVERS: list[dict[str, Any]] = [
    {"url": "/", "description": "The default catalogue"},
    {
        "url": f"{PATHS}{{catalogue}}",
        "description": "Another catalogue, where the installation has several; `all` for a search through all of them",
        "variables": {"catalogue": {"default": ALL, "description": "a name of the setting CATALOGUES, or all"}},
    },
]
BATCH_TIMEOUT_S = 60.0


def create_app(settings: GatewaySettings) -> FastAPI:
    """Return the gateway's app. Clients are opened in its lifespan, not here."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        async with AsyncExitStack() as stack:
            yield {"gateway": await _open(settings, stack)}  # a state for each catalogue, by its name

    app = make_app(
        service="gateway",
        description=DESCRIPTION,
        routers=[
            routes_search.router,
            routes_detect.router,
            routes_products.router,
            routes_imports.router,
            routes_catalogue.router,
            routes_page.router,
        ],
        lifespan=lifespan,
        readiness=_readiness,
        metrics=Metrics(),
        max_body_bytes=settings.max_body_bytes,
        body_bytes_of={"/v1/products:import": settings.max_import_bytes},
        servers=SERVERS,
        docs_url=None,
        redoc_url=None,
    )
    routes_page.mount_static(app)
    app.add_middleware(CataloguePathMiddleware)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Content-Type", REQUEST_ID_HEADER],
            expose_headers=[REQUEST_ID_HEADER, "Retry-After"],
        )
    return app


async def _open(settings: GatewaySettings, stack: AsyncExitStack) -> dict[str, GatewayState]:
    embedding = EmbeddingClient(settings.embedding_url, settings.embedding_timeout_s)
    stack.push_async_callback(embedding.close)
    index = await stack.enter_async_context(_index_nodes(settings))
    store = CatalogueDatabase(settings.mongo_url.get_secret_value(), settings.mongo_database)
    await stack.enter_async_context(store)
    fetcher = _fetcher(settings)
    if fetcher is not None:
        stack.push_async_callback(fetcher.close)
    links = Links(settings.product_url_template, settings.image_url_template, settings.public_url)
    models = Models(embedding, index)
    means = await _import_means(settings, store, stack)

    def shop(name: str) -> Shop:
        jobs = ImportJobs(replace(means, store=store.of(name)))
        stack.push_async_callback(jobs.close)
        return Shop(ProductService(store.of(name), embedding, models, links.of(name)), jobs)

    every = GatewayState(
        catalogue=ALL,
        settings=settings,
        search=SearchService(embedding, index, links, models, settings.catalogues),
        shop=None,
        index=index,
        reader=ImageReader(settings.max_image_bytes, fetcher),
        resizer=Resizer(embedding),
        gate=asyncio.Semaphore(settings.max_concurrent_searches),
    )
    return {ALL: every} | {
        name: replace(
            every,
            catalogue=name,
            search=SearchService(embedding, index, links.of(name), models, (name,)),
            shop=shop(name),
        )
        for name in settings.catalogues
    }


@asynccontextmanager
async def _index_nodes(settings: GatewaySettings) -> AsyncIterator[IndexNodes]:
    clients = [IndexClient(url, settings.index_timeout_s) for url in settings.index_urls]
    nodes = IndexNodes(clients, settings.index_refresh_s)
    await nodes.look()
    task = asyncio.create_task(nodes.run(), name="look at the index nodes")
    try:
        yield nodes
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await nodes.close()


async def _import_means(settings: GatewaySettings, store: CatalogueDatabase, stack: AsyncExitStack) -> ImportMeans:
    """Return what imports are made with, clients of their own: batches take their time, and searches do not wait for them."""
    embedding = EmbeddingClient(settings.embedding_url, max(settings.embedding_timeout_s, BATCH_TIMEOUT_S))
    stack.push_async_callback(embedding.close)
    fetcher = _fetcher(settings)
    if fetcher is not None:
        stack.push_async_callback(fetcher.close)
    return ImportMeans(store, embedding, fetcher, settings.import_dir, settings.max_import_bytes)


def _fetcher(settings: GatewaySettings) -> ImageFetcher | None:
    if not settings.fetch_enabled:
        return None
    return ImageFetcher(
        max_bytes=settings.max_image_bytes,
        timeout_s=settings.fetch_timeout_s,
        allowed_hosts=frozenset(settings.fetch_allowed_hosts),
    )


async def _readiness(request: Request) -> Readiness:
    """Ready means that a search can be answered; where some categories lack an index node, a reason says so.

    The database is not asked: a search does not need it.
    """
    state = gateway_state(request)
    embedding, gaps = await asyncio.gather(_can_embed(state), state.index.ready(), return_exceptions=True)
    for found in (embedding, gaps):
        if isinstance(found, BaseException) and not isinstance(found, LookalikeError):
            raise found
    faults = tuple(found.detail for found in (embedding, gaps) if isinstance(found, LookalikeError))
    return Readiness(ready=not faults, reasons=(*dict.fromkeys(faults), *(gaps if isinstance(gaps, tuple) else ())))


async def _can_embed(state: GatewayState) -> None:
    """Return if photos can be embedded with the model that searches use; raises as `EmbeddingClient.ready`."""
    await state.search.embedding.ready(await state.search.models.active())
