"""The gateway for tests in this process: its app, around fakes of the services and the database."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from services.catalogue.api_key import ApiKey
from services.catalogue.product import Product, StoredImage
from services.catalogue.store.model_note import ModelNote
from services.catalogue.store.notes import Lease
from services.catalogue.store.product_pages import ListPosition, ProductPage
from services.catalogue.store.rules import StoredRules
from services.contracts.domain.box import Box
from services.contracts.domain.catalogues import ALL
from services.contracts.domain.errors import CatalogueUnavailable, LookalikeError
from services.contracts.web.public_address import current_base
from services.contracts.wire.embedding import (
    BatchResponse,
    Category,
    CellGrid,
    DetectionResponse,
    EmbeddingResponse,
    GarmentBox,
    ListedModel,
    ModelFacts,
    PairExplanationResponse,
)
from services.gateway import app as gateway_app
from services.gateway.access.places import Places
from services.gateway.events.query_log import QueryLog
from services.gateway.events.service import EventService
from services.gateway.imports.jobs import ImportDependencies, ImportJobs
from services.gateway.index_nodes.nodes import IndexNodes
from services.gateway.look.basket_book import BasketBook
from services.gateway.look.service import LookService
from services.gateway.merchandising.service import MerchandisingService
from services.gateway.metrics import GatewayMetrics
from services.gateway.pages.pictures import Resizer
from services.gateway.products.service import ProductService
from services.gateway.ranking.boosts import Boosts
from services.gateway.ranking.diversity import Diversity
from services.gateway.ranking.pins import Pins
from services.gateway.ranking.ranking import Ranking
from services.gateway.ranking.reranker import Reranker
from services.gateway.ranking.rule_book import RuleBook
from services.gateway.search.image_reader import ImageReader
from services.gateway.search.kept_responses import KeptResponses
from services.gateway.search.links import Links
from services.gateway.search.model_binding import ModelBinding
from services.gateway.search.service import SearchService
from services.gateway.search.visible import VisibleAttributes
from services.gateway.settings import GatewaySettings
from services.gateway.state import CatalogueServices, GatewayState
from tests.support.fakes.import_fakes import (
    FakeCache,
    FakeEmbedding,
    FakeModels,
    FakePictures,
    FakeProducts,
    FakeWeb,
    Faults,
)
from tests.support.fakes.index_fakes import NAMES, FakeIndex
from tests.support.values.events import FakeEventLog
from tests.support.values.look import make_look_model
from tests.support.waiting import WITHIN_S

MODEL = "fashion/1"
SHOES = GarmentBox(box=Box(x=0, y=0, width=0.5, height=1), category=Category(id=1, name="Shoes", probability=0.8))
KEY = "open sesame"


class StoredProducts:
    """Products by key, as the gateway and its imports write them. A put raises `put_error` while it is set."""

    def __init__(self, faults: Faults) -> None:
        self.rows = FakeProducts(faults)
        self.put_error: Exception | None = None
        self._faults = faults
        self.fingerprints, self.read, self.put_many = self.rows.fingerprints, self.rows.read, self.rows.put_many

    async def put(self, product: Product) -> None:
        if self.put_error is not None:
            raise self.put_error
        await self.put_many([product])

    async def get(self, key: str) -> Product | None:
        self._faults.fail()
        return self.rows.get(key)

    async def get_revision(self, key: str) -> tuple[Product | None, str | None]:
        return await self.get(key), self._revision(key)

    async def replace(self, product: Product, revision: str | None) -> bool:
        if product.key not in self.rows or self._revision(product.key) != revision:
            return False
        await self.put(product)
        return True

    def _revision(self, key: str) -> str | None:
        return repr(self.rows.get(key))

    async def lacking(self, attributes: Iterable[str]) -> list[str]:
        self._faults.fail()
        return sorted(name for name in attributes if not any(name in row.attributes for row in self.rows.values()))

    async def delete(self, key: str) -> bool:
        self._faults.fail()
        return self.rows.pop(key, None) is not None

    async def page(self, position: ListPosition, limit: int) -> ProductPage:
        self._faults.fail()
        after = "" if position.last is None else str(position.last)
        keys = sorted(key for key in self.rows if key > after)[:limit]
        listed = tuple((self.rows[key], ListPosition("text", key)) for key in keys)
        return ProductPage(listed, listed[-1][1] if len(keys) == limit else None)

    async def all(self) -> AsyncIterator[list[Product]]:
        self._faults.fail()
        yield list(self.rows.values())

    async def keys(self) -> AsyncIterator[list[str]]:
        yield list(self.rows)

    async def delete_many(self, keys: Sequence[str], *, written_before: datetime | None = None) -> int:
        return sum(self.rows.pop(key, None) is not None for key in keys)


class StoredPictures:
    """Pictures by key or `picture_id`."""

    def __init__(self, faults: Faults) -> None:
        self.rows = FakePictures(faults)
        self.put_many, self.keep_only = self.rows.put_many, self.rows.keep_only

    async def get(self, name: str) -> StoredImage | None:
        return self.rows.get(name)


@dataclass
class FakeNotes:
    """Notes, import records and the lease, in this process."""

    notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    imports: dict[str, dict[str, Any]] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    held: Lease | None = None
    trouble: LookalikeError | None = None

    async def get(self, name: str) -> dict[str, Any] | None:
        self._fail()
        return self.notes.get(name)

    async def put(self, name: str, facts: Mapping[str, Any]) -> None:
        self._fail()
        self.notes[name] = dict(facts)

    async def leases(self) -> list[Lease]:
        self._fail()
        return [] if self.held is None else [self.held]

    async def take_lease(self, lease: Lease) -> bool:
        self._fail()
        if self.held is None:
            self.held = lease
            return True
        return False

    async def renew_lease(self, import_id: str, beat: int) -> bool:
        return self.held is not None and self.held.import_id == import_id

    async def drop_lease(self, lease: Lease, *, at_beat: bool = False) -> None:
        self._fail()
        if self.held is not None and self.held.import_id == lease.import_id:
            self.held = None

    async def put_import(self, import_id: str, facts: Mapping[str, Any]) -> bool:
        self._fail()
        self.imports[import_id] = dict(facts)
        return import_id in self.cancelled

    async def get_import(self, import_id: str) -> dict[str, Any] | None:
        self._fail()
        return self.imports.get(import_id)

    async def list_imports(self, limit: int) -> list[dict[str, Any]]:
        self._fail()
        return [self.imports[name] for name in sorted(self.imports, reverse=True)[:limit]]

    async def request_cancel(self, import_id: str) -> bool:
        self.cancelled.add(import_id)
        return import_id in self.imports

    async def prune_imports(self) -> None:
        """Every record stays."""

    def _fail(self) -> None:
        if self.trouble is not None:
            raise self.trouble


@dataclass
class FakeRules:
    """Merchandising rules in this process. Before a replacement, another process stores one of `others`."""

    stored: StoredRules | None = None
    others: list[dict[str, Any]] = field(default_factory=list)
    trouble: LookalikeError | None = None

    async def get(self) -> StoredRules | None:
        if self.trouble is not None:
            raise self.trouble
        return self.stored

    async def replace(self, document: Mapping[str, Any], revision: int) -> bool:
        if self.others:
            self._put(self.others.pop())
        if revision != self._revision:
            return False
        self._put(document)
        return True

    @property
    def _revision(self) -> int:
        return 0 if self.stored is None else self.stored.revision

    def _put(self, document: Mapping[str, Any]) -> None:
        self.stored = StoredRules(dict(document), self._revision + 1)


@dataclass
class FakeKeys:
    """API keys in a list. Every call raises `trouble` while it is set."""

    rows: list[ApiKey] = field(default_factory=list)
    trouble: CatalogueUnavailable | None = None
    readings: int = 0

    async def list(self) -> list[ApiKey]:
        self.readings += 1
        if self.trouble is not None:
            raise self.trouble
        return list(self.rows)


class GatewayCatalogue:
    """A catalogue in dictionaries."""

    def __init__(self, catalogue: str = "default") -> None:
        self.catalogue = catalogue
        self.database_name = "lookalike"
        self.faults = Faults()
        self.products = StoredProducts(self.faults)
        self.pictures = StoredPictures(self.faults)
        self.models = FakeModels(ModelNote(active=MODEL))
        self.notes = FakeNotes()
        self.http_cache = FakeCache()
        self.keys = FakeKeys()
        self.events = FakeEventLog()
        self.rules = FakeRules()


class GatewayEmbedding:
    """Sees the category in an image's first byte, and `garments` in every image.

    Every call raises `trouble` while it is set.
    """

    def __init__(self) -> None:
        self.batches = FakeEmbedding()
        self.trouble: LookalikeError | None = None
        self.boxes: list[Box | None] = []
        self.garments: list[GarmentBox] = []
        self.detections = 0
        self.explained: list[tuple[bytes, bytes, str, Box | None]] = []

    @property
    def images(self) -> int:
        """How many images have been embedded."""
        return self.batches.images

    async def embed(self, data: bytes, model: str, box: Box | None = None, **secondary: Any) -> EmbeddingResponse:
        self._fail()
        self.boxes.append(box)
        (item,) = (await self.batches.embed_batch([data], model, **secondary)).items
        assert item.embedding is not None
        return EmbeddingResponse(
            category=item.embedding.category,
            probabilities=dict.fromkeys(NAMES, 0.05) | item.embedding.probabilities,
            vector=item.embedding.array.tolist(),
            model=model,
            timings_ms={"decode": 1.0, "network": 2.0},
        )

    async def embed_batch(self, images: Sequence[bytes], *given: Any, **named: Any) -> BatchResponse:
        self._fail()
        return await self.batches.embed_batch(images, *given, **named)

    async def model(self, model: str | None = None) -> ModelFacts:
        self._fail()
        thresholds = {"no_clothing": 0.2}
        return ModelFacts(model=model or MODEL, categories=list(NAMES), dimension=4, input={}, thresholds=thresholds)

    async def models(self) -> list[ListedModel]:
        self._fail()
        return [ListedModel(model=MODEL, first=True)]

    async def detect(self, data: bytes) -> DetectionResponse:
        self._fail()
        self.detections += 1
        return DetectionResponse(garments=self.garments, model="detector/1", timings_ms={"network": 12.0})

    async def explain(
        self, query: bytes, product: bytes, model: str, box: Box | None = None
    ) -> PairExplanationResponse:
        self._fail()
        self.explained.append((query, product, model, box))
        return PairExplanationResponse(
            similarity=0.5,
            grid=CellGrid(rows=1, columns=2),
            query=[[0.25, -0.125]],
            product=[[0.0, 0.5]],
            model=model,
            timings_ms={"total": 9.0},
        )

    async def ready(self, model: str | None = None) -> None:
        self._fail()

    async def resize(self, data: bytes, width: int) -> bytes | None:
        self._fail()
        return b"%d:" % width + data[:4]

    def _fail(self) -> None:
        if self.trouble is not None:
            raise self.trouble


class GatewayWeb(FakeWeb):
    """Pages by URL, for imports and for single images."""

    async def fetch(self, url: str) -> bytes:
        return self.pages[url]


@dataclass
class Gateway:
    """A running gateway, and what is behind it."""

    client: TestClient
    catalogue: GatewayCatalogue
    embedding: GatewayEmbedding
    index: FakeIndex
    web: GatewayWeb

    def problem(self, method: str, path: str, **request: Any) -> tuple[int, str, str]:
        """Return the status, the slug and the detail of a problem document."""
        response = self.client.request(method, path, **request)
        assert response.headers["content-type"] == "application/problem+json", response.text
        document = response.json()
        assert document["status"] == response.status_code
        return response.status_code, document["type"].removeprefix("/problems/"), document["detail"]


@contextmanager
def running_gateway(
    keys: Sequence[ApiKey] = (), rerankers: Sequence[Reranker] = (), baskets: BasketBook | None = None, **settings: Any
) -> Iterator[Gateway]:
    """Run the gateway's app around fakes for as long as the block lasts; `keys` are those in the database."""
    catalogue, embedding, web = GatewayCatalogue(), GatewayEmbedding(), GatewayWeb()
    catalogue.keys.rows += keys
    index = FakeIndex({0: ["t1", "t2"], 1: ["s1"], 2: ["b1"]})

    async def open_services(
        settings: GatewaySettings, stack: AsyncExitStack, metrics: GatewayMetrics
    ) -> dict[str, GatewayState]:
        fakes: Any = catalogue, embedding, index, web
        log = await gateway_app.open_events(settings, fakes[0], stack, metrics)
        return await _states(settings, stack, metrics, rerankers, baskets, log, *fakes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gateway_app, "_open", open_services)
        patient = dict.fromkeys(("search_timeout_s", "taste_timeout_s", "wait_s"), WITHIN_S)
        with TestClient(gateway_app.create_app(GatewaySettings(**{**patient, **settings}))) as client:
            yield Gateway(client, catalogue, embedding, index, web)


async def _states(
    settings: GatewaySettings,
    stack: AsyncExitStack,
    metrics: GatewayMetrics,
    rerankers: Sequence[Reranker],
    baskets: BasketBook | None,
    log: EventService,
    catalogue: Any,
    embedding: Any,
    index: Any,
    web: Any,
) -> dict[str, GatewayState]:
    nodes = IndexNodes([index], refresh_s=60)
    await nodes.refresh()
    binding, links = ModelBinding(embedding, nodes), Links("https://shop.example/products/{id}", base=current_base)
    visible = VisibleAttributes(frozenset(settings.public_attributes))
    jobs = ImportJobs(ImportDependencies(catalogue, embedding, web, settings.import_dir, settings.max_import_bytes))
    stack.push_async_callback(jobs.close)
    every: dict[str, Any] = {
        "settings": settings,
        "index": nodes,
        "reader": ImageReader(settings.max_image_bytes, web),
        "resizer": Resizer(embedding),
        "places": Places(settings.places),
        "logs": (log,),
    }
    queries = log.queries if settings.events_enabled else None
    responses = KeptResponses(settings.kept_responses_bytes, lambda revisions: revisions == nodes.revisions)
    names, book, look_model = settings.catalogues, RuleBook(), make_look_model()
    ranking = Ranking([Boosts(book), Diversity(), *rerankers, Pins(book)])

    def searching(searched: tuple[str, ...], kept: QueryLog | None) -> SearchService:
        count = metrics.count_order
        return SearchService(
            embedding, nodes, links, binding, searched, visible, ranking, kept, count_order=count, kept=responses
        )

    return {
        ALL: GatewayState(
            catalogue=ALL,
            search=searching(names, queries),
            look=LookService(searching(names, None), book, look_model, baskets),
            services=None,
            **every,
        ),
        **{
            name: GatewayState(
                catalogue=name,
                search=searching((name,), queries),
                look=LookService(searching((name,), None), book, look_model, baskets),
                services=CatalogueServices(
                    ProductService(catalogue, embedding, binding, links),
                    jobs,
                    MerchandisingService(catalogue, book, searching((name,), None)),
                ),
                **every,
            )
            for name in names
        },
    }


def search_by(gateway: Gateway, photo: bytes, **options: Any) -> dict[str, Any]:
    """Search by a photo; return the response, which is a success."""
    response = gateway.client.post("/v1/search", content=photo, headers={"Content-Type": "image/jpeg"}, params=options)
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document
