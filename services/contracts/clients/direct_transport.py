"""How requests travel to a service of the same process: without a socket (docs/adr/0029)."""

import asyncio
import logging
from collections.abc import Mapping
from contextvars import Context
from typing import Any
from urllib.parse import unquote

import httpx

from services.contracts.clients.service_transport import ServiceRequest, ServiceResponse, ServiceTransport, Transport
from services.contracts.web.local_app import LocalApp, local_app
from services.contracts.wire.index import REVISION_FIELD

log = logging.getLogger("uvicorn.error")
_REVISION = REVISION_FIELD.encode()
# Of the event loop, that an app leaves to others after its response: its log line and metrics wait until its caller has
# called the next service and has the response.
TURNS = 3


def transport_to(address: httpx.URL, max_connections: int) -> Transport:
    """Return how requests travel to an address: to an app of this process, or over TCP."""
    app = local_app(address.scheme, address.host, address.port)
    return ServiceTransport(address, max_connections) if app is None else DirectTransport(app, address)


class DirectTransport:
    """Calls an app as its server would, each request in a task and with context variables of its own.

    A caller that is cancelled or out of time disconnects, as over a socket.
    """

    def __init__(self, app: LocalApp, address: httpx.URL) -> None:
        self._app = app
        self._host = (b"host", address.netloc)
        self._server = (address.host, address.port)
        self._running: set[asyncio.Task[None]] = set()

    async def send(self, request: ServiceRequest, step_s: float, total_s: float | None) -> ServiceResponse:
        """Return the response; see `Transport.send`."""
        state = self._app.state
        if state is None:
            raise httpx.ConnectError("the service does not run")
        loop = asyncio.get_running_loop()
        exchange = _Exchange(request.content or b"", loop.create_future())
        call = self._app(self._scope(request, state), exchange.receive, exchange.send)
        task = loop.create_task(call, context=Context())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(exchange.end)
        try:
            async with asyncio.timeout(step_s if total_s is None else min(step_s, total_s)):
                return await exchange.response
        except TimeoutError:
            raise httpx.ReadTimeout("the response did not come in time") from None
        finally:
            exchange.disconnected.set()

    async def close(self) -> None:
        """Nothing is kept open."""

    def _scope(self, request: ServiceRequest, state: Mapping[str, Any]) -> dict[str, Any]:
        path, _, query = request.target.partition("?")
        headers = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in request.fields.items()]
        if request.content is not None:
            headers.append((b"content-length", b"%d" % len(request.content)))
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": self._server,
            "client": (self._server[0], 0),
            "scheme": "http",
            "root_path": "",
            "method": request.method,
            "path": unquote(path),
            "raw_path": path.encode("ascii"),
            "query_string": query.encode("ascii"),
            "headers": [self._host, *headers],
            "state": dict(state),
        }


class _Exchange:
    """A request and its response."""

    def __init__(self, body: bytes, response: "asyncio.Future[ServiceResponse]") -> None:
        self.response = response
        self.disconnected = asyncio.Event()
        self._request: bytes | None = body  # None: the app has it
        self._status, self._content_type, self._revision = 0, "", ""
        self._body: list[bytes] = []

    async def receive(self) -> dict[str, Any]:
        """Give the app the whole body, then the client's departure."""
        if self._request is not None:
            body, self._request = self._request, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.disconnected.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        """Take a part of the response."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            fields = [(name.lower(), value) for name, value in message.get("headers", ())]
            first = dict(reversed(fields))
            self._content_type = first.get(b"content-type", b"").decode("latin-1")
            self._revision = first.get(_REVISION, b"").decode("latin-1")
        elif message["type"] == "http.response.body":
            self._body.append(message.get("body", b""))
            if not message.get("more_body", False) and not self.response.done():
                body = b"".join(self._body)
                self.response.set_result(ServiceResponse(self._status, self._content_type, body, self._revision))
                for _ in range(TURNS):
                    await asyncio.sleep(0)

    def end(self, task: "asyncio.Task[None]") -> None:
        """Report an app that failed, and fail the request if it has no response."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("Exception in ASGI application\n", exc_info=error)
        if not self.response.done():
            self.response.set_exception(httpx.RemoteProtocolError("the service ended without a whole response"))
