"""The routes of the embedding service."""

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.contracts.domain.box import Box, box_of
from services.contracts.domain.errors import (
    DetectorUnavailable,
    EmbeddingUnavailable,
    ImageTooLarge,
    InvalidImage,
    InvalidRequest,
    LookalikeError,
    TooManyRequests,
    UnknownModel,
    UnsupportedImage,
    UpstreamTimeout,
)
from services.contracts.web.bodies.body_limit import limit_body
from services.contracts.web.direct_routes import RequestRoute
from services.contracts.web.observability import telemetry
from services.contracts.web.problems import responses
from services.contracts.web.requests.disconnect import until_disconnected
from services.contracts.wire.embedding import (
    BatchResponse,
    DetectionResponse,
    EmbeddingResponse,
    ModelFacts,
    PairExplanationResponse,
    ServedModelsResponse,
)
from services.embedding.api import responses as documents
from services.embedding.api.bodies import batch_images, pair_of_images, single_image
from services.embedding.api.openapi import BATCH_BODY, BATCH_EXAMPLE, EMBED_PARAMETERS, PAIR_BODY, SINGLE_BODY
from services.embedding.state import EmbeddingState, State, embedding_state
from services.embedding.vision.embedder import Embedder, TimedEmbeddings
from services.embedding.vision.explanation import explain
from services.embedding.vision.resizing import MAX_SIDE, resize

_ALWAYS = (InvalidRequest, UnknownModel, TooManyRequests, EmbeddingUnavailable, UpstreamTimeout, ImageTooLarge)
ModelName = Annotated[
    str | None, Query(description="Model id. Default: the model of the settings", examples=["fashion/2"])
]
SecondaryName = Annotated[
    str | None,
    Query(
        description="another model for the same images; its embedding is missing if it does not respond",
        examples=["fashion/2"],
    ),
]

router = APIRouter(prefix="/v1", tags=["embedding"])
single = APIRouter(prefix="/v1", tags=["embedding"], route_class=RequestRoute)


@single.post(
    "/embed",
    response_model=EmbeddingResponse,
    responses=responses(InvalidImage, UnsupportedImage, *_ALWAYS),
    openapi_extra={**SINGLE_BODY, "parameters": EMBED_PARAMETERS},
    summary="Embed one image",
)
async def embed(request: Request) -> Response:
    """Return the category probabilities and the unit-length vector of one image, with the time of each stage."""
    started = time.perf_counter()
    state, query = embedding_state(request), request.query_params
    embedder, secondary_model = state.models.embedder(query.get("model")), query.get("secondary_model")
    part = box_of(query["box"]) if "box" in query else None
    with state.admission.admit(limit_body(request.scope, state.settings.max_single_body_bytes)):
        files = [await single_image(request)]
        timed, other = await until_disconnected(request, _embed_with(state, embedder, files, secondary_model, part))
    timings = _record(state, embedder, timed, started)
    outcome = timed.outcomes[0]
    if isinstance(outcome, LookalikeError):
        raise outcome
    return documents.json_response({**documents.embedding(outcome, embedder.manifest, other), "timings_ms": timings})


@router.post(
    "/embed/batch",
    response_model=BatchResponse,
    responses={200: {"content": {"application/json": {"example": BATCH_EXAMPLE}}}, **responses(*_ALWAYS)},
    openapi_extra=BATCH_BODY,
    summary="Embed a batch of images",
)
async def embed_batch(
    request: Request, state: State, model: ModelName = None, secondary_model: SecondaryName = None
) -> Response:
    """Return one item for each image, in the order of the request: its embedding or its error."""
    started = time.perf_counter()
    embedder = state.models.embedder(model)
    with state.admission.admit(limit_body(request.scope, state.settings.max_batch_bytes)):
        files = await batch_images(request)
        timed, other = await until_disconnected(request, _embed_with(state, embedder, files, secondary_model))
    timings = _record(state, embedder, timed, started)
    items = [
        documents.batch_item(outcome, embedder.manifest, other, number) for number, outcome in enumerate(timed.outcomes)
    ]
    return documents.json_response({"items": items, "timings_ms": timings})


@router.post(
    "/detect",
    response_model=DetectionResponse,
    responses=responses(
        InvalidImage,
        UnsupportedImage,
        ImageTooLarge,
        TooManyRequests,
        DetectorUnavailable,
        EmbeddingUnavailable,
        UpstreamTimeout,
    ),
    openapi_extra=SINGLE_BODY,
    summary="Detect the garments of one image",
)
async def detect(request: Request, state: State) -> Response:
    """Return the garments as boxes in the upright picture with their categories, by descending probability."""
    started = time.perf_counter()
    detector = state.detector.detector()
    with state.admission.admit(limit_body(request.scope, state.settings.max_single_body_bytes)):
        file = await single_image(request)
        timed = await until_disconnected(request, state.detector.detect(file))
    state.metrics.record_garments(timed)
    timings = {"decode": timed.decode_ms, "network": timed.network_ms, "total": (time.perf_counter() - started) * 1000}
    rounded = {name: round(value, 3) for name, value in timings.items()}
    telemetry.note(detector=detector.manifest.model_id, garments=len(timed.garments.boxes), stages_ms=rounded)
    boxes = documents.garment_boxes(timed.garments, detector.manifest)
    return documents.json_response({"garments": boxes, "model": detector.manifest.model_id, "timings_ms": rounded})


@router.post(
    "/explain",
    response_model=PairExplanationResponse,
    responses=responses(InvalidImage, UnsupportedImage, *_ALWAYS),
    openapi_extra={
        **PAIR_BODY,
        "parameters": [each for each in EMBED_PARAMETERS if each["name"] != "secondary_model"],
    },
    summary="Explain the similarity of two images",
)
async def explain_pair(request: Request) -> Response:
    """Return by how much covering each part of each picture lowers their similarity. `box` is a part of the first."""
    started = time.perf_counter()
    state, query = embedding_state(request), request.query_params
    embedder = state.models.embedder(query.get("model"))
    part = box_of(query["box"]) if "box" in query else None
    with state.admission.admit(limit_body(request.scope, state.settings.max_batch_bytes)):
        first, second = await pair_of_images(request)
        explanation = await until_disconnected(request, explain(embedder, first, second, part))
    timings = {"total": round((time.perf_counter() - started) * 1000, 2)}
    telemetry.note(model=embedder.manifest.model_id, stages_ms=timings)
    return documents.json_response({**documents.pair(explanation, embedder.manifest), "timings_ms": timings})


@router.post(
    "/resize",
    response_class=Response,
    responses={
        200: {"content": {"image/webp": {}}},
        204: {"description": "The picture is not wider: use it unchanged."},
        **responses(InvalidImage, UnsupportedImage, InvalidRequest, TooManyRequests, ImageTooLarge),
    },
    openapi_extra=SINGLE_BODY,
    summary="Resize a picture",
)
async def resize_picture(request: Request, state: State, width: Annotated[int, Query(ge=16, le=MAX_SIDE)]) -> Response:
    """Return the picture as WebP of this width in pixels, upright and on white. This does not use the network."""
    with state.admission.admit(limit_body(request.scope, state.settings.max_single_body_bytes)):
        file = await single_image(request)
        resized = await until_disconnected(request, resize(file, width, state.prepare))
    return Response(status_code=204) if resized is None else Response(resized, media_type="image/webp")


@router.get(
    "/model",
    response_model=ModelFacts,
    responses=responses(InvalidRequest, UnknownModel, EmbeddingUnavailable),
    summary="Describe a model",
)
async def facts(state: State, model: ModelName = None) -> ModelFacts:
    """Return the categories in order, dimension, input size and thresholds of the model's manifest."""
    return ModelFacts.of(state.models.embedder(model).manifest)


@router.get("/models", response_model=ServedModelsResponse, summary="List the models")
async def models(state: State) -> ServedModelsResponse:
    """Return all models of the service, each with the reason why it cannot be used, if any."""
    return ServedModelsResponse(models=await state.models.list_models())


async def _embed_with(
    state: EmbeddingState, embedder: Embedder, files: list[bytes], secondary_model: str | None, box: Box | None = None
) -> tuple[TimedEmbeddings, documents.SecondaryOutcomes | None]:
    """Embed files, also with the secondary model if there is one. An error of that model is only logged."""
    if secondary_model is None:
        return await embedder.embed(files, box), None
    timed, other = await asyncio.gather(embedder.embed(files, box), _secondary(state, secondary_model, files, box))
    return timed, other


async def _secondary(
    state: EmbeddingState, name: str, files: list[bytes], box: Box | None
) -> documents.SecondaryOutcomes | None:
    try:
        embedder = state.models.embedder(name)
        return documents.SecondaryOutcomes((await embedder.embed(files, box)).outcomes, embedder.manifest)
    except (UnknownModel, EmbeddingUnavailable, UpstreamTimeout) as error:
        telemetry.note(secondary_missed=error.detail)
        return None


def _record(state: EmbeddingState, embedder: Embedder, timed: TimedEmbeddings, started: float) -> dict[str, float]:
    state.metrics.record(timed)
    total = (time.perf_counter() - started) * 1000
    timings = {"decode": timed.decode_ms, "network": timed.network_ms, "total": total}
    rounded = {stage: round(ms, 2) for stage, ms in timings.items()}
    rejected = sum(isinstance(outcome, LookalikeError) for outcome in timed.outcomes)
    telemetry.note(model=embedder.manifest.model_id, images=len(timed.outcomes), rejected=rejected, stages_ms=rounded)
    return rounded
