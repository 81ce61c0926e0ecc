"""The route that finds the garments of a photo."""

import time

from fastapi import APIRouter, Request

from services.contracts.domain import errors
from services.contracts.web.problems import responses
from services.contracts.web.telemetry import note, request_id
from services.gateway.routes.photo_body import PHOTO_ERRORS, photo_body
from services.gateway.search.request import read_photo
from services.gateway.search.responses import GarmentsAnswer
from services.gateway.state import Admitted, State

router = APIRouter(prefix="/v1", tags=["search"])
PHOTO = "https://shop.example/photos/street.jpg"
_EXAMPLES = {"url": {"summary": "A photo by its address", "value": {"image_url": PHOTO}}}


@router.post(
    "/detect",
    response_model=GarmentsAnswer,
    dependencies=[Admitted],
    summary="Find the garments of a photo",
    description="Send the photo as for a search. Each garment's `box` can be sent back as the `box` of a search, so that a street "
    "photo gives one list of results a garment.",
    openapi_extra={"requestBody": photo_body(_EXAMPLES)},
    responses=responses(
        *PHOTO_ERRORS,
        errors.TooManyRequests,
        errors.DetectorUnavailable,
        errors.EmbeddingUnavailable,
        errors.UpstreamTimeout,
    ),
)
async def detect(request: Request, state: State) -> GarmentsAnswer:
    started = time.perf_counter()
    found = await state.search.embedding.detect(await read_photo(request, state.reader))
    timings = {**found.timings_ms, "total": round((time.perf_counter() - started) * 1000, 3)}
    note(detector=found.model, garments=len(found.garments), stages_ms=timings)
    return GarmentsAnswer(garments=found.garments, model=found.model, request_id=request_id(), timings_ms=timings)
