"""The route that explains a match to the shop's engineers."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from services.contracts.domain import errors
from services.contracts.web.observability.telemetry import note, request_id
from services.contracts.web.problems import responses
from services.contracts.web.requests.disconnect import until_disconnected
from services.gateway.products.explanation import Explainer
from services.gateway.products.responses import ExplanationResponse
from services.gateway.products.service import check_key
from services.gateway.routes.openapi.example_image import EXAMPLE_IMAGE
from services.gateway.routes.openapi.photo_body import PHOTO_ERRORS, photo_body
from services.gateway.search.options import ExplainOptions, query_parameters
from services.gateway.search.request import read_explanation
from services.gateway.search.service import ms_since
from services.gateway.state import State, place

router = APIRouter(prefix="/v1", tags=["products"])
_EXAMPLES: dict[str, dict[str, Any]] = {
    "photo": {"summary": "A match with a photo", "value": {"image_base64": EXAMPLE_IMAGE}},
    "product": {"summary": "A match with another product", "value": {"query_product": "39386"}},
}


@router.post(
    "/products/{id:product_id}/explain",
    response_model=ExplanationResponse,
    summary="Explain a match",
    openapi_extra={
        "requestBody": photo_body("Explain", _EXAMPLES, ExplainOptions),
        "parameters": query_parameters(ExplainOptions),
    },
    responses=responses(
        *PHOTO_ERRORS,
        errors.UnknownProduct,
        errors.UnknownModel,
        errors.TooManyRequests,
        errors.CatalogueUnavailable,
        errors.EmbeddingUnavailable,
        errors.IndexNotReady,
        errors.UpstreamTimeout,
    ),
)
async def explain_match(
    request: Request, state: State, id: Annotated[str, Path(description="the product's id")]
) -> ExplanationResponse:
    """Compute which parts of the query's picture and of the product's picture make them alike.

    Send the photo as for a search, or name another product as `query_product`. Each cell of a grid over a picture has
    the drop of the cosine similarity when the cell is covered. It costs as much as two batches of an import, and is for
    finding out why a product is a result.
    """
    started = time.perf_counter()
    explainer = Explainer(state.products, state.reader)
    async with place(request, state, "photo"):
        photo, options = await read_explanation(request, state.reader)
        explanation = await until_disconnected(request, explainer.explain(check_key(id), photo, options))
    timings = {"network": explanation.timings_ms.get("total", 0.0), "total": ms_since(started)}
    note(model=explanation.model, stages_ms=timings)
    values = explanation.model_dump(exclude={"timings_ms"})
    return ExplanationResponse(**values, request_id=request_id(), timings_ms=timings)
