"""A search is bound to one model from its beginning to its end, whatever is promoted meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from services.contracts.domain.box import Box
from services.contracts.domain.errors import (
    EmbeddingUnavailable,
    IndexNotReady,
    LookalikeError,
    ModelIndexMismatch,
    UnknownModel,
)
from services.contracts.wire.embedding import Category, EmbeddingResponse, ModelFacts
from services.contracts.wire.index import IndexResponse, IndexSearch, IndexSimilar
from services.gateway.search import model_binding as module
from services.gateway.search.links import Links
from services.gateway.search.model_binding import ModelBinding
from services.gateway.search.options import PhotoOptions, SimilarOptions
from services.gateway.search.service import SearchService

ONE, TWO = "fashion/1", "fashion/2"
NAMES = ["Topwear", "Shoes"]


@dataclass
class Embedding:
    """Sees a shoe in everything. `during` is called while a photo is in the network."""

    asked: list[str | None] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    during: Callable[[], None] = lambda: None

    async def embed(self, data: bytes, model: str | None = None, *, box: Box | None = None) -> EmbeddingResponse:
        self.asked.append(model)
        self.during()
        assert model is not None
        if model in self.gone:
            raise UnknownModel(f"there is no model {model}")
        seen = Category(id=1, name="Shoes", probability=0.9)
        return EmbeddingResponse(
            category=seen, probabilities={"Topwear": 0.1, "Shoes": 0.9}, vector=[1.0], model=model, timings_ms={}
        )

    async def model(self, model: str | None = None) -> ModelFacts:
        thresholds = {"no_clothing": 0.95 if model == TWO else 0.1}
        return ModelFacts(model=model or ONE, categories=NAMES, dimension=1, input={}, thresholds=thresholds)


@dataclass
class Index:
    """Holds models, one of which is active; answers with a score of 0.5."""

    active: str = ONE
    held: set[str] = field(default_factory=lambda: {ONE, TWO})
    asked: list[str | None] = field(default_factory=list)
    statuses: int = 0
    away: LookalikeError | None = None

    async def search(self, query: IndexSearch) -> IndexResponse:
        return self._answer(query.model)

    async def similar(self, query: IndexSimilar) -> IndexResponse:
        return self._answer(query.model or self.active)

    async def status(self) -> Any:
        self.statuses += 1
        if self.away:
            raise self.away
        categories = [SimpleNamespace(name=name) for name in NAMES]
        return SimpleNamespace(model=self.active, catalogues={"default": SimpleNamespace(categories=categories)})

    def _answer(self, model: str) -> IndexResponse:
        self.asked.append(model)
        if self.away:
            raise self.away
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
    return (await service.by_image(b"photo", PhotoOptions())).model


async def test_embedding_and_index_are_asked_for_the_same_model(
    service: SearchService, embedding: Embedding, index: Index
) -> None:
    assert await search(service) == ONE
    assert (embedding.asked, index.asked) == ([ONE], [ONE])


async def test_a_search_under_way_ends_with_the_model_it_began_with_and_the_next_takes_the_new_one(
    service: SearchService, embedding: Embedding, index: Index
) -> None:
    def promote() -> None:
        index.active = TWO

    embedding.during = promote
    assert [await search(service), await search(service)] == [ONE, TWO]
    assert embedding.asked == index.asked == [ONE, TWO]
    assert index.statuses == 2  # at the start, and once an answer named another model


async def test_each_models_own_thresholds_judge_its_results(service: SearchService, index: Index) -> None:
    assert (await service.by_image(b"photo", PhotoOptions())).outcome == "ok"
    index.active = TWO
    await service.binding.refresh()
    assert (await service.by_image(b"photo", PhotoOptions())).outcome == "no_clothing"


async def test_after_a_pause_the_index_is_asked_before_the_search_begins(
    service: SearchService, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await search(service) == ONE
    index.active = TWO
    monkeypatch.setattr(module, "FRESH_S", 0.0)
    assert await search(service) == TWO
    assert index.asked == [ONE, TWO]


async def test_a_model_that_was_forgotten_meanwhile_makes_the_search_begin_again_with_the_new_one(
    service: SearchService, embedding: Embedding, index: Index
) -> None:
    await search(service)
    index.active, index.held = TWO, {TWO}
    assert await search(service) == TWO
    assert (embedding.asked, index.asked) == ([ONE, ONE, TWO], [ONE, ONE, TWO])


async def test_so_does_a_model_whose_directory_is_gone(
    service: SearchService, embedding: Embedding, index: Index
) -> None:
    await search(service)
    index.active, embedding.gone = TWO, {ONE}
    assert await search(service) == TWO


async def test_an_index_that_holds_another_model_than_it_says_is_told_as_it_is(
    service: SearchService, index: Index
) -> None:
    index.held = {TWO}
    with pytest.raises(ModelIndexMismatch):
        await search(service)
    assert index.asked == [ONE]


async def test_an_index_that_is_away_leaves_the_last_word_valid_and_says_why_without_one(
    service: SearchService, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.away = IndexNotReady("away")
    with pytest.raises(IndexNotReady):
        await service.binding.active()
    index.away = None
    await search(service)
    monkeypatch.setattr(module, "FRESH_S", 0.0)
    index.away = IndexNotReady("away")
    assert await service.binding.active() == ONE


async def test_similar_products_are_those_of_the_active_model_and_tell_of_a_switch(
    service: SearchService, index: Index
) -> None:
    assert (await service.by_product("1", SimilarOptions())).model == ONE
    index.active = TWO
    assert (await service.by_product("1", SimilarOptions())).model == TWO
    assert await service.binding.active() == TWO


async def test_facts_of_a_model_are_asked_for_once(embedding: Embedding, index: Index) -> None:
    asked: list[str] = []

    async def model(name: str) -> ModelFacts:
        asked.append(name)
        if len(asked) == 1:
            raise EmbeddingUnavailable("starting")
        return ModelFacts(model=name, categories=NAMES, dimension=1, input={}, thresholds={})

    binding = ModelBinding(SimpleNamespace(model=model), index)  # type: ignore[arg-type]
    with pytest.raises(EmbeddingUnavailable):
        await binding.facts(TWO)
    assert (await binding.facts(TWO)).model == (await binding.facts(TWO)).model == TWO
    assert (await binding.serving_facts()).model == ONE
    assert asked == [TWO, TWO, ONE]


async def test_products_are_written_and_shown_while_the_index_is_away(embedding: Embedding, index: Index) -> None:
    index.away = IndexNotReady("away")
    binding = ModelBinding(embedding, index)  # type: ignore[arg-type]
    assert (await binding.serving_facts()).model == ONE
    assert (await binding.serving_facts(TWO)).model == TWO
