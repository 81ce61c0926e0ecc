"""The embedding service's app. TensorFlow Serving runs the network, so this process never loads TensorFlow."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request

from services.contracts.web.app import Readiness, make_app
from services.contracts.web.internal import internal
from services.embedding.admission import Admission
from services.embedding.api.routes import router, single
from services.embedding.metrics import EmbeddingMetrics
from services.embedding.serving.served_detector import ServedDetector
from services.embedding.serving.served_models import ServedModels
from services.embedding.settings import EmbeddingSettings
from services.embedding.state import EmbeddingState, embedding_state

DESCRIPTION = """Turns images into category probabilities and vectors of unit length, and detects garments.
For Lookalike's own services: clients use the gateway. Errors are problem documents (RFC 9457)."""


def create_app(settings: EmbeddingSettings) -> FastAPI:
    """Return the service's app. Its lifespan opens the connection to TensorFlow Serving."""
    metrics = EmbeddingMetrics()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        models = ServedModels(settings, metrics.upstream)
        detector = ServedDetector(settings, models.threads, models.large, metrics.upstream)
        await models.open()
        try:
            admission = Admission(settings.max_requests, settings.max_request_bytes)
            metrics.show(models, admission)
            yield {"embedding": EmbeddingState(settings, models, detector, admission, metrics)}
        finally:
            await detector.close()
            await models.close()

    return make_app(
        service="embedding",
        description=DESCRIPTION,
        routers=[single, router],
        lifespan=lifespan,
        readiness=_readiness,
        inner_middleware=internal(settings.service_token),
        metrics=metrics,
        max_body_bytes=max(settings.max_single_body_bytes, settings.max_batch_bytes),
    )


async def _readiness(request: Request) -> Readiness:
    """Return whether images can be embedded with the model of the query parameter. Default: with any model."""
    return await embedding_state(request).models.readiness(request.query_params.get("model"))
