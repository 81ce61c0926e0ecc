"""The state of the running embedding service, and its dependency for routes."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from services.contracts.domain.manifest import InputSize
from services.contracts.images.preparation import ImageFacts, UInt8Image
from services.embedding.admission import Admission
from services.embedding.metrics import EmbeddingMetrics
from services.embedding.serving.served_detector import ServedDetector
from services.embedding.serving.served_models import ServedModels
from services.embedding.settings import EmbeddingSettings
from services.embedding.vision.decoder import prepare


@dataclass(frozen=True)
class EmbeddingState:
    """The state that the routes use."""

    settings: EmbeddingSettings
    models: ServedModels
    detector: ServedDetector
    admission: Admission
    metrics: EmbeddingMetrics

    async def prepare(self, file: bytes, size: InputSize) -> tuple[UInt8Image, ImageFacts]:
        """Decode an image file into a picture of a size; see `prepare_image`."""
        return await prepare(file, size, self.settings.limits, self.models.threads, self.models.large)


def embedding_state(request: Request) -> EmbeddingState:
    """Return the running service's state."""
    return cast(EmbeddingState, request.state.embedding)


async def _state(request: Request) -> EmbeddingState:
    return embedding_state(request)  # FastAPI calls a function that is not async in a thread, which takes 0.2 ms


State = Annotated[EmbeddingState, Depends(_state)]
