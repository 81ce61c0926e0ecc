"""The index's HTTP API: search, similar, sample, status."""

import random
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Body
from fastapi import Query as QueryParam

from services.contracts.domain.catalogues import DEFAULT_CATALOGUE
from services.contracts.domain.errors import (
    CategoryElsewhere,
    IndexNotReady,
    InvalidRequest,
    ModelIndexMismatch,
    UnknownCategory,
    UnknownProduct,
)
from services.contracts.domain.facets import Facet
from services.contracts.web import telemetry
from services.contracts.web.problems import responses
from services.contracts.wire.index import (
    MAX_SAMPLE,
    CatalogueStatus,
    CategoryCount,
    Hit,
    IndexedModel,
    IndexedProduct,
    IndexResponse,
    IndexSample,
    IndexSearch,
    IndexSimilar,
    IndexStatus,
    ResultOptions,
)
from services.engine import multi_search
from services.engine.gallery import Query
from services.engine.multi_search import CatalogueMatch
from services.engine.payload import unpack
from services.index.models.model_index import CatalogueIndex, ModelIndex
from services.index.state import IndexState, State

router = APIRouter(prefix="/v1", tags=["index"])
VECTOR = [0.125] * 64
SEARCH_EXAMPLES: dict[str, Any] = {
    "plain": {"summary": "The ten nearest", "value": {"category": 0, "vector": VECTOR, "model": "fashion/2"}},
    "filtered": {
        "summary": "Blue or navy, up to 50 or on sale, without two products",
        "value": {
            "category": 0,
            "vector": VECTOR,
            "model": "fashion/2",
            "k": 5,
            "filter": {"baseColour": ["Blue", "Navy Blue"], "$or": [{"price": {"lte": 50}}, {"sale": True}]},
            "exclude": ["15970", "39386"],
            "min_score": 0.5,
        },
    },
}
SIMILAR_EXAMPLES: dict[str, Any] = {
    "plain": {"summary": "Ten products like one of the shop's", "value": {"id": "15970"}},
    "filtered": {"summary": "Five for men", "value": {"id": "15970", "k": 5, "filter": {"gender": "Men"}}},
}


@router.post(
    "/search",
    response_model=IndexResponse,
    summary="The products of a category that are nearest to a vector",
    responses=responses(InvalidRequest, UnknownCategory, CategoryElsewhere, IndexNotReady, ModelIndexMismatch),
)
async def search(state: State, query: Annotated[IndexSearch, Body(openapi_examples=SEARCH_EXAMPLES)]) -> IndexResponse:
    """Exact, best first, equal scores by id. A product comes once, with its best image. Fewer than `k` come back when
    fewer there are. `offset` and `k` choose a page; pages do not overlap while the products stay as they are.
    """
    held = state.models.held(query.model)
    galleries = held.galleries(query.catalogues)
    vector = np.asarray(query.vector, dtype=np.float32)
    found, took_ms = await state.search(
        lambda: multi_search.search(galleries, query.category, vector, _query(query, query.exclude)),
        filtered=bool(query.filter),
    )
    facets = await _facets(state, galleries, query.category, query)
    return _answer(state, held, query.category, query, found, took_ms, facets)


@router.post(
    "/similar",
    response_model=IndexResponse,
    summary="The products that are nearest to one of the index's own",
    responses=responses(InvalidRequest, UnknownProduct, IndexNotReady, ModelIndexMismatch),
)
async def similar(
    state: State, query: Annotated[IndexSimilar, Body(openapi_examples=SIMILAR_EXAMPLES)]
) -> IndexResponse:
    """Nearest to its main image, in its own category, itself left out. The database is not asked."""
    held = state.models.held(query.model)
    galleries = held.galleries(query.catalogues)
    (category, found), took_ms = await state.search(
        lambda: multi_search.similar(galleries, query.id, _query(query), query.catalogue), filtered=bool(query.filter)
    )
    facets = await _facets(state, galleries, category, query)
    return _answer(state, held, category, query, found, took_ms, facets)


@router.get(
    "/sample",
    response_model=IndexSample,
    summary="Some products, chosen by chance",
    responses=responses(InvalidRequest, UnknownCategory, CategoryElsewhere, IndexNotReady),
)
async def sample(
    state: State,
    count: Annotated[int, QueryParam(ge=1, le=MAX_SAMPLE, description="how many")] = 12,
    category: Annotated[int | None, QueryParam(ge=0, description="of this category only")] = None,
    catalogue: Annotated[list[str] | None, QueryParam(description="of these catalogues; default: `default`")] = None,
) -> IndexSample:
    """For pages that show what there is. Another call brings others."""
    galleries = state.models.active.galleries(catalogue or [DEFAULT_CATALOGUE])
    chosen = multi_search.sample(galleries, count, category, random.Random())
    return IndexSample(
        products=[
            IndexedProduct(id=key, category=number, catalogue=name, **unpack(payload))
            for name, number, key, payload in chosen
        ]
    )


@router.get("/status", response_model=IndexStatus, summary="What the index holds, and how it follows the database")
async def status(state: State) -> IndexStatus:
    """Always answers, before the first load and while the database is away as well."""
    active = state.models.active
    return IndexStatus(
        model=active.manifest.model_id,
        ready=active.is_complete,
        promoted=state.models.note.active,
        problems=state.models.problems,
        catalogues={name: _catalogue(state, name) for name in active.catalogues},
    )


def _catalogue(state: IndexState, name: str) -> CatalogueStatus:
    active = state.models.active
    shown, names = active.of(name), active.manifest.categories
    counts = shown.gallery.counts() if shown.is_complete else [0] * len(names)
    return CatalogueStatus(
        products=sum(counts),
        categories=[
            CategoryCount(
                id=number, name=of, products=count, held=number in state.held, close_score=_close(state, shown, number)
            )
            for number, (of, count) in enumerate(zip(names, counts, strict=True))
        ],
        models=[_indexed(state, held, held.of(name)) for held in state.models],
        sync=shown.follower.status(),
    )


def _indexed(state: IndexState, held: ModelIndex, shown: CatalogueIndex) -> IndexedModel:
    model, status = held.manifest.model_id, shown.follower.status()
    return IndexedModel(
        model=model,
        role=state.models.role(model),
        complete=held.is_complete,
        products=len(shown.gallery) if shown.is_complete else 0,
        state=status.state,
        lag_seconds=status.lag_seconds,
        without_vector=status.other_models,
    )


def _close(state: IndexState, shown: CatalogueIndex, category: int) -> float | None:
    scale = shown.calibrator.scale(category)
    return round(scale.close_score, 6) if scale and category in state.held else None


def _query(options: ResultOptions, exclude: Iterable[str] = ()) -> Query:
    """Return the query for the gallery; it asks for one result more than the page has, which says if there is a next page."""
    return Query(options.end + 1, options.filter, frozenset(exclude), options.min_score)


async def _facets(
    state: IndexState, galleries: multi_search.Galleries, category: int, options: ResultOptions
) -> list[Facet]:
    if not options.facets:
        return []
    return await state.aside(lambda: multi_search.facets(galleries, category, options.filter))


def _answer(
    state: IndexState,
    held: ModelIndex,
    category: int,
    page: ResultOptions,
    found: list[CatalogueMatch],
    took_ms: float,
    facets: list[Facet],
) -> IndexResponse:
    model = held.manifest.model_id
    similarities = _worth(held, category, found)
    shown = slice(page.offset, page.end)
    hits = [_hit(category, one, value) for one, value in zip(found[shown], similarities[shown], strict=True)]
    telemetry.note(category=category, k=page.k, offset=page.offset, hits=len(hits), model=model, search_ms=took_ms)
    return IndexResponse(
        category=category,
        hits=hits,
        best_score=round(found[0].match.score, 7) if found else None,
        best_similarity=similarities[0] if similarities else None,
        next_page=page.following() if len(found) > page.end else None,
        model=model,
        active=state.models.active.manifest.model_id,
        timings_ms={"search": took_ms},
        facets=facets,
    )


def _worth(held: ModelIndex, category: int, found: list[CatalogueMatch]) -> Sequence[float | None]:
    """Return how alike each match is, by the scale of its own catalogue; None where there is none."""
    similarities: list[float | None] = [None] * len(found)
    for name in {one.catalogue for one in found}:
        scale = held.of(name).calibrator.scale(category)
        places = [place for place, one in enumerate(found) if one.catalogue == name]
        values = scale.similarities([found[place].match.score for place in places]) if scale else []
        for place, value in zip(places, values, strict=False):
            similarities[place] = value
    return similarities


def _hit(category: int, found: CatalogueMatch, similarity: float | None) -> Hit:
    match = found.match
    return Hit(
        id=match.key,
        score=round(match.score, 7),
        similarity=similarity,
        category=category,
        catalogue=found.catalogue,
        image_index=match.image_index,
        **unpack(match.payload, match.image_index),
    )
