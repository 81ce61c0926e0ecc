"""Calls of one service over HTTP, each with the id and the deadline of the request that it is part of."""

from collections.abc import Mapping
from functools import lru_cache

import httpx

from services.contracts.clients.direct_transport import transport_to
from services.contracts.clients.service_transport import ServiceRequest, ServiceResponse, Transport
from services.contracts.domain.setting_types import HIGHEST_PORT
from services.contracts.web.observability.telemetry import outgoing_headers
from services.contracts.web.requests.deadline import deadline_headers, time_left_s
from services.contracts.web.service_token import token_headers

KNOWN_TARGETS = 256  # encoding one takes 0.06 ms


class ServiceHttp:
    """Sends requests to a service, each with what its caller's request passes on."""

    def __init__(
        self,
        base_url: str,
        timeout_s: float,
        *,
        token: str | None = None,
        max_connections: int = 100,
        transport: Transport | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            base_url: the service's address, such as `http://127.0.0.1:8002`.
            timeout_s: deadline of each step of a call, in seconds: connecting, sending, waiting for the response.
            token: the token of the services, if they ask for one.
            max_connections: the most open connections.
            transport: how requests travel. Default: TCP, or directly to a service of the same process.

        Raises:
            ValueError: the address is not an http or https URL.
        """
        base = _checked(base_url)
        self.address = base_url
        self._transport = transport or transport_to(base, max_connections)
        self._fields = token_headers(token)
        self._timeout_s = timeout_s
        prefix = base.path.rstrip("/")

        @lru_cache(KNOWN_TARGETS)
        def target(path: str, parameters: tuple[tuple[str, str], ...]) -> str:
            url = httpx.URL(prefix + path, params=dict(parameters)) if parameters else httpx.URL(prefix + path)
            return url.raw_path.decode("ascii")

        self._target = target

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def send(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        kind: str = "",
        parameters: Mapping[str, str | None] | None = None,
    ) -> ServiceResponse:
        """Return the response to a request, of any status.

        Args:
            method: of the request.
            path: of the resource, with or without a query string.
            content: the body.
            kind: the body's media type.
            parameters: of the query string; those that are None are left out.

        Raises:
            httpx.TimeoutException: a step takes too long, or the deadline of the caller's request passes.
            httpx.TransportError: there is no response.
            UpstreamTimeout: the deadline has passed already.
        """
        fields = {**self._fields, **outgoing_headers(), **deadline_headers()}
        if content is not None:
            fields["Content-Type"] = kind
        named = tuple((name, value) for name, value in (parameters or {}).items() if value is not None)
        request = ServiceRequest(method, self._target(path, named), fields, content)
        return await self._transport.send(request, self._timeout_s, time_left_s())


def _checked(address: str) -> httpx.URL:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise ValueError(f"the service's address {address!r} is not a URL: {error}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(f"the service's address {address!r} is not a URL: it must start with http://")
    if url.port is not None and not 0 < url.port <= HIGHEST_PORT:
        raise ValueError(f"the service's address {address!r} is not a URL: a port is from 1 to {HIGHEST_PORT}")
    return url
