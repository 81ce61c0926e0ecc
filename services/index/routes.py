"""The index's HTTP API: search, similar, sample, status."""

import random
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Body, Request
from fastapi import Query as QueryParam
from starlette.responses import Response

from services.contracts.domain.catalogues import DEFAULT_CATALOGUE
from services.contracts.domain.errors import (
    CategoryElsewhere,
    IndexNotReady,
    InvalidRequest,
    ModelIndexMismatch,
    RequestTooLarge,
    UnknownCategory,
    UnknownProduct,
    UpstreamTimeout,
)
from services.contracts.domain.filtering.filters import Filter
from services.contracts.web.bodies.json_body import JsonBodyRoute
from services.contracts.web.problems import responses
from services.contracts.web.requests.disconnect import until_disconnected
from services.contracts.wire.index import (
    MAX_REVISION_WAIT_S,
    MAX_SAMPLE,
    CatalogueStatus,
    CategoryCount,
    IndexedModel,
    IndexedProduct,
    IndexQuery,
    IndexResponse,
    IndexRevision,
    IndexSample,
    IndexSearch,
    IndexSimilar,
    IndexStatus,
    IndexVectors,
    ProductVector,
    ResultOptions,
    VectorsResponse,
)
from services.engine import multi_search
from services.engine.deadline import Deadline
from services.engine.gallery import Query
from services.engine.payload import unpack
from services.index.models.model_index import CatalogueIndex, ModelIndex
from services.index.search_response import Counts, FoundProducts, part_response, search_response
from services.index.state import IndexState, State

router = APIRouter(prefix="/v1", tags=["index"], route_class=JsonBodyRoute)
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
    responses=responses(
        InvalidRequest,
        RequestTooLarge,
        UnknownCategory,
        CategoryElsewhere,
        IndexNotReady,
        ModelIndexMismatch,
        UpstreamTimeout,
    ),
)
async def search(state: State, query: Annotated[IndexSearch, Body(openapi_examples=SEARCH_EXAMPLES)]) -> Response:
    """The search is exact: best first, equal scores by id. A product is returned once, with its best image. `offset`
    and `k` choose a page. Pages do not overlap as long as the products do not change.
    """
    state.check_part(query.part)
    model_index = state.models.held(query.model)
    galleries = model_index.galleries(query.catalogues)
    vector = np.asarray(query.vector, dtype=np.float32)
    itself = None if query.vector_of is None else (query.vector_of.catalogue, query.vector_of.id)
    deadline, wanted = state.deadline(), _filter(query)
    await state.prepare(galleries, query.category, wanted, deadline, facets=query.facets)
    matches, duration_ms = await state.search(
        lambda: multi_search.search(galleries, query.category, vector, _query(query, deadline), itself),
        deadline,
        filtered=bool(wanted),
        rows=multi_search.rows(galleries, query.category),
    )
    counts = await _counts(state, galleries, query.category, query, deadline)
    unknown = await _unknown_attributes(state, galleries, query.category, query)
    pinned = multi_search.named(galleries, query.category, vector, query.pinned) if query.pinned else []
    respond = search_response if query.part.is_whole else part_response
    return respond(
        state, model_index, query.category, query, FoundProducts(matches, pinned, duration_ms), counts, unknown
    )


@router.post(
    "/similar",
    response_model=IndexResponse,
    summary="The products that are nearest to a product of the index",
    responses=responses(
        InvalidRequest,
        RequestTooLarge,
        UnknownProduct,
        CategoryElsewhere,
        IndexNotReady,
        ModelIndexMismatch,
        UpstreamTimeout,
    ),
)
async def similar(state: State, query: Annotated[IndexSimilar, Body(openapi_examples=SIMILAR_EXAMPLES)]) -> Response:
    """The products nearest to its main image, in its category, without the product itself. The database is not read.

    A node that holds a part of each category refuses: the product's vector and a search of all parts take its place.
    """
    state.check_part(query.part)
    if not query.part.is_whole:
        raise CategoryElsewhere(f"this node holds part {state.part} of each category: ask for the vector, and search")
    model_index = state.models.held(query.model)
    galleries = model_index.galleries(query.catalogues)
    deadline, wanted = state.deadline(), _filter(query)
    category = multi_search.category_of(galleries, query.id, query.catalogue)
    await state.prepare(galleries, category, wanted, deadline, facets=query.facets)
    (category, matches), duration_ms = await state.search(
        lambda: multi_search.similar(galleries, query.id, _query(query, deadline), query.catalogue),
        deadline,
        filtered=bool(wanted),
        rows=multi_search.rows(galleries, category),
    )
    counts = await _counts(state, galleries, category, query, deadline)
    unknown = await _unknown_attributes(state, galleries, category, query)
    pinned = multi_search.named_like(galleries, query.id, query.pinned, query.catalogue) if query.pinned else []
    return search_response(
        state, model_index, category, query, FoundProducts(matches, pinned, duration_ms), counts, unknown
    )


@router.post(
    "/vectors",
    response_model=VectorsResponse,
    summary="The vectors of products",
    responses=responses(InvalidRequest, RequestTooLarge, IndexNotReady, ModelIndexMismatch),
)
async def vectors(state: State, query: IndexVectors) -> VectorsResponse:
    """The vector of each product's main image, of the first catalogue that has it. Unknown products are left out."""
    galleries = state.models.held(query.model).galleries(query.catalogues)
    products = [
        ProductVector(id=key, catalogue=name, category=category, vector=vector.tolist())
        for key in query.ids
        for name, category, vector in multi_search.find(galleries, key)
    ]
    return VectorsResponse(vectors=products)


@router.get(
    "/sample",
    response_model=IndexSample,
    summary="Random products",
    responses=responses(InvalidRequest, UnknownCategory, CategoryElsewhere, IndexNotReady),
)
async def sample(
    state: State,
    count: Annotated[int, QueryParam(ge=1, le=MAX_SAMPLE, description="the number of products")] = 12,
    category: Annotated[int | None, QueryParam(ge=0, description="of this category only")] = None,
    catalogue: Annotated[list[str] | None, QueryParam(description="of these catalogues; default: `default`")] = None,
) -> IndexSample:
    """Random products, others at each call."""
    galleries = state.models.active.galleries(catalogue or [DEFAULT_CATALOGUE])
    products = multi_search.sample(galleries, count, category, random.Random())
    return IndexSample(
        products=[
            IndexedProduct(id=key, category=number, catalogue=name, **unpack(payload))
            for name, number, key, payload in products
        ]
    )


@router.get(
    "/revision",
    response_model=IndexRevision,
    summary="The revision of what searches see",
    responses=responses(InvalidRequest),
)
async def revision(
    request: Request,
    state: State,
    after: Annotated[str | None, QueryParam(description="a known revision: wait for another one")] = None,
    wait_s: Annotated[float, QueryParam(ge=0, le=MAX_REVISION_WAIT_S, description="how long, in seconds")] = 0.0,
) -> IndexRevision:
    """As long as it is the same, so is the result of every search. It is null where Milvus holds the products."""
    if state.revision is None:
        return IndexRevision(revision=None)
    if after is None:
        return IndexRevision(revision=str(state.revision))
    return IndexRevision(revision=await until_disconnected(request, state.revision.after(after, wait_s)))


@router.get(
    "/status",
    response_model=IndexStatus,
    response_model_exclude_unset=True,  # a gateway of the version before parts knows no `part`
    summary="What the index holds, and how it follows the database",
)
async def status(state: State) -> IndexStatus:
    """It is available before the first load and while the database is unavailable."""
    active = state.models.active
    return IndexStatus(
        model=active.manifest.model_id,
        ready=active.is_complete,
        promoted=state.models.note.active,
        problems=state.models.problems,
        catalogues={name: _catalogue(state, name) for name in active.catalogues},
        **({} if state.part.is_whole else {"part": state.part}),
        **({} if state.engine == "faiss" else {"engine": state.engine}),
    )


def _catalogue(state: IndexState, name: str) -> CatalogueStatus:
    active = state.models.active
    catalogue, names = active.of(name), active.manifest.categories
    counts = catalogue.gallery.counts() if catalogue.is_complete else [0] * len(names)
    return CatalogueStatus(
        products=sum(counts),
        categories=[
            CategoryCount(
                id=number,
                name=category,
                products=count,
                held=number in state.held,
                close_score=_close_score(state, catalogue, number),
            )
            for number, (category, count) in enumerate(zip(names, counts, strict=True))
        ],
        models=[_model_status(state, model_index, model_index.of(name)) for model_index in state.models],
        sync=catalogue.follower.status(),
    )


def _model_status(state: IndexState, model_index: ModelIndex, catalogue: CatalogueIndex) -> IndexedModel:
    model, status = model_index.manifest.model_id, catalogue.follower.status()
    return IndexedModel(
        model=model,
        role=state.models.role(model),
        complete=model_index.is_complete,
        products=len(catalogue.gallery) if catalogue.is_complete else 0,
        state=status.state,
        lag_seconds=status.lag_seconds,
        without_vector=status.other_models,
    )


def _close_score(state: IndexState, catalogue: CatalogueIndex, category: int) -> float | None:
    scale = catalogue.calibrator.scale(category)
    return round(scale.close_score, 6) if scale and category in state.held else None


def _filter(query: IndexQuery) -> Filter:
    """Return what the products of a search have to meet."""
    return query.filter.leaving_out(query.hide)


def _query(query: IndexQuery, deadline: Deadline) -> Query:
    """Return the gallery's query: one result more than the page has, which shows whether there is a next page."""
    return Query(query.end + 1, _filter(query), frozenset(query.exclude), query.min_score, deadline, query.group_by)


async def _counts(
    state: IndexState, galleries: multi_search.Galleries, category: int, query: IndexQuery, deadline: Deadline
) -> Counts:
    if not query.facets:
        return Counts()
    wanted = _filter(query)
    counted = multi_search.facets if state.part.is_whole else multi_search.facet_summary
    return await state.run_in_thread(
        lambda: Counts(
            counted(galleries, category, wanted, deadline),
            multi_search.count(galleries, category, wanted, deadline),
        )
    )


async def _unknown_attributes(
    state: IndexState, galleries: multi_search.Galleries, category: int, options: ResultOptions
) -> list[str]:
    """Return the attributes of a filter that no product of the category has."""
    names = options.filter.attributes
    return await state.run_in_thread(lambda: multi_search.lacking(galleries, category, names)) if names else []
