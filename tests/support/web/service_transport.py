"""A transport of the services' clients whose requests a function of the test answers."""

from collections.abc import Callable

import httpx

from services.contracts.clients.service_transport import ServiceRequest, ServiceResponse
from services.contracts.wire.index import REVISION_FIELD

Handler = Callable[[httpx.Request], httpx.Response]


class AnsweringTransport:
    """Passes each request to a function, as httpx has it."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def send(self, request: ServiceRequest, step_s: float, total_s: float | None) -> ServiceResponse:
        """Return the function's response."""
        url = f"http://service.test{request.target}"
        response = self._handler(
            httpx.Request(request.method, url, headers=dict(request.fields), content=request.content)
        )
        kind, revision = (response.headers.get(name, "") for name in ("content-type", REVISION_FIELD))
        return ServiceResponse(response.status_code, kind, response.content, revision)

    async def close(self) -> None:
        """Nothing is open."""
