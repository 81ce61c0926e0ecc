"""Routes that tell what the installation holds."""

import time

from fastapi import APIRouter

from services.contracts import errors
from services.contracts.problems import responses
from services.contracts.wire import IndexStatus
from services.gateway.results import CategoriesAnswer, CategoryView, StatsAnswer
from services.gateway.state import State

router = APIRouter(prefix="/v1", tags=["catalogue"])
_FAILS = responses(errors.IndexNotReady, errors.UpstreamTimeout)


@router.get("/categories", response_model=CategoriesAnswer, summary="The categories", responses=_FAILS)
async def categories(state: State) -> CategoriesAnswer:
    status = await state.index.status()
    return CategoriesAnswer(model=status.model, categories=_views(status))


@router.get("/stats", response_model=StatsAnswer, summary="Counts, model and sync", responses=_FAILS)
async def stats(state: State) -> StatsAnswer:
    status = await state.index.status()
    return StatsAnswer(
        model=status.model,
        products=status.products,
        categories=_views(status),
        sync=status.sync.model_dump(),
        uptime_seconds=round(time.monotonic() - state.started, 1),
    )


def _views(status: IndexStatus) -> list[CategoryView]:
    return [CategoryView(id=c.id, name=c.name, products=c.products) for c in status.categories]
