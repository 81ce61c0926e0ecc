"""The client of the embedding service: single images for the gateway, batches for imports."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import TypeVar

import httpx
import orjson
from pydantic import BaseModel, ValidationError

from services.contracts.clients.service_http import ServiceHttp
from services.contracts.clients.service_transport import ServiceResponse, Transport
from services.contracts.domain.box import Box
from services.contracts.domain.errors import EmbeddingUnavailable, UpstreamTimeout
from services.contracts.web.problems import error_from_problem
from services.contracts.wire.embedding import (
    BatchResponse,
    DetectionResponse,
    EmbeddingResponse,
    ListedModel,
    ModelFacts,
    PairExplanationResponse,
    ServedModelsResponse,
)
from services.contracts.wire.framing import FRAMED, pack

RAW = "application/octet-stream"
SLOW = "the embedding service did not respond in time"
Message = TypeVar("Message", bound=BaseModel)


class EmbeddingClient:
    """Calls the embedding service over pooled connections. Each call has a deadline.

    Embedding has no side effects, so a refused connection is tried once again.
    """

    def __init__(
        self,
        base_url: str,
        timeout_s: float,
        *,
        token: str | None = None,
        max_connections: int = 100,
        transport: Transport | None = None,
    ) -> None:
        """Create the client without opening a connection.

        Args:
            base_url: the service's address, for example `http://127.0.0.1:8001`.
            timeout_s: deadline of each step of a call, in seconds: connecting, sending, waiting for the response.
            token: the token of the services, if they ask for one.
            max_connections: the most open connections.
            transport: sends the requests. Default: TCP.

        Raises:
            ValueError: the address is not an http or https URL.
        """
        self._http = ServiceHttp(base_url, timeout_s, token=token, max_connections=max_connections, transport=transport)
        self.address = base_url

    async def close(self) -> None:
        """Close the pooled connections."""
        await self._http.close()

    async def model(self, model: str | None = None) -> ModelFacts:
        """Return the facts of a model that other services need. Default: the model of the service's settings.

        Raises:
            UnknownModel: the service has no model of this name.
            EmbeddingUnavailable: the service cannot be reached, or the model's directory is incomplete.
            UpstreamTimeout: no response before the deadline.
        """
        return _parsed(ModelFacts, await self._send("GET", "/v1/model", model=model))

    async def models(self) -> list[ListedModel]:
        """Return every model that the service has, each with the reason why it cannot be used, if any.

        Raises:
            EmbeddingUnavailable, UpstreamTimeout: as `model`.
        """
        return _parsed(ServedModelsResponse, await self._send("GET", "/v1/models")).models

    async def embed(
        self, data: bytes, model: str | None = None, box: Box | None = None, *, secondary_model: str | None = None
    ) -> EmbeddingResponse:
        """Return the embedding of an image file, or of a part of it.

        Args:
            data: the image file.
            model: the model's name. Default: the model of the service's settings.
            box: the part of the picture. Default: all of it.
            secondary_model: another model for `secondary`, which is None if that model does not respond.

        Raises:
            InvalidImage, ImageTooLarge, UnsupportedImage: the image cannot be used.
            InvalidRequest: the box has too few pixels.
            UnknownModel, EmbeddingUnavailable, UpstreamTimeout: as `model`.
        """
        part = None if box is None else box.text()
        body = await self._send(
            "POST", "/v1/embed", content=data, model=model, secondary_model=secondary_model, box=part
        )
        return _parsed(EmbeddingResponse, body)

    async def embed_batch(
        self, images: Sequence[bytes], model: str | None = None, secondary_model: str | None = None
    ) -> BatchResponse:
        """Return one item for each image, in the same order: an embedding or an error.

        Args:
            images: 1 to `MAX_BATCH` image files.
            model: the model's name. Default: the model of the service's settings.
            secondary_model: another model for the same images; its embeddings are missing if it does not respond.

        Raises:
            ImageTooLarge: the images together exceed the size of one request.
            UnknownModel, EmbeddingUnavailable, UpstreamTimeout: as `model`.
        """
        content = pack(images)
        body = await self._send(
            "POST", "/v1/embed/batch", content=content, kind=FRAMED, model=model, secondary_model=secondary_model
        )
        return _parsed(BatchResponse, body)

    async def detect(self, data: bytes) -> DetectionResponse:
        """Return the garments of a picture: boxes and categories.

        Raises:
            InvalidImage, ImageTooLarge, UnsupportedImage: the image cannot be used.
            DetectorUnavailable: the service has no detector.
            EmbeddingUnavailable, UpstreamTimeout: as `model`.
        """
        return _parsed(DetectionResponse, await self._send("POST", "/v1/detect", content=data))

    async def explain(
        self, query: bytes, product: bytes, model: str | None = None, box: Box | None = None
    ) -> PairExplanationResponse:
        """Return which parts of two pictures make them alike. It costs as much as two batches.

        Args:
            query, product: the image files.
            model: the model's name. Default: the model of the service's settings.
            box: the part of the query's picture. Default: all of it.

        Raises:
            InvalidImage, ImageTooLarge, UnsupportedImage: an image cannot be used.
            InvalidRequest: the box has too few pixels.
            UnknownModel, EmbeddingUnavailable, UpstreamTimeout: as `model`.
        """
        part = None if box is None else box.text()
        content = pack([query, product])
        body = await self._send("POST", "/v1/explain", content=content, kind=FRAMED, model=model, box=part)
        return _parsed(PairExplanationResponse, body)

    async def resize(self, data: bytes, width: int) -> bytes | None:
        """Return a picture as WebP of this width in pixels, upright and on white, or None if it is not wider.

        Raises:
            InvalidImage, ImageTooLarge, UnsupportedImage: the image cannot be used.
            EmbeddingUnavailable, UpstreamTimeout: as `model`.
        """
        return await self._send("POST", f"/v1/resize?width={width:d}", content=data) or None

    async def ready(self, model: str | None = None) -> None:
        """Check that the service can embed images with this model. Default: with any model.

        Raises:
            EmbeddingUnavailable: it cannot, or it does not respond.
        """
        try:
            response = await self._http.send("GET", "/readyz", parameters={"model": model})
        except (httpx.HTTPError, UpstreamTimeout):
            raise EmbeddingUnavailable("the embedding service cannot be reached") from None
        if response.status != HTTPStatus.OK:
            raise EmbeddingUnavailable("the embedding service is not ready: " + _reasons(response))

    async def _send(
        self, method: str, path: str, *, content: bytes | None = None, kind: str = RAW, **named: str | None
    ) -> bytes:
        try:
            response = await self._http.send(method, path, content=content, kind=kind, parameters=named)
        except httpx.ConnectError:
            raise EmbeddingUnavailable("the embedding service cannot be reached") from None
        except httpx.TimeoutException:
            raise UpstreamTimeout(SLOW) from None
        except httpx.HTTPError:
            raise EmbeddingUnavailable("the embedding service closed the connection") from None
        if not 200 <= response.status < 300:
            raise error_from_problem(response.status, response.content)
        return response.content


def _parsed(kind: type[Message], body: bytes) -> Message:
    try:
        return kind.model_validate_json(body)
    except ValidationError:
        raise EmbeddingUnavailable(
            "the embedding service sent an unexpected response: check that it has the same version"
        ) from None


def _reasons(response: ServiceResponse) -> str:
    try:
        document = orjson.loads(response.content)
        return "; ".join(map(str, document["reasons"])) if "reasons" in document else str(document["detail"])
    except (ValueError, KeyError, TypeError):
        return f"its response has the status {response.status}"
