"""Routes of events and visitors."""

from typing import Annotated, Any, cast

from fastapi import APIRouter, Path, Query, Request

from services.catalogue.events.event import Event
from services.catalogue.events.visitor import Visitor
from services.contracts.domain import errors
from services.contracts.web.bodies.forms import read_body
from services.contracts.web.problems import responses
from services.gateway.access.guard import Guard
from services.gateway.events.body import JSON
from services.gateway.events.responses import EventsResponse, VisitorResponse
from services.gateway.metrics import GatewayMetrics
from services.gateway.routes.openapi.components import named, named_model
from services.gateway.routes.query_parameters import KnownParameters
from services.gateway.search.request import content_type
from services.gateway.state import State

router = APIRouter(prefix="/v1", tags=["events"])
EXAMPLE: dict[str, Any] = {
    "action_name": "click",
    "request_id": "6f1c2ab09d3e4c55",
    "visitor": "v-4b1f",
    "event_attributes": {"object": {"object_id": "15970"}, "position": {"ordinal": 3}},
}


def _body() -> dict[str, Any]:
    event = named_model(Event)
    batch = named("Events", {"type": "array", "items": event, "minItems": 1, "maxItems": 1000})
    return {
        "required": True,
        "content": {
            JSON: {"schema": {"anyOf": [batch, event]}, "example": EXAMPLE},
        },
    }


@router.post(
    "/events",
    status_code=202,
    response_model=EventsResponse,
    dependencies=[KnownParameters],
    summary="Send events",
    openapi_extra={"requestBody": _body()},
    responses=responses(
        errors.InvalidRequest,
        errors.EventsOff,
        errors.RequestTooLarge,
        errors.TooManyRequests,
        errors.CatalogueUnavailable,
    ),
)
async def send_events(
    request: Request,
    state: State,
    key: Annotated[
        str | None,
        Query(description="a key of scope search only, for navigator.sendBeacon, which sends no Authorization field"),
    ] = None,
) -> EventsResponse:
    """Say what a shopper did with results: one event or a list, or with `application/x-ndjson` a line of JSON for each.

    `text/plain`, which pages may send without asking first, is read as either.

    Events that are not valid are named by their index; the others are kept, once for each `event_id`. The response
    comes when they are on disk. The fields have the names of User Behavior Insights; unknown ones are an error, so that
    nothing else of a person is kept.
    """
    service = state.events
    read = await service.read(await read_body(request), content_type(request))
    await cast(Guard, request.state.guard).count_events(request, len(read.events) + len(read.rejected))
    metrics = cast(GatewayMetrics, request.app.state.metrics)
    try:
        response = await service.accept(read)
    except (errors.CatalogueUnavailable, errors.TooManyRequests):
        metrics.count_lost_events(len(read.events))
        raise
    metrics.count_events(event.action_name for event in read.events.values())
    metrics.count_rejected_events(len(response.rejected))
    return response


@router.delete(
    "/visitors/{visitor}",
    response_model=VisitorResponse,
    dependencies=[KnownParameters],
    summary="Delete a visitor",
    responses=responses(errors.InvalidRequest, errors.Unauthorised, errors.CatalogueUnavailable),
)
async def delete_visitor(
    state: State, visitor: Annotated[Visitor, Path(description="the opaque id, `client_id` in events")]
) -> VisitorResponse:
    """Remove every trace of a visitor: events, searches, and the taste that was learned from them.

    Below `/catalogues/all` from every catalogue. It works whether events are on or off.
    """
    removed = [await service.delete_visitor(visitor) for service in state.logs]
    return VisitorResponse(
        events=sum(counts.events for counts in removed), searches=sum(counts.queries for counts in removed)
    )
