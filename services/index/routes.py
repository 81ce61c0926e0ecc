"""The index's HTTP API: search, similar, status."""

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Body

from services.contracts import telemetry
from services.contracts.errors import (
    IndexNotReady,
    InvalidRequest,
    ModelIndexMismatch,
    UnknownCategory,
    UnknownProduct,
)
from services.contracts.problems import responses
from services.contracts.wire import (
    CategoryCount,
    Hit,
    IndexAnswer,
    IndexSearch,
    IndexSimilar,
    IndexStatus,
)
from services.index.gallery import Query
from services.index.payload import unpack
from services.index.state import IndexState, State
from services.index.view import Match

router = APIRouter(prefix="/v1", tags=["index"])
VECTOR = [0.125] * 64
SEARCH_EXAMPLES: dict[str, Any] = {
    "plain": {"summary": "The ten nearest", "value": {"category": 0, "vector": VECTOR, "model": "fashion/1"}},
    "filtered": {
        "summary": "Blue or navy, up to 50, without two products",
        "value": {
            "category": 0,
            "vector": VECTOR,
            "model": "fashion/1",
            "k": 5,
            "filter": {"baseColour": ["Blue", "Navy Blue"], "price": {"lte": 50}},
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
    response_model=IndexAnswer,
    summary="The products of a category that are nearest to a vector",
    responses=responses(InvalidRequest, UnknownCategory, IndexNotReady, ModelIndexMismatch),
)
async def search(state: State, query: Annotated[IndexSearch, Body(openapi_examples=SEARCH_EXAMPLES)]) -> IndexAnswer:
    """Exact, best first, equal scores by id. Fewer than `k` come back when fewer there are."""
    if query.model != state.manifest.model_id:
        raise ModelIndexMismatch(f"the query's vector is of {query.model}, the index holds {state.manifest.model_id}")
    gallery = state.gallery
    vector = np.asarray(query.vector, dtype=np.float32)
    wanted = Query(query.k, query.filter, frozenset(query.exclude), query.min_score)
    found, took_ms = await state.search(
        lambda: gallery.search(query.category, vector, wanted), filtered=bool(query.filter)
    )
    return _answer(state, query.category, found, query.k, took_ms)


@router.post(
    "/similar",
    response_model=IndexAnswer,
    summary="The products that are nearest to one of the index's own",
    responses=responses(InvalidRequest, UnknownProduct, IndexNotReady),
)
async def similar(state: State, query: Annotated[IndexSimilar, Body(openapi_examples=SIMILAR_EXAMPLES)]) -> IndexAnswer:
    """In the product's own category, itself left out. The database is not asked."""
    gallery = state.gallery
    wanted = Query(query.k, query.filter, frozenset(), query.min_score)
    (category, found), took_ms = await state.search(
        lambda: gallery.similar(query.id, wanted), filtered=bool(query.filter)
    )
    return _answer(state, category, found, query.k, took_ms)


@router.get("/status", response_model=IndexStatus, summary="What the index holds, and how it follows the database")
async def status(state: State) -> IndexStatus:
    """Always answers, before the first load and while the database is away as well."""
    names = state.manifest.categories
    mirror = state.follower.mirror
    counts = mirror.gallery.counts() if mirror else [0] * len(names)
    return IndexStatus(
        model=state.manifest.model_id,
        products=sum(counts),
        categories=[
            CategoryCount(id=number, name=name, products=count)
            for number, (name, count) in enumerate(zip(names, counts, strict=True))
        ],
        sync=state.follower.status(),
    )


def _answer(state: IndexState, category: int, found: list[Match], k: int, took_ms: float) -> IndexAnswer:
    model = state.manifest.model_id
    telemetry.note(category=category, k=k, hits=len(found), model=model, search_ms=took_ms)
    hits = [
        Hit(id=match.key, score=round(match.score, 7), category=category, **unpack(match.payload)) for match in found
    ]
    return IndexAnswer(category=category, hits=hits, model=model, timings_ms={"search": took_ms})
