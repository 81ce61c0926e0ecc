"""Index nodes for the gateway's tests, without processes: each holds some categories, and fails when told to."""

from collections.abc import Sequence
from typing import Any

from services.contracts.domain.errors import CategoryElsewhere, LookalikeError, UnknownProduct
from services.contracts.wire.index import (
    CategoryCount,
    Hit,
    IndexAnswer,
    IndexedModel,
    IndexSample,
    IndexSearch,
    IndexSimilar,
    IndexStatus,
    Listed,
    ReconcileStatus,
    SyncStatus,
)

NAMES = ("Topwear", "Shoes", "Bags")
NEVER_COMPARED = ReconcileStatus(found=0, repaired=0, last_at=None, last_seconds=None, last_error=None)


class FakeIndex:
    """Answers as an index node does.

    `asked` and `looked_at` count searches and looks at its status; `trouble` is raised by every call while it is set.
    """

    def __init__(self, held: dict[int, list[str]], *, lag: float = 0.1) -> None:
        """Hold these categories, with the ids of their products."""
        self.address = "http://fake"
        self.held = held
        self.asked = self.looked_at = 0
        self.trouble: LookalikeError | None = None
        self.ready = True
        self.lag = lag
        self.model = "fashion/1"
        self.models: list[IndexedModel] = []

    async def close(self) -> None:
        """Nothing is open."""

    async def status(self) -> IndexStatus:
        self.looked_at += 1
        self._fail()
        sync: dict[str, Any] = dict.fromkeys(("stale", "loaded_from", "last_error"))
        counts = [len(self.held.get(number, ())) for number in range(len(NAMES))]
        return IndexStatus(
            model=self.model,
            models=self.models,
            ready=self.ready,
            products=sum(counts),
            categories=[
                CategoryCount(id=number, name=name, products=counts[number], held=number in self.held)
                for number, name in enumerate(NAMES)
            ],
            sync=SyncStatus(
                **{**sync, "stale": False},
                state="following",
                lag_seconds=self.lag,
                applied=0,
                skipped=0,
                other_models=0,
                reconcile=NEVER_COMPARED,
            ),
        )

    async def search(self, query: IndexSearch) -> IndexAnswer:
        self.asked += 1
        self._fail()
        return self._answer(self._products(query.category), query.category)

    async def similar(self, query: IndexSimilar) -> IndexAnswer:
        self.asked += 1
        self._fail()
        for category, products in self.held.items():
            if query.id in products:
                return self._answer([one for one in products if one != query.id], category)
        raise UnknownProduct(query.id)

    async def sample(self, count: int, category: int | None, catalogues: Sequence[str] = ()) -> IndexSample:
        self.asked += 1
        self._fail()
        numbers = list(self.held) if category is None else [category]
        found = [(number, product) for number in numbers for product in self._products(number)]
        return IndexSample(products=[Listed(id=product, category=number) for number, product in found[:count]])

    def _products(self, category: int) -> list[str]:
        if category not in self.held:
            raise CategoryElsewhere(f"category {category} is not held here")
        return self.held[category]

    def _answer(self, products: list[str], category: int) -> IndexAnswer:
        hits = [Hit(id=product, category=category, score=0.5) for product in products]
        return IndexAnswer(
            category=category,
            hits=hits,
            best_score=0.5,
            best_similarity=None,
            next_page=None,
            model="fashion/1",
            active="fashion/1",
            timings_ms={},
        )

    def _fail(self) -> None:
        if self.trouble is not None:
            raise self.trouble
