"""A search uses one model from its beginning to its end, even if another is promoted in the meantime."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from services.contracts.domain.box import Box
from services.contracts.domain.errors import (
    DetectorUnavailable,
    EmbeddingUnavailable,
    IndexNotReady,
    LookalikeError,
    ModelIndexMismatch,
    UnknownModel,
)
from services.contracts.wire.embedding import Category, DetectionResponse, EmbeddingResponse, ModelFacts
from services.contracts.wire.index import IndexResponse, IndexSearch, IndexSimilar
from services.gateway.search import model_binding as module
from services.gateway.search.examples import PhotoQuery
from services.gateway.search.links import Links
from services.gateway.search.model_binding import ModelBinding
from services.gateway.search.options import PhotoOptions, SimilarOptions
from services.gateway.search.service import SearchService

ONE, TWO = "fashion/1", "fashion/2"
NAMES = ["Topwear", "Shoes"]


@dataclass
class Embedding:
    """Predicts a shoe for every photo. `during` is called while a photo is in the network."""

    models: list[str | None] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    during: Callable[[], None] = lambda: None

    async def embed(self, data: bytes, model: str | None = None, *, box: Box | None = None) -> EmbeddingResponse:
        self.models.append(model)
        self.during()
        assert model is not None
        if model in self.gone:
            raise UnknownModel(f"there is no model {model}")
        category = Category(id=1, name="Shoes", probability=0.9)
        return EmbeddingResponse(
            category=category, probabilities={"Topwear": 0.1, "Shoes": 0.9}, vector=[1.0], model=model, timings_ms={}
        )

    async def detect(self, data: bytes) -> DetectionResponse:
        raise DetectorUnavailable("the detector is not available")

    async def model(self, model: str | None = None) -> ModelFacts:
        thresholds = {"no_clothing": 0.95 if model == TWO else 0.1}
        return ModelFacts(model=model or ONE, categories=NAMES, dimension=1, input={}, thresholds=thresholds)


@dataclass
class Index:
    """Holds models, one of them active. Every score is 0.5."""

    active: str = ONE
    held: set[str] = field(default_factory=lambda: {ONE, TWO})
    models: list[str | None] = field(default_factory=list)
    statuses: int = 0
    trouble: LookalikeError | None = None

    have_other_engines = False

    async def search(self, query: IndexSearch, engine: str | None) -> IndexResponse:
        return self._response(query.model)

    async def similar(self, query: IndexSimilar, engine: str | None) -> IndexResponse:
        return self._response(query.model or self.active)

    async def status(self) -> Any:
        self.statuses += 1
        if self.trouble:
            raise self.trouble
        categories = [SimpleNamespace(name=name) for name in NAMES]
        return SimpleNamespace(model=self.active, catalogues={"default": SimpleNamespace(categories=categories)})

    def _response(self, model: str) -> IndexResponse:
        self.models.append(model)
        if self.trouble:
            raise self.trouble
        if model not in self.held:
            raise ModelIndexMismatch(f"the query's vector is of {model}")
        hits: list[Any] = [{"id": "1", "catalogue": "default", "category": 1, "score": 0.5}]
        return IndexResponse(
            category=1,
            hits=hits,
            best_score=0.5,
            best_similarity=0.8,
            next_page=None,
            model=model,
            active=self.active,
            timings_ms={},
        )


@pytest.fixture
def embedding() -> Embedding:
    return Embedding()


@pytest.fixture
def index() -> Index:
    return Index()


@pytest.fixture
def service(embedding: Embedding, index: Index) -> SearchService:
    binding = ModelBinding(embedding, index)  # type: ignore[arg-type]
    return SearchService(embedding, index, Links(), binding, ("default",))  # type: ignore[arg-type]


async def search(service: SearchService) -> str:
    return (await service.by_image(PhotoQuery(b"photo"), PhotoOptions())).model


async def test_embedding_and_index_are_called_with_the_same_model(
    service: SearchService, embedding: Embedding, index: Index
) -> None:
    assert await search(service) == ONE
    assert (embedding.models, index.models) == ([ONE], [ONE])


async def test_a_search_under_way_ends_with_the_model_it_began_with_and_the_next_takes_the_new_one(
    service: SearchService, embedding: Embedding, index: Index
) -> None:
    def promote() -> None:
        index.active = TWO

    embedding.during = promote
    assert [await search(service), await search(service)] == [ONE, TWO]
    assert embedding.models == index.models == [ONE, TWO]
    assert index.statuses == 2  # at the start, and after a response named another model


async def test_each_models_own_thresholds_judge_its_results(service: SearchService, index: Index) -> None:
    assert (await service.by_image(PhotoQuery(b"photo"), PhotoOptions())).outcome == "ok"
    index.active = TWO
    await service.binding.refresh()
    assert (await service.by_image(PhotoQuery(b"photo"), PhotoOptions())).outcome == "no_clothing"


async def test_after_a_pause_the_active_model_is_read_before_the_search(
    service: SearchService, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await search(service) == ONE
    index.active = TWO
    monkeypatch.setattr(module, "FRESH_S", 0.0)
    assert await search(service) == TWO
    assert index.models == [ONE, TWO]


async def test_a_search_whose_model_was_removed_starts_again_with_the_new_one(
    service: SearchService, embedding: Embedding, index: Index
) -> None:
    await search(service)
    index.active, index.held = TWO, {TWO}
    assert await search(service) == TWO
    assert (embedding.models, index.models) == ([ONE, ONE, TWO], [ONE, ONE, TWO])


async def test_a_search_whose_models_directory_was_removed_starts_again(
    service: SearchService, embedding: Embedding, index: Index
) -> None:
    await search(service)
    index.active, embedding.gone = TWO, {ONE}
    assert await search(service) == TWO


async def test_an_index_without_its_active_model_is_an_error(service: SearchService, index: Index) -> None:
    index.held = {TWO}
    with pytest.raises(ModelIndexMismatch):
        await search(service)
    assert index.models == [ONE]


async def test_the_last_known_model_stays_active_while_the_index_is_unavailable(
    service: SearchService, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.trouble = IndexNotReady("unavailable")
    with pytest.raises(IndexNotReady):
        await service.binding.active()
    index.trouble = None
    await search(service)
    monkeypatch.setattr(module, "FRESH_S", 0.0)
    index.trouble = IndexNotReady("unavailable")
    assert await service.binding.active() == ONE


async def test_similar_products_are_those_of_the_active_model_and_observe_a_switch(
    service: SearchService, index: Index
) -> None:
    assert (await service.by_product("1", SimilarOptions())).model == ONE
    index.active = TWO
    assert (await service.by_product("1", SimilarOptions())).model == TWO
    assert await service.binding.active() == TWO


async def test_the_facts_of_a_model_are_read_once(embedding: Embedding, index: Index) -> None:
    models: list[str] = []

    async def model(name: str) -> ModelFacts:
        models.append(name)
        if len(models) == 1:
            raise EmbeddingUnavailable("starting")
        return ModelFacts(model=name, categories=NAMES, dimension=1, input={}, thresholds={})

    binding = ModelBinding(SimpleNamespace(model=model), index)  # type: ignore[arg-type]
    with pytest.raises(EmbeddingUnavailable):
        await binding.facts(TWO)
    assert (await binding.facts(TWO)).model == (await binding.facts(TWO)).model == TWO
    assert (await binding.serving_facts()).model == ONE
    assert models == [TWO, TWO, ONE]


async def test_products_are_written_and_shown_while_the_index_is_unavailable(
    embedding: Embedding, index: Index
) -> None:
    index.trouble = IndexNotReady("unavailable")
    binding = ModelBinding(embedding, index)  # type: ignore[arg-type]
    assert (await binding.serving_facts()).model == ONE
    assert (await binding.serving_facts(TWO)).model == TWO
