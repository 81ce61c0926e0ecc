"""Routes that tell what the installation holds."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.catalogue.store.notes import LAST_EXAMINATION, LAST_IMPORT
from services.contracts.domain import errors
from services.contracts.domain.catalogues import path_of
from services.contracts.web.problems import responses
from services.contracts.wire.index import MAX_SAMPLE, IndexStatus
from services.gateway.index_nodes.overview import seen
from services.gateway.search.responses import (
    CatalogueAnswer,
    CatalogueName,
    CataloguesAnswer,
    CategoriesAnswer,
    CategoryView,
    IndexNodeView,
    SampleAnswer,
    StatsAnswer,
)
from services.gateway.state import Admitted, Authorised, GatewayState, State

router = APIRouter(prefix="/v1", tags=["catalogue"])
_FAILS = responses(errors.IndexNotReady, errors.UpstreamTimeout)


@router.get("/categories", response_model=CategoriesAnswer, summary="The categories", responses=_FAILS)
async def categories(state: State) -> CategoriesAnswer:
    status = await state.status()
    return CategoriesAnswer(model=status.model, categories=_views(status))


@router.get("/stats", response_model=StatsAnswer, summary="Counts, model and sync", responses=_FAILS)
async def stats(state: State) -> StatsAnswer:
    return StatsAnswer(**_facts(await state.status(), state))


@router.get("/catalogues", response_model=CataloguesAnswer, summary="The catalogues", responses=_FAILS)
async def catalogues(state: State) -> CataloguesAnswer:
    counts = await state.index.counts(state.settings.catalogues)
    return CataloguesAnswer(
        catalogues=[CatalogueName(name=name, products=count, path=path_of(name)) for name, count in counts.items()]
    )


@router.get(
    "/catalogue",
    response_model=CatalogueAnswer,
    dependencies=[Authorised],
    summary="What the page for the shop's engineers shows",
    responses=responses(errors.Unauthorised, errors.IndexNotReady, errors.UpstreamTimeout),
)
async def catalogue(state: State) -> CatalogueAnswer:
    store = state.products.store
    facts = _facts(await state.status(), state)
    try:
        notes = await store.notes.get(LAST_IMPORT), await store.notes.get(LAST_EXAMINATION)
    except errors.CatalogueUnavailable:  # the counts are worth showing without them
        notes = None, None
    return CatalogueAnswer(**facts, last_import=notes[0], last_examination=notes[1])


@router.get(
    "/products",
    response_model=SampleAnswer,
    dependencies=[Admitted],
    summary="A few products, chosen by chance",
    responses=responses(
        errors.InvalidRequest,
        errors.UnknownCategory,
        errors.TooManyRequests,
        errors.IndexNotReady,
        errors.UpstreamTimeout,
    ),
)
async def sample(
    state: State,
    sample: Annotated[int, Query(ge=1, le=MAX_SAMPLE, description="how many")] = 12,
    category: Annotated[str | None, Query(description="of this category only: its name or id")] = None,
) -> SampleAnswer:
    return SampleAnswer(products=await state.search.sample(sample, category))


def _facts(status: IndexStatus, state: GatewayState) -> dict[str, Any]:
    state.search.models.told(status.model)  # so that what is told here holds for the next search
    return {
        "model": status.model,
        "promoted": status.promoted,
        "models": status.models,
        "products": status.products,
        "categories": _views(status),
        "sync": status.sync.model_dump(),
        "index_nodes": [IndexNodeView.of(seen(node, state.search.catalogues)) for node in state.index.nodes],
        "uptime_seconds": round(time.monotonic() - state.started, 1),
    }


def _views(status: IndexStatus) -> list[CategoryView]:
    return [
        CategoryView(id=c.id, name=c.name, products=c.products, searchable=c.held, close_score=c.close_score)
        for c in status.categories
    ]
