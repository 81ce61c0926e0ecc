"""The route of the demand report."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from services.catalogue.demand.examination import examine
from services.catalogue.demand.report import By, csv_of
from services.catalogue.events.event import Moment
from services.contracts.domain import errors
from services.contracts.domain.categories import resolve_category
from services.contracts.web.problems import responses
from services.contracts.wire.problem import pointer
from services.gateway.events.demand import DemandResponse
from services.gateway.routes.query_parameters import KnownParameters
from services.gateway.state import GatewayState, State

router = APIRouter(prefix="/v1", tags=["events"])
DEFAULT_PERIOD = timedelta(days=30)
EARLIEST = datetime.min.replace(tzinfo=UTC)
MAX_CLUSTERS = 200


@router.get(
    "/demand",
    response_model=DemandResponse,
    dependencies=[KnownParameters],
    summary="Get what shoppers did not find",
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
        **responses(
            errors.InvalidRequest,
            errors.UnknownCategory,
            errors.UnknownCatalogue,
            errors.Unauthorised,
            errors.EventsOff,
            errors.CatalogueUnavailable,
            errors.IndexNotReady,
            errors.UpstreamTimeout,
        ),
    },
)
async def get_demand(
    state: State,
    since: Annotated[Moment | None, Query(description="ISO 8601; default: 30 days before `until`")] = None,
    until: Annotated[Moment | None, Query(description="not included; default: now")] = None,
    category: Annotated[str | None, Query(description="name or id of the only category to examine")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_CLUSTERS, description="the most clusters")] = 20,
    format: Annotated[Literal["json", "csv"], Query(description="csv: a table of `by`")] = "json",
    by: Annotated[By, Query(description="the rows of a CSV")] = "cluster",
) -> DemandResponse | Response:
    """Searches by day, category and outcome, and clusters of those that had no close match, or no click.

    Clusters are made of the searches' vectors where the log has them, otherwise of type and colour of their nearest
    products.
    """
    store, events = state.products.store, state.events
    end = until or datetime.now(UTC)
    begin = since or (end - DEFAULT_PERIOD if end - EARLIEST > DEFAULT_PERIOD else EARLIEST)
    if begin >= end:
        place = {"pointer": pointer(("query", "since")), "detail": "since has to be before until"}
        raise errors.InvalidRequest(place["detail"], errors=[place])
    name = None if category is None else await _category(state, category)
    async with events.examining:
        report = await examine(store.events, store.products, begin, end, category=name, limit=limit)
    if format == "json":
        return DemandResponse.model_validate(report)
    headers = {"Content-Disposition": f'attachment; filename="demand-by-{by}.csv"'}
    return Response(csv_of(report, by), media_type="text/csv; charset=utf-8", headers=headers)


async def _category(state: GatewayState, text: str) -> str:
    names = await state.search.names()
    return names[resolve_category(text, names)]
