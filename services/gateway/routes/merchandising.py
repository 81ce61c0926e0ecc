"""Routes of the merchandising rules."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response

from services.catalogue.merchandising import Merchandising
from services.contracts.domain import errors
from services.contracts.domain.errors import PreconditionFailed
from services.contracts.web.bodies.json_body import JsonRoute
from services.contracts.web.etags import is_current
from services.contracts.web.problems import responses
from services.contracts.web.requests.disconnect import until_disconnected
from services.gateway.merchandising.responses import PreviewResponse, SavedRulesResponse
from services.gateway.routes.openapi.example_image import EXAMPLE_IMAGE
from services.gateway.routes.openapi.photo_body import PHOTO_ERRORS, photo_body
from services.gateway.routes.query_parameters import KnownParameters
from services.gateway.search.options import PreviewOptions, query_parameters
from services.gateway.search.request import read_preview
from services.gateway.state import State, place

router = APIRouter(prefix="/v1/merchandising", tags=["merchandising"], route_class=JsonRoute)
_TAG = re.compile(r'"(\d{1,18})"')
RULES: dict[str, Any] = {
    "rules": [
        {"id": "sale", "action": "boost", "by": 0.05, "filter": {"sale": True}, "ends": "2026-12-31"},
        {"id": "low-margin", "action": "bury", "by": 0.05, "filter": {"margin": {"lt": 0.2}}},
        {"id": "campaign", "action": "pin", "pins": [{"id": "15970", "position": 1}], "categories": ["Topwear"]},
        {"id": "recalled", "action": "hide", "filter": {"recalled": True}},
    ],
    "out_of_stock": "hide",
    "apart": [{"id": "no-socks", "garments": [{"category": "Watches"}, {"category": "Socks"}]}],
}
_PREVIEW: dict[str, dict[str, Any]] = {
    "product": {"summary": "The stored rules, by a product", "value": {"product": "15970"}},
    "photo": {"summary": "New rules, by a photo", "value": {"image_base64": EXAMPLE_IMAGE, "rules": RULES}},
}


@router.get(
    "/rules",
    response_model=Merchandising,
    dependencies=[KnownParameters],
    summary="Get the rules",
    responses={
        304: {"description": "The rules are those of If-None-Match."},
        **responses(errors.InvalidRequest, errors.Unauthorised, errors.CatalogueUnavailable),
    },
)
async def get_merchandising_rules(
    response: Response, state: State, if_none_match: Annotated[str | None, Header()] = None
) -> Any:
    """The rules of the catalogue, with their ETag. Before any are stored there are none, and nothing is hidden."""
    rules, revision = await state.merchandising.rules()
    etag = f'"{revision}"'
    if is_current(if_none_match, etag):
        return Response(status_code=304, headers={"ETag": etag})
    response.headers["ETag"] = etag
    return rules


@router.put(
    "/rules",
    response_model=SavedRulesResponse,
    dependencies=[KnownParameters],
    summary="Replace the rules",
    responses=responses(
        errors.InvalidRequest,
        errors.UnknownCategory,
        errors.PreconditionFailed,
        errors.Unauthorised,
        errors.CatalogueUnavailable,
        errors.EmbeddingUnavailable,
        errors.UpstreamTimeout,
    ),
)
async def put_merchandising_rules(
    body: Merchandising,
    response: Response,
    state: State,
    if_match: Annotated[str | None, Header(description="the ETag of the rules that are replaced; default: any")] = None,
) -> SavedRulesResponse:
    """Searches follow them within GATEWAY_RULES_REFRESH_S seconds. `warnings` names parts without an effect at present.

    With `If-Match`, rules that someone else has changed in the meantime stay: the response is 412.
    """
    revision = await state.merchandising.replace(body, _revision(if_match))
    response.headers["ETag"] = f'"{revision}"'
    return SavedRulesResponse(rules=body, warnings=await state.merchandising.warnings(body))


@router.post(
    "/preview",
    response_model=PreviewResponse,
    summary="Preview the rules",
    openapi_extra={
        "requestBody": photo_body("Preview", _PREVIEW, PreviewOptions),
        "parameters": query_parameters(PreviewOptions),
    },
    responses=responses(
        *PHOTO_ERRORS,
        errors.UnknownCategory,
        errors.UnknownProduct,
        errors.PageExpired,
        errors.TooManyRequests,
        errors.EmbeddingUnavailable,
        errors.IndexNotReady,
        errors.ModelIndexMismatch,
        errors.UpstreamTimeout,
    ),
)
async def preview_merchandising_rules(request: Request, state: State) -> PreviewResponse:
    """Show the results of a search in the plain order and by rules: those of the request, or the stored ones.

    Send a photo as for a search, or name a product whose similar products are shown. Nothing is stored.
    """
    async with place(request, state, "photo"):
        photo, options = await read_preview(request, state.reader)
        return await until_disconnected(request, state.merchandising.preview(photo, options))


def _revision(if_match: str | None) -> int | None:
    """Return the revision that an If-Match header names; None for any.

    Raises:
        PreconditionFailed: the header is no ETag of rules.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    tag = _TAG.fullmatch(if_match.strip())
    if tag is None:
        raise PreconditionFailed(f"If-Match: {if_match[:100]!r} is no ETag of rules")
    return int(tag[1])
