"""The short way to routes: what it serves is what FastAPI serves on its own way."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Request
from fastapi.testclient import TestClient
from starlette.exceptions import HTTPException
from starlette.responses import Response

from services.contracts.domain.errors import TooManyRequests, UnknownProduct
from services.contracts.web.bodies.forms import read_body
from services.contracts.web.direct_routes import RequestRoute
from services.contracts.web.observability import tracing
from services.contracts.web.observability.telemetry import Metrics
from tests.support.web.web_app import app_of

ERRORS: dict[str, Exception] = {
    "domain": UnknownProduct("there is none"),
    "busy": TooManyRequests("try again"),
    "http": HTTPException(413, "too large"),
    "fault": RuntimeError("a fault"),
}
router = APIRouter(prefix="/v1")
short = APIRouter(prefix="/v1", route_class=RequestRoute)


@short.post("/echo")
async def echo(request: Request) -> Response:
    return Response(await read_body(request), headers={"Cache-Control": "max-age=9"})


@short.get("/things/{name}/part")
async def part(request: Request) -> Response:
    return Response(request.path_params["name"])


@short.get("/errors/{name}")
async def fail(request: Request) -> Response:
    raise ERRORS[request.path_params["name"]]


@router.get("/plain")
async def plain() -> str:
    return "plain"


class Shop:
    """An app of a service, and its metrics."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.client = TestClient(
            app_of(short, router, max_body_bytes=1000, metrics=self.metrics), raise_server_exceptions=False
        )

    def routes(self) -> set[str]:
        """Return the routes that the metrics name."""
        samples = next(iter(self.metrics.requests.metric.collect())).samples
        return {sample.labels["route"] for sample in samples}


@pytest.fixture
def direct() -> Iterator[Shop]:
    with (shop := Shop()).client:
        yield shop


@pytest.fixture
def through_fastapi(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setattr(tracing, "is_on", lambda: True)
    shop = Shop()
    monkeypatch.undo()
    with shop.client:
        yield shop


REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/v1/echo", {"content": b"hello"}),
    ("POST", "/v1/echo", {"content": b"x" * 1001}),
    ("GET", "/v1/echo", {}),
    ("GET", "/v1/things/a%20b/part", {}),
    ("HEAD", "/v1/things/a/part", {}),
    ("POST", "/v1/things/a/part", {}),
    ("GET", "/v1/things/a/part/", {}),
    *[("GET", f"/v1/errors/{name}", {}) for name in ERRORS],
    ("GET", "/v1/plain", {}),
    ("GET", "/v1/nothing", {}),
]


def shown(response: httpx.Response) -> tuple[int, dict[str, str], Any]:
    is_problem = "problem" in response.headers.get("content-type", "")
    body = {**response.json(), "request_id": ""} if is_problem else response.content
    varying = ("x-request-id", "content-length" if is_problem else "")
    return response.status_code, {k: v for k, v in response.headers.items() if k not in varying}, body


@pytest.mark.parametrize(("method", "path", "options"), REQUESTS)
def test_a_response_is_that_of_fastapi(
    direct: Shop, through_fastapi: Shop, method: str, path: str, options: dict[str, Any]
) -> None:
    assert shown(direct.client.request(method, path, **options)) == shown(
        through_fastapi.client.request(method, path, **options)
    )
    assert direct.routes() == through_fastapi.routes()


def test_the_router_is_not_asked(direct: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(APIRouter, "app", refuse)
    monkeypatch.setattr(RequestRoute, "matches", refuse)
    assert direct.client.post("/v1/echo", content=b"hello").content == b"hello"
    assert direct.client.get("/v1/things/a%2Fb/part").status_code == 500  # the name has a slash: no such route
    assert direct.client.get("/v1/things/a/part").text == "a"


def test_a_field_that_a_response_sets_is_kept(direct: Shop) -> None:
    response = direct.client.post("/v1/echo", headers={"X-Request-ID": "mine"})
    assert response.headers.get_list("cache-control") == ["max-age=9"]
    assert response.headers.get_list("x-request-id") == ["mine"]
    assert direct.client.get("/v1/plain").headers["cache-control"] == "no-store"
