"""The state of the running embedding service, and its dependency for routes."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from services.embedding.admission import Admission
from services.embedding.metrics import EmbeddingMetrics
from services.embedding.serving.served_detector import ServedDetector
from services.embedding.serving.served_models import ServedModels
from services.embedding.settings import EmbeddingSettings


@dataclass(frozen=True)
class EmbeddingState:
    """The state that the routes use."""

    settings: EmbeddingSettings
    models: ServedModels
    detector: ServedDetector
    admission: Admission
    metrics: EmbeddingMetrics


def embedding_state(request: Request) -> EmbeddingState:
    """Return the running service's state."""
    return cast(EmbeddingState, request.state.embedding)


State = Annotated[EmbeddingState, Depends(embedding_state)]
