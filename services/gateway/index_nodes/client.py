"""The gateway's client of the index service."""

from collections.abc import Callable, Sequence
from http import HTTPStatus

import httpx
from pydantic import BaseModel, ValidationError

from services.contracts.clients.service_http import ServiceHttp
from services.contracts.clients.service_transport import Transport
from services.contracts.domain.errors import IndexNotReady, UpstreamTimeout
from services.contracts.web.problems import MEDIA_TYPE, error_from_problem
from services.contracts.wire.index import (
    IndexResponse,
    IndexRevision,
    IndexSample,
    IndexSearch,
    IndexSimilar,
    IndexStatus,
    IndexVectors,
    ProductVector,
    VectorsResponse,
)

PROXY_ERRORS = (502, 503, 504)
JSON = "application/json"
SLOW = "the index service did not answer in time"
WAIT_S = 1.0  # for another revision; a node that is cut off is noticed as late


class IndexClient:
    """Calls an index node over HTTP, each call with a deadline. A refused connection is tried once more."""

    def __init__(
        self,
        base_url: str,
        timeout_s: float,
        *,
        token: str | None = None,
        transport: Transport | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            base_url: the node's address, such as `http://127.0.0.1:8002`.
            timeout_s: deadline of each step of a call, in seconds.
            token: the token of the services, if they ask for one.
            transport: how requests travel; default: TCP.
        """
        self.address = base_url
        self._http = ServiceHttp(base_url, timeout_s, token=token, transport=transport)
        self._longest_wait_s = min(WAIT_S, timeout_s / 2)
        self.on_revision: Callable[[str], None] = lambda _: None  # called with the revision of each response

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def search(self, query: IndexSearch) -> IndexResponse:
        """Return the nearest products of a category.

        Raises:
            UnknownCategory, ModelIndexMismatch, IndexNotReady, InvalidRequest: as the index says.
            UpstreamTimeout: it did not answer in time.
        """
        return IndexResponse.model_validate_json(await self._post("/v1/search", query))

    async def similar(self, query: IndexSimilar) -> IndexResponse:
        """Return the products nearest to an indexed one.

        Raises:
            UnknownProduct: the index does not hold it. Otherwise as `search`.
        """
        return IndexResponse.model_validate_json(await self._post("/v1/similar", query))

    async def vectors(self, query: IndexVectors) -> list[ProductVector]:
        """Return the vectors of those products that the node holds.

        Raises:
            ModelIndexMismatch, IndexNotReady, UpstreamTimeout: as `search`.
        """
        return VectorsResponse.model_validate_json(await self._post("/v1/vectors", query)).vectors

    async def status(self) -> IndexStatus:
        """Return the catalogues and models that the index holds, and how it follows the database.

        Raises:
            IndexNotReady: it cannot be reached, or the response is not an index's.
        """
        body = await self._send("GET", "/v1/status")
        try:
            return IndexStatus.model_validate_json(body)
        except ValidationError:
            raise IndexNotReady("the server at the index's address is not an index of this version") from None

    async def revision(self, after: str | None) -> str | None:
        """Return the revision of what searches see; None if the node does not say when it changes.

        With a known one, wait a while for another.

        Raises:
            IndexNotReady, UpstreamTimeout: as `status`.
        """
        query = "" if after is None else f"?{httpx.QueryParams({'after': after, 'wait_s': self._longest_wait_s})}"
        body = await self._send("GET", f"/v1/revision{query}")
        try:
            return IndexRevision.model_validate_json(body).revision
        except ValidationError:
            return None

    async def sample(self, count: int, category: int | None, catalogues: Sequence[str]) -> IndexSample:
        """Return products of these catalogues, drawn at random, of one category or of all."""
        named = {} if category is None else {"category": category}
        query = httpx.QueryParams({"count": count, "catalogue": list(catalogues), **named})
        return IndexSample.model_validate_json(await self._send("GET", f"/v1/sample?{query}"))

    async def _post(self, path: str, body: BaseModel) -> bytes:
        return await self._send("POST", path, body.model_dump_json().encode())

    async def _send(self, method: str, path: str, body: bytes | None = None) -> bytes:
        try:
            response = await self._http.send(method, path, content=body, kind=JSON)
        except httpx.ConnectError:
            raise IndexNotReady("the index service cannot be reached") from None
        except httpx.TimeoutException:
            raise UpstreamTimeout(SLOW) from None
        except httpx.HTTPError:
            raise IndexNotReady("the index service closed the connection") from None
        self.on_revision(response.revision)
        if response.status in PROXY_ERRORS and not response.content_type.startswith(MEDIA_TYPE):
            raise IndexNotReady(f"a proxy in front of the index service answered {response.status}")
        if response.status != HTTPStatus.OK:
            raise error_from_problem(response.status, response.content)
        return response.content
