"""Index nodes for the gateway's tests, without processes. Each holds some categories and fails on demand."""

from collections.abc import Sequence

import numpy as np

from services.contracts.domain.engines import FAISS
from services.contracts.domain.errors import CategoryElsewhere, LookalikeError, UnknownProduct
from services.contracts.domain.filtering.filter_match import matches
from services.contracts.wire.index import (
    Attributes,
    CatalogueStatus,
    CategoryCount,
    Hit,
    IndexedModel,
    IndexedProduct,
    IndexQuery,
    IndexResponse,
    IndexSample,
    IndexSearch,
    IndexSimilar,
    IndexStatus,
    IndexVectors,
    Page,
    ProductVector,
    ReconcileStatus,
    SyncStatus,
)

NAMES = ("Topwear", "Shoes", "Bags")
NEVER_COMPARED = ReconcileStatus(found=0, repaired=0, last_at=None, last_seconds=None, last_error=None)


class FakeIndex:
    """Answers as an index node does.

    Attributes:
        searches, statuses: how many calls it has had.
        trouble: every call raises it while it is set.
        trouble_of_similar: the same for searches by product.
        models: by default the one in `model`.
        others: products of each held category in other catalogues, by the catalogue's name.
        queries: what it was searched with.
        next_page: of every response.
    """

    def __init__(self, held: dict[int, list[str]], *, lag: float | None = 0.1, **others: int) -> None:
        """Hold these categories, with the ids of their products."""
        self.address = "http://fake"
        self.held = held
        self.others = others
        self.searches = self.statuses = 0
        self.queries: list[IndexSearch | IndexSimilar] = []
        self.samples: list[tuple[int, int | None, tuple[str, ...]]] = []
        self.trouble: LookalikeError | None = None
        self.vector_queries: list[IndexVectors] = []
        self.vectors_by_id: dict[str, list[float]] = {}
        self.attributes_by_id: dict[str, Attributes] = {}
        self.groups_by_id: dict[str, str] = {}
        self.unknown_attributes: list[str] = []
        self.image_url: str | None = None
        self.trouble_of_similar: LookalikeError | None = None
        self.ready = True
        self.closed = False
        self.lag = lag
        self.next_page: Page | None = None
        self.last_error: str | None = None
        self.engine = FAISS
        self.model = "fashion/1"
        self.models: list[IndexedModel] = []

    async def close(self) -> None:
        self.closed = True

    async def status(self) -> IndexStatus:
        self.statuses += 1
        self._fail()
        default = {number: len(products) for number, products in self.held.items()}
        return IndexStatus(
            model=self.model,
            ready=self.ready,
            engine=self.engine,
            catalogues={
                "default": self._catalogue(default, self.lag),
                **{name: self._catalogue(dict.fromkeys(self.held, count), 7.0) for name, count in self.others.items()},
            },
        )

    async def search(self, query: IndexSearch) -> IndexResponse:
        self.searches += 1
        self.queries.append(query)
        self._fail()
        return self._response(_left(self._products(query.category), query), query.category, query)

    async def similar(self, query: IndexSimilar) -> IndexResponse:
        self.searches += 1
        self.queries.append(query)
        self._fail()
        if self.trouble_of_similar is not None:
            raise self.trouble_of_similar
        for category, products in self.held.items():
            if query.id in products:
                return self._response([key for key in _left(products, query) if key != query.id], category, query)
        raise UnknownProduct(query.id)

    async def vectors(self, query: IndexVectors) -> list[ProductVector]:
        self._fail()
        self.vector_queries.append(query)
        return [
            ProductVector(
                id=key, catalogue="default", category=number, vector=self.vectors_by_id.get(key, [1, 0, 0, 0])
            )
            for number, products in self.held.items()
            for key in products
            if key in query.ids
        ]

    async def sample(self, count: int, category: int | None, catalogues: Sequence[str]) -> IndexSample:
        self.searches += 1
        self.samples.append((count, category, tuple(catalogues)))
        self._fail()
        numbers = list(self.held) if category is None else [category]
        pairs = [(number, product) for number in numbers for product in self._products(number)]
        return IndexSample(
            products=[IndexedProduct(id=key, category=number, catalogue="default") for number, key in pairs[:count]]
        )

    def _catalogue(self, counts: dict[int, int], lag: float | None) -> CatalogueStatus:
        products = sum(counts.values())
        return CatalogueStatus(
            products=products,
            categories=[
                CategoryCount(
                    id=number, name=name, products=counts.get(number, 0), held=number in self.held, close_score=0.9
                )
                for number, name in enumerate(NAMES)
            ],
            models=self.models or [self._model(products, lag)],
            sync=SyncStatus(
                state="following",
                stale=False,
                loaded_from=None,
                lag_seconds=lag,
                applied=0,
                skipped=0,
                other_models=0,
                last_error=self.last_error,
                reconcile=NEVER_COMPARED,
            ),
        )

    def _model(self, products: int, lag: float | None) -> IndexedModel:
        return IndexedModel(
            model=self.model,
            role="active",
            complete=self.ready,
            products=products,
            state="following",
            lag_seconds=lag,
            without_vector=0,
        )

    def _products(self, category: int) -> list[str]:
        if category not in self.held:
            raise CategoryElsewhere(f"category {category} is not held here")
        return self.held[category]

    def _response(self, products: list[str], category: int, query: IndexQuery) -> IndexResponse:
        hits = [self._hit(product, category, with_vector=query.vectors) for product in products]
        return IndexResponse(
            category=category,
            hits=[hit for hit in hits if query.hide is None or not matches(query.hide, hit.attributes)],
            pinned=[
                self._hit(key, category, with_vector=query.vectors)
                for key in query.pinned
                if key in self.held[category]
            ],
            best_score=0.5,
            best_similarity=None,
            next_page=self.next_page,
            model="fashion/1",
            active="fashion/1",
            timings_ms={},
            unknown_attributes=self.unknown_attributes,
            engine=self.engine,
        )

    def _hit(self, key: str, category: int, *, with_vector: bool) -> Hit:
        vector = np.array(self.vectors_by_id.get(key, [1, 0, 0, 0]), np.float32) if with_vector else None
        return Hit(
            id=key,
            category=category,
            catalogue="default",
            score=0.5,
            image_url=self.image_url,
            attributes=self.attributes_by_id.get(key, {}),
            group=self.groups_by_id.get(key),
            vector=vector,
        )

    def _fail(self) -> None:
        if self.trouble is not None:
            raise self.trouble


def _left(products: Sequence[str], query: IndexQuery) -> list[str]:
    return [key for key in products if key not in query.exclude]
