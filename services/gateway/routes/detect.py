"""The route that finds the garments of a photo."""

import time
from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.contracts.domain import errors
from services.contracts.web.observability.telemetry import note, request_id
from services.contracts.web.problems import responses
from services.contracts.web.requests.disconnect import until_disconnected
from services.gateway.routes.openapi.example_image import EXAMPLE_IMAGE
from services.gateway.routes.openapi.photo_body import PHOTO_ERRORS, photo_body
from services.gateway.routes.query_parameters import KnownParameters
from services.gateway.search.request import read_photo
from services.gateway.search.responses import GarmentsResponse
from services.gateway.search.service import ms_since
from services.gateway.state import State, place

router = APIRouter(prefix="/v1", tags=["search"])
LeastProbability = Annotated[
    float, Query(ge=0, le=1, description="leave out garments whose category has a lower probability")
]
_EXAMPLES = {"plain": {"summary": "A photo in base64", "value": {"image_base64": EXAMPLE_IMAGE}}}


@router.post(
    "/detect",
    response_model=GarmentsResponse,
    dependencies=[KnownParameters],
    summary="Detect the garments of a photo",
    openapi_extra={"requestBody": photo_body("Detect", _EXAMPLES)},
    responses=responses(
        *PHOTO_ERRORS,
        errors.TooManyRequests,
        errors.DetectorUnavailable,
        errors.EmbeddingUnavailable,
        errors.UpstreamTimeout,
    ),
)
async def detect_garments(request: Request, state: State, min_probability: LeastProbability = 0.0) -> GarmentsResponse:
    """Find each garment of a photo, with its category and its box.

    Send the photo as for a search. A search with a garment's `box` finds the products that look like this garment.
    """
    started = time.perf_counter()
    async with place(request, state, "photo"):
        photo = await read_photo(request, state.reader)
        detection = await until_disconnected(request, state.search.embedding.detect(photo))
    timings = {**detection.timings_ms, "total": ms_since(started)}
    note(detector=detection.model, garments=len(detection.garments), stages_ms=timings)
    garments = [garment for garment in detection.garments if garment.category.probability >= min_probability]
    return GarmentsResponse(garments=garments, model=detection.model, request_id=request_id(), timings_ms=timings)
