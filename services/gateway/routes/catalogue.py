"""Routes that say what the installation holds."""

import time
from typing import Any

from fastapi import APIRouter, Request

from services.catalogue.store.notes import LAST_EXAMINATION, LAST_IMPORT
from services.contracts.domain import errors
from services.contracts.domain.catalogues import path_of
from services.contracts.web.problems import responses
from services.gateway.access.guard import allowed_catalogues
from services.gateway.index_nodes.overview import combined
from services.gateway.index_nodes.responses import (
    CatalogueResponse,
    CataloguesResponse,
    CatalogueSummary,
    CategoriesResponse,
    IndexNodeSummary,
    StatsResponse,
    category_summaries,
)
from services.gateway.state import GatewayState, State

router = APIRouter(prefix="/v1", tags=["catalogue"])
_ERRORS = responses(errors.IndexNotReady, errors.UpstreamTimeout)


@router.get("/categories", response_model=CategoriesResponse, summary="List the categories", responses=_ERRORS)
async def list_categories(state: State) -> CategoriesResponse:
    """Each category with its number of products."""
    status = await state.index.status()
    return CategoriesResponse(
        model=status.model, categories=category_summaries(combined(status, state.search.catalogues))
    )


@router.get("/stats", response_model=StatsResponse, summary="Get counts, models and sync", responses=_ERRORS)
async def get_stats(state: State) -> StatsResponse:
    """What the index holds of the catalogue, and how it follows the database."""
    return StatsResponse(**await _stats(state))


@router.get("/catalogues", response_model=CataloguesResponse, summary="List the catalogues", responses=_ERRORS)
async def list_catalogues(request: Request, state: State) -> CataloguesResponse:
    """Each catalogue that the key opens, with its number of products and the prefix of its addresses."""
    status = await state.index.status()
    return CataloguesResponse(
        catalogues=[
            CatalogueSummary(name=name, products=combined(status, (name,)).products, path=path_of(name))
            for name in allowed_catalogues(request, state.settings.catalogues)
        ]
    )


@router.get(
    "/catalogue",
    response_model=CatalogueResponse,
    summary="Get the catalogue page's data",
    responses=responses(errors.Unauthorised, errors.IndexNotReady, errors.UpstreamTimeout),
)
async def get_catalogue(state: State) -> CatalogueResponse:
    """The stats, the summary of the last import and the last report of `lookalike doctor`."""
    store = state.products.store
    stats = await _stats(state)
    try:
        notes = await store.notes.get(LAST_IMPORT), await store.notes.get(LAST_EXAMINATION)
    except errors.CatalogueUnavailable:  # the counts are useful without the notes
        notes = None, None
    return CatalogueResponse(**stats, last_import=notes[0], last_examination=notes[1])


async def _stats(state: GatewayState) -> dict[str, Any]:
    status = await state.index.status()
    state.search.binding.observe(status.model)  # the next search uses the model that is reported here
    catalogues = state.search.catalogues
    catalogue = combined(status, catalogues)
    return {
        "model": status.model,
        "promoted": status.promoted,
        "models": catalogue.models,
        "products": catalogue.products,
        "categories": category_summaries(catalogue),
        "sync": catalogue.sync.model_dump(),
        "index_nodes": [IndexNodeSummary.of(node, catalogues) for node in state.index.nodes],
        "uptime_seconds": round(time.monotonic() - state.started, 1),
    }
