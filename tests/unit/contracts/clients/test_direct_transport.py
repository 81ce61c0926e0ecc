"""Calls of a service of the same process, without sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.contracts.clients.direct_transport import TURNS, DirectTransport, transport_to
from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.clients.service_transport import ServiceRequest, ServiceTransport
from services.contracts.domain.errors import InvalidRequest, LookalikeError
from services.contracts.web.local_app import LocalApp, local_apps
from services.contracts.web.requests.disconnect import until_disconnected
from tests.support.waiting import WITHIN_S

ADDRESS = httpx.URL("http://127.0.0.1:8001")
GET = ServiceRequest("GET", "/wait", {})
variable: ContextVar[str] = ContextVar("variable", default="none")


class Service:
    """An app that reports its requests, waits, and fails."""

    def __init__(self) -> None:
        self.is_waiting, self.has_ended = asyncio.Event(), asyncio.Event()
        routes = [
            Route("/report/{name}", self.report, methods=["GET", "POST"]),
            Route("/wait", self.wait),
            Route("/fail", self.fail),
            Route("/livez", self.report),
        ]
        self.app = LocalApp(Starlette(routes=routes, lifespan=self.lifespan))

    @asynccontextmanager
    async def lifespan(self, _: Any) -> AsyncIterator[dict[str, str]]:
        yield {"held": "by the lifespan"}

    async def report(self, request: Request) -> Response:
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        report = [request.method, request.url.path, request.url.query, headers, (await request.body()).decode()]
        return JSONResponse([*report, request.state.held, variable.get(), str(request.url.netloc)], 201)

    async def wait(self, request: Request) -> Response:
        self.is_waiting.set()
        try:
            await until_disconnected(request, asyncio.Event().wait())
        except InvalidRequest:
            self.has_ended.set()
        return Response()

    async def fail(self, _: Request) -> Response:
        raise RuntimeError("a defect")


@asynccontextmanager
async def running(app: LocalApp) -> AsyncIterator[None]:
    """Run an app's lifespan as a server does."""
    received: asyncio.Queue[Any] = asyncio.Queue()
    sent: asyncio.Queue[Any] = asyncio.Queue()
    task = asyncio.create_task(app({"type": "lifespan", "state": {}}, received.get, sent.put))
    await received.put({"type": "lifespan.startup"})
    assert (await sent.get())["type"] == "lifespan.startup.complete"
    yield
    await received.put({"type": "lifespan.shutdown"})
    await task


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service()
    async with running(service.app):
        yield service


@pytest.fixture
def transport(service: Service) -> DirectTransport:
    return DirectTransport(service.app, ADDRESS)


async def test_the_app_gets_the_request_and_its_lifespans_state_but_no_variables_of_the_caller(
    transport: DirectTransport,
) -> None:
    variable.set("the caller's")
    request = ServiceRequest("POST", "/report/a%20b?model=fashion/3", {"X-Request-ID": "42"}, "ü".encode())
    response = await transport.send(request, WITHIN_S, None)
    assert (response.status, response.content_type) == (201, "application/json")
    fields = {"x-request-id": "42", "content-length": "2"}
    expected = ["POST", "/report/a b", "model=fashion/3", fields, "ü", "by the lifespan", "none", "127.0.0.1:8001"]
    assert httpx.Response(200, content=response.content).json() == expected


@pytest.mark.parametrize("seconds", [(0.01, None), (WITHIN_S, 0.01)], ids=["of a step", "of all"])
async def test_a_response_that_does_not_come_is_a_timeout_and_ends_the_work(
    seconds: tuple[float, float | None], service: Service, transport: DirectTransport
) -> None:
    with pytest.raises(httpx.ReadTimeout):
        await transport.send(GET, *seconds)
    await asyncio.wait_for(service.has_ended.wait(), WITHIN_S)


async def test_a_cancelled_caller_ends_the_work(service: Service, transport: DirectTransport) -> None:
    calling = asyncio.create_task(transport.send(GET, WITHIN_S, None))
    await asyncio.wait_for(service.is_waiting.wait(), WITHIN_S)
    calling.cancel()
    await asyncio.wait_for(service.has_ended.wait(), WITHIN_S)
    with pytest.raises(asyncio.CancelledError):
        await calling


async def test_a_defect_is_a_500_and_in_the_log(transport: DirectTransport, caplog: pytest.LogCaptureFixture) -> None:
    response = await transport.send(ServiceRequest("GET", "/fail", {}), WITHIN_S, None)
    for _ in range(TURNS + 1):  # the app ends after its caller
        await asyncio.sleep(0)
    assert response.status == 500
    assert "a defect" in caplog.text


async def nothing(scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    await receive()
    if scope["type"] == "lifespan":
        await send({"type": "lifespan.startup.complete"})
        await receive()


async def test_an_app_without_a_response_is_an_error() -> None:
    app = LocalApp(nothing)
    async with running(app):
        with pytest.raises(httpx.RemoteProtocolError):
            await DirectTransport(app, ADDRESS).send(GET, WITHIN_S, None)


async def test_an_app_that_does_not_run_cannot_be_reached() -> None:
    app = LocalApp(nothing)
    for _ in ("before its start", "after its stop"):
        with pytest.raises(httpx.ConnectError):
            await DirectTransport(app, ADDRESS).send(GET, WITHIN_S, None)
        async with running(app):
            assert app.state is not None


async def test_a_client_calls_an_app_of_its_process_while_there_is_one(service: Service) -> None:
    with local_apps({8001: service.app}):
        client = EmbeddingClient(str(ADDRESS), WITHIN_S)
        assert isinstance(transport_to(ADDRESS, 1), DirectTransport)
        for other in ("http://127.0.0.1:8002", "http://embedding:8001", "https://127.0.0.1:8001"):
            assert isinstance(transport_to(httpx.URL(other), 1), ServiceTransport)
    assert isinstance(transport_to(ADDRESS, 1), ServiceTransport)
    with pytest.raises(LookalikeError, match="answered 404"):
        await client.models()  # the app has no such route
    await client.close()
