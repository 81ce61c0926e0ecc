"""The gateway: the public API and the search page."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from starlette.middleware import Middleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.taste.profile import TasteWeights
from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.domain.catalogues import ALL, DEFAULT_CATALOGUE
from services.contracts.domain.manifest import ManifestError
from services.contracts.images.fetch import ImageFetcher
from services.contracts.web.app import Readiness, make_app
from services.contracts.web.background import in_background
from services.contracts.web.bodies.body_limit import BodyRate
from services.contracts.web.public_address import current_base
from services.contracts.web.requests.in_flight import BytesInFlight
from services.gateway.access.admission import AdmissionMiddleware
from services.gateway.access.cors import KeyedCors
from services.gateway.access.guard import Guard
from services.gateway.access.install import guarded, install
from services.gateway.access.middleware import AccessMiddleware
from services.gateway.access.places import Places
from services.gateway.events.body import MAX_BODY_BYTES as MAX_EVENTS_BYTES
from services.gateway.events.service import EventService
from services.gateway.health import CachedReadiness, readiness
from services.gateway.imports.import_metrics import ImportMetrics
from services.gateway.imports.jobs import ImportDependencies, ImportJobs
from services.gateway.index_nodes.client import IndexClient
from services.gateway.index_nodes.nodes import IndexNodes
from services.gateway.look.basket_book import BasketBook, BasketSource
from services.gateway.look.service import LookService
from services.gateway.merchandising.service import MerchandisingService
from services.gateway.metrics import GatewayMetrics
from services.gateway.pages.pictures import Resizer
from services.gateway.products.service import ProductService
from services.gateway.public_path import PublicPathMiddleware
from services.gateway.ranking.boosts import Boosts
from services.gateway.ranking.diversity import Diversity
from services.gateway.ranking.learned import Learned
from services.gateway.ranking.order_book import OrderBook
from services.gateway.ranking.pins import Pins
from services.gateway.ranking.ranking import Ranking
from services.gateway.ranking.rule_book import RuleBook
from services.gateway.ranking.taste import Taste
from services.gateway.ranking.taste_cache import TasteCache, TasteSource, TasteTimes
from services.gateway.request_path import RequestPathMiddleware
from services.gateway.routes import catalogue as routes_catalogue
from services.gateway.routes import demand as routes_demand
from services.gateway.routes import detect as routes_detect
from services.gateway.routes import events as routes_events
from services.gateway.routes import explain as routes_explain
from services.gateway.routes import imports as routes_imports
from services.gateway.routes import look as routes_look
from services.gateway.routes import merchandising as routes_merchandising
from services.gateway.routes import pages as routes_pages
from services.gateway.routes import product_list as routes_product_list
from services.gateway.routes import products as routes_products
from services.gateway.routes import search as routes_search
from services.gateway.routes.openapi import components
from services.gateway.search.image_reader import ImageReader
from services.gateway.search.kept_responses import KeptResponses
from services.gateway.search.links import Links
from services.gateway.search.measured_embedding import MeasuredEmbeddingClient
from services.gateway.search.model_binding import ModelBinding
from services.gateway.search.service import SearchService
from services.gateway.search.visible import VisibleAttributes
from services.gateway.settings import GatewaySettings
from services.gateway.shop_page import ShopPage
from services.gateway.state import CatalogueServices, GatewayState, gateway_state
from services.look.compatibility import Compatibility

log = structlog.get_logger()
DESCRIPTION = """Send a shopper's photo; the response names the category of clothing that it shows and the products of
the catalogue that look most like it. Errors are problem documents (RFC 9457). Every response has an `X-Request-ID`.

An installation may have several catalogues. Every address works for each of them, with the prefix `/catalogues/NAME`;
without a prefix it is about the catalogue `default`. If there is no catalogue of that name, the response is
`unknown-catalogue`, 404. With the prefix `/catalogues/all`, a search goes through all catalogues, and each result
names its own."""
TAGS: list[dict[str, Any]] = [
    {"name": "search", "description": "Searches by photo and by product, and the garments of a photo"},
    {"name": "products", "description": "The products of the catalogue"},
    {"name": "events", "description": "What shoppers do with results"},
    {"name": "imports", "description": "Feeds"},
    {"name": "merchandising", "description": "The shop's rules for the order of results"},
    {"name": "catalogue", "description": "What the installation holds"},
    {"name": "health", "description": "Liveness and readiness"},
]
BATCH_TIMEOUT_S = 60.0
MAX_DELETE_BYTES = 1024 * 1024  # a thousand of the longest ids


def create_app(settings: GatewaySettings) -> FastAPI:
    """Return the gateway's app. Clients are opened in its lifespan, not here."""

    guard, health, metrics = Guard(settings), CachedReadiness(), GatewayMetrics()
    in_flight = BytesInFlight(settings.max_bytes_in_flight, settings.max_client_bytes_in_flight)
    imports = ImportMetrics(metrics.registry)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        async with AsyncExitStack() as stack:
            states = await _open(settings, stack, metrics)  # one for each catalogue, by name
            metrics.show(states[ALL], guard.keys, in_flight)
            stores = {name: states[name].products.store for name in settings.catalogues}
            await stack.enter_async_context(imports.following(stores))
            if settings.uses_keys:
                await stack.enter_async_context(guard.keys.following(states[DEFAULT_CATALOGUE].products.store.keys))
            yield {"gateway": states, "guard": guard}

    async def _readiness(request: Request) -> Readiness:
        state = gateway_state(request)
        return await health.get(lambda: readiness(state))

    app = make_app(
        service="gateway",
        description=DESCRIPTION,
        routers=[
            routes_search.router,
            routes_detect.router,
            routes_look.router,
            routes_explain.router,
            routes_product_list.router,
            routes_products.router,
            routes_events.router,
            routes_demand.router,
            routes_imports.router,
            routes_merchandising.router,
            routes_catalogue.router,
            routes_pages.router,
        ],
        lifespan=lifespan,
        readiness=_readiness,
        metrics=metrics,
        max_body_bytes=settings.max_body_bytes,
        body_bytes_of={
            "/v1/products:import": settings.max_import_bytes,
            "/v1/products:delete": MAX_DELETE_BYTES,
            "/v1/events": MAX_EVENTS_BYTES,
        },
        body_rate=BodyRate(settings.min_body_bytes_per_s),
        in_flight=in_flight,
        compress=True,
        inner_middleware=[
            Middleware(AccessMiddleware, hosts=settings.allowed_hosts),
            Middleware(AdmissionMiddleware, guard=guard),
        ],
        dependencies=[guarded(guard)],
        servers=routes_pages.SERVERS,
        openapi_tags=TAGS,
        generate_unique_id_function=_operation_id,
        openapi_url=None,  # the route in `pages` names the address of the request
        docs_url=None,
        redoc_url=None,
    )
    _name_bodies(app)
    routes_pages.mount_static(app)
    routes_pages.install_missing_page(app)
    install(app, guard)
    app.add_middleware(RequestPathMiddleware)
    if settings.cors_origins or settings.access == "keys":
        app.add_middleware(KeyedCors, keys=guard.keys, origins=settings.cors_origins)
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))
    # Outermost, because the one before replaces the address of the proxy by that of its client.
    app.add_middleware(PublicPathMiddleware, root_path=settings.root_path, trusted_proxies=settings.trusted_proxies)
    return app


def _name_bodies(app: FastAPI) -> None:
    """Add the schemas of request bodies to the app's OpenAPI document."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        components.add_to(document)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _operation_id(route: APIRoute) -> str:
    """Return the name that a generated client gives a route: its function's, in camel case."""
    first, *rest = route.name.split("_")
    return first + "".join(word.capitalize() for word in rest)


async def _open(settings: GatewaySettings, stack: AsyncExitStack, metrics: GatewayMetrics) -> dict[str, GatewayState]:
    embedding = MeasuredEmbeddingClient(
        settings.embedding_url, settings.embedding_timeout_s, metrics.upstream, token=settings.token
    )
    stack.push_async_callback(embedding.close)
    index = await stack.enter_async_context(_index_nodes(settings, metrics))
    store = CatalogueDatabase(settings.mongo_url.get_secret_value(), settings.mongo_database)
    await stack.enter_async_context(store)
    fetcher = _fetcher(settings)
    if fetcher is not None:
        stack.push_async_callback(fetcher.close)
    links = Links(settings.product_url_template, settings.image_url_template, settings.public_url, current_base)
    visible = VisibleAttributes(frozenset(settings.public_attributes))
    binding = ModelBinding(embedding, index)
    dependencies = await _import_dependencies(settings, store, stack)
    book = RuleBook()
    rules = {name: store.of(name).rules for name in settings.catalogues}
    await stack.enter_async_context(book.following(rules, settings.rules_refresh_s))
    orders = OrderBook()
    learned = {name: store.of(name).learned_orders for name in settings.catalogues}
    await stack.enter_async_context(orders.following(learned, settings.learned_refresh_s))
    look_model = _look_model(settings.look_dir)
    logs = {name: await open_events(settings, store.of(name), stack, metrics) for name in settings.catalogues}
    tastes = _tastes(settings, store, logs.values(), stack)
    baskets = await _baskets(settings, store, logs.values(), binding, stack)
    ranking = Ranking([Learned(orders, settings.learned_bound), *tastes, Boosts(book), Diversity(), Pins(book)])

    def services(name: str) -> CatalogueServices:
        jobs = ImportJobs(replace(dependencies, store=store.of(name)))
        stack.push_async_callback(jobs.close)
        products = ProductService(store.of(name), embedding, binding, links)
        tried = SearchService(embedding, index, links, binding, (name,), visible, ranking)  # not kept in the log
        return CatalogueServices(products, jobs, MerchandisingService(store.of(name), book, tried))

    kept = KeptResponses(settings.kept_responses_bytes, lambda revisions: revisions == index.revisions)

    def searching(names: tuple[str, ...]) -> SearchService:
        queries = logs[names[0]].queries if settings.events_enabled else None
        count = metrics.count_order
        return SearchService(
            embedding, index, links, binding, names, visible, ranking, queries, count_order=count, kept=kept
        )

    every = GatewayState(
        catalogue=ALL,
        settings=settings,
        search=searching(settings.catalogues),
        look=LookService(searching(settings.catalogues), book, look_model, baskets),
        services=None,
        index=index,
        reader=ImageReader(settings.max_image_bytes, fetcher),
        resizer=Resizer(embedding),
        places=Places(settings.places),
        shop=ShopPage.load(settings.page_file),
        logs=tuple(logs.values()),
    )
    return {ALL: every} | {
        name: replace(
            every,
            catalogue=name,
            search=searching((name,)),
            look=LookService(searching((name,)), book, look_model, baskets),
            services=services(name),
            logs=(logs[name],),
        )
        for name in settings.catalogues
    }


def _look_model(directory: Path | None) -> Compatibility | None:
    """Return the look model. Looks work without one."""
    if directory is None:
        return None
    try:
        return Compatibility.load(directory)
    except ManifestError as error:
        log.warning("no_look_model", trouble=str(error))
        return None


async def open_events(
    settings: GatewaySettings, store: CatalogueDatabase, stack: AsyncExitStack, metrics: GatewayMetrics
) -> EventService:
    """Return the events of a catalogue. If they are on, searches are kept until the stack unwinds."""
    service = EventService(
        store.events,
        settings.events_days,
        keeps_vectors=settings.events_vectors,
        count=metrics.count_logged_searches,
    )
    if settings.events_enabled:
        await stack.enter_async_context(service.running())
    return service


def _tastes(
    settings: GatewaySettings, store: CatalogueDatabase, logs: Iterable[EventService], stack: AsyncExitStack
) -> list[Taste]:
    """Return the re-ranker by the tastes of visitors; none if events are off, or a taste has no weight."""
    if not settings.events_enabled or not settings.taste_weight:
        return []
    parts = {name: store.of(name) for name in settings.catalogues}
    sources = {name: TasteSource(part.events, part.products) for name, part in parts.items()}
    times = TasteTimes(settings.taste_timeout_s, settings.taste_ttl_s, settings.events_days)
    tastes = TasteCache(sources, times, settings.max_tastes)
    stack.push_async_callback(tastes.close)
    for log in logs:
        log.forgetters.append(tastes.forget)
    return [Taste(tastes, TasteWeights(settings.taste_weight, settings.taste_attributes))]


async def _baskets(
    settings: GatewaySettings,
    store: CatalogueDatabase,
    logs: Iterable[EventService],
    binding: ModelBinding,
    stack: AsyncExitStack,
) -> BasketBook | None:
    """Return what shoppers bought together; None if events are off, or baskets have no weight."""
    if not settings.events_enabled or not settings.baskets_weight:
        return None
    parts = {name: store.of(name) for name in settings.catalogues}
    sources = {name: BasketSource(part.events, part.products) for name, part in parts.items()}
    book = BasketBook(sources, binding.active, settings.events_days, settings.baskets_weight)
    await stack.enter_async_context(book.following(settings.baskets_refresh_s))
    for log in logs:
        log.forgetters.append(book.forget)
    return book


@asynccontextmanager
async def _index_nodes(settings: GatewaySettings, metrics: GatewayMetrics) -> AsyncIterator[IndexNodes]:
    def client(url: str) -> IndexClient:
        return IndexClient(url, settings.index_timeout_s, token=settings.token)

    nodes = IndexNodes(
        map(client, settings.index_urls),
        settings.index_refresh_s,
        metrics.upstream,
        metrics.hedging(settings.index_hedge_share),
        metrics.shadow(client(settings.index_shadow_url), settings.index_shadow_share)
        if settings.index_shadow_url is not None
        else None,
    )
    await nodes.refresh()
    try:
        async with in_background(nodes.run(), "refresh the index nodes"), _watched(nodes, settings):
            yield nodes
    finally:
        await nodes.close()


@asynccontextmanager
async def _watched(nodes: IndexNodes, settings: GatewaySettings) -> AsyncIterator[None]:
    """Know the revisions of the nodes if responses are kept."""
    if not settings.kept_responses_bytes:
        yield
        return
    async with in_background(nodes.watch(), "watch the revisions of the index"):
        yield


async def _import_dependencies(
    settings: GatewaySettings, store: CatalogueDatabase, stack: AsyncExitStack
) -> ImportDependencies:
    """Return the clients that imports use. They are not those of searches, so that searches never wait for a batch."""
    timeout_s = max(settings.embedding_timeout_s, BATCH_TIMEOUT_S)
    embedding = EmbeddingClient(settings.embedding_url, timeout_s, token=settings.token)
    stack.push_async_callback(embedding.close)
    fetcher = _fetcher(settings)
    if fetcher is not None:
        stack.push_async_callback(fetcher.close)
    return ImportDependencies(store, embedding, fetcher, settings.import_dir, settings.max_import_bytes)


def _fetcher(settings: GatewaySettings) -> ImageFetcher | None:
    if not settings.fetch_enabled:
        return None
    return ImageFetcher(
        max_bytes=settings.max_image_bytes,
        timeout_s=settings.fetch_timeout_s,
        allowed_hosts=frozenset(settings.fetch_allowed_hosts),
    )
