"""The way to the embedding service: for the gateway one image at a time, for the importer in batches."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from services.contracts.domain.box import Box
from services.contracts.domain.errors import EmbeddingUnavailable, UpstreamTimeout
from services.contracts.web.problems import error_from_problem
from services.contracts.web.telemetry import outgoing_headers
from services.contracts.wire.embedding import (
    BatchResponse,
    DetectionResponse,
    EmbeddingResponse,
    ListedModel,
    ModelFacts,
    ServedModelsResponse,
)
from services.contracts.wire.framing import FRAMED, pack

RAW = "application/octet-stream"
Message = TypeVar("Message", bound=BaseModel)


class EmbeddingClient:
    """Calls the embedding service over pooled connections, each call with a deadline.

    Embedding changes nothing, so a connection that is refused is tried once more.
    """

    def __init__(
        self,
        base_url: str,
        timeout_s: float,
        *,
        max_connections: int = 100,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            base_url: the service's address, such as `http://127.0.0.1:8001`.
            timeout_s: how long any step of a call may take: connecting, sending, waiting for the answer.
            max_connections: bound on open connections.
            transport: how requests travel; over TCP unless told.

        Raises:
            ValueError: the address is no http or https URL.
        """
        limits = httpx.Limits(max_connections=max_connections, max_keepalive_connections=max_connections)
        self._http = httpx.AsyncClient(
            base_url=_checked(base_url),
            timeout=timeout_s,
            transport=transport or httpx.AsyncHTTPTransport(retries=1, limits=limits),
            trust_env=False,
        )
        self.address = base_url

    async def close(self) -> None:
        """Close the pooled connections."""
        await self._http.aclose()

    async def model(self, model: str | None = None) -> ModelFacts:
        """Return what the others need of a model's manifest; without a name, of that of the service's settings.

        Raises:
            UnknownModel: the service has none of that name.
            EmbeddingUnavailable: the service is away, or the model's directory is not whole.
            UpstreamTimeout: no answer in time.
        """
        return _understood(ModelFacts, await self._send("GET", "/v1/model", model=model))

    async def models(self) -> list[ListedModel]:
        """Return every model that the service has, and what keeps it from being used.

        Raises:
            EmbeddingUnavailable, UpstreamTimeout: as `model`.
        """
        return _understood(ServedModelsResponse, await self._send("GET", "/v1/models")).models

    async def embed(
        self, data: bytes, model: str | None = None, box: Box | None = None, *, beside: str | None = None
    ) -> EmbeddingResponse:
        """Return what a model makes of one image file, or of a part of it; and what another one does, `beside`, as far as
        that answers.

        Raises:
            InvalidImage, ImageTooLarge, UnsupportedImage: the image's fault.
            InvalidRequest: the box has too few pixels of it.
            UnknownModel, EmbeddingUnavailable, UpstreamTimeout: as `model`.
        """
        part = None if box is None else box.text()
        answer = await self._send("POST", "/v1/embed", content=data, model=model, beside=beside, box=part)
        return _understood(EmbeddingResponse, answer)

    async def embed_batch(
        self, images: Sequence[bytes], model: str | None = None, beside: str | None = None
    ) -> BatchResponse:
        """Return one item an image, in their order: an embedding, or why there is none.

        Args:
            images: 1 to `wire.MAX_BATCH` image files.
            model: the model's name; that of the service's settings where it is left out.
            beside: another model that the same images go through, as far as it answers.

        Raises:
            ImageTooLarge: together they are more than the service takes in one request.
            UnknownModel, EmbeddingUnavailable, UpstreamTimeout: as `model`.
        """
        body = pack(images)
        answer = await self._send("POST", "/v1/embed/batch", content=body, kind=FRAMED, model=model, beside=beside)
        return _understood(BatchResponse, answer)

    async def detect(self, data: bytes) -> DetectionResponse:
        """Return where the garments of a picture are, and of which kind.

        Raises:
            InvalidImage, ImageTooLarge, UnsupportedImage: the image's fault.
            DetectorUnavailable: the service has no detector.
            EmbeddingUnavailable, UpstreamTimeout: as `model`.
        """
        return _understood(DetectionResponse, await self._send("POST", "/v1/detect", content=data))

    async def resize(self, data: bytes, width: int) -> bytes | None:
        """Return a picture as WebP of that width in pixels, upright and on white; None where it is no wider already.

        Raises:
            InvalidImage, ImageTooLarge, UnsupportedImage: the image's fault.
            EmbeddingUnavailable, UpstreamTimeout: as `model`.
        """
        return await self._send("POST", f"/v1/resize?width={width:d}", content=data) or None

    async def ready(self, model: str | None = None) -> None:
        """Return if the service can embed: with this model, or with any.

        Raises:
            EmbeddingUnavailable: it cannot, or does not answer at all.
        """
        try:
            response = await self._http.get("/readyz", params=_given({"model": model}))
        except httpx.HTTPError:
            raise EmbeddingUnavailable("the embedding service cannot be reached") from None
        if response.status_code != httpx.codes.OK:
            raise EmbeddingUnavailable("the embedding service is not ready: " + _reasons(response))

    async def _send(
        self, method: str, path: str, *, content: bytes | None = None, kind: str = RAW, **named: str | None
    ) -> bytes:
        headers = outgoing_headers() if content is None else {"Content-Type": kind, **outgoing_headers()}
        try:
            response = await self._http.request(method, path, content=content, headers=headers, params=_given(named))
        except httpx.ConnectError:
            raise EmbeddingUnavailable("the embedding service cannot be reached") from None
        except httpx.TimeoutException:
            raise UpstreamTimeout("the embedding service did not answer in time") from None
        except httpx.HTTPError:
            raise EmbeddingUnavailable("the embedding service closed the connection") from None
        if not response.is_success:
            raise error_from_problem(response.status_code, response.content)
        return response.content


def _given(named: Mapping[str, str | None]) -> dict[str, str] | None:
    """Return the query parameters that have a value; None, which leaves a path's own alone, where there is none."""
    return {name: value for name, value in named.items() if value is not None} or None


def _checked(address: str) -> httpx.URL:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise ValueError(f"the embedding service's address {address!r} is no address: {error}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(f"the embedding service's address {address!r} is no address: it must begin with http://")
    return url


def _understood(kind: type[Message], body: bytes) -> Message:
    try:
        return kind.model_validate_json(body)
    except ValidationError:
        raise EmbeddingUnavailable("the embedding service's answer is not understood: is it of this version?") from None


def _reasons(response: httpx.Response) -> str:
    try:
        said = response.json()
        return "; ".join(map(str, said["reasons"])) if "reasons" in said else str(said["detail"])
    except (ValueError, KeyError, TypeError):
        return f"it answered {response.status_code}"
