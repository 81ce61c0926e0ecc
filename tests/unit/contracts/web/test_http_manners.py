"""What HTTP's own rules ask of every route: HEAD, Allow, entity tags, compression, and no redirects."""

import gzip
from collections.abc import Iterator

import pytest
from fastapi import APIRouter, FastAPI
from starlette.responses import StreamingResponse
from starlette.testclient import TestClient

from services.contracts.web.app import Readiness, ReadinessCheck, make_app
from services.contracts.web.etags import is_current
from services.contracts.web.observability.telemetry import Metrics


async def ready(_: object) -> Readiness:
    return Readiness(ready=True)


def app(*, compress: bool, readiness: ReadinessCheck = ready) -> FastAPI:
    router = APIRouter()

    @router.get("/things")
    def read_things() -> list[str]:
        return ["a thing"] * 200

    @router.post("/things")
    def write_things() -> str:
        return "written"

    @router.get("/lines")
    def read_lines() -> StreamingResponse:
        return StreamingResponse(iter([b"first\n", b"second\n"]))

    return make_app(
        service="test",
        description="",
        routers=[router],
        lifespan=None,  # type: ignore[arg-type]
        readiness=readiness,
        metrics=Metrics(),
        max_body_bytes=1000,
        compress=compress,
    )


@pytest.fixture
def client() -> Iterator[TestClient]:
    yield TestClient(app(compress=True))


@pytest.mark.parametrize("path", ["/things", "/livez", "/readyz", "/metrics", "/lines", "/nothing"])
def test_head_has_the_status_and_headers_of_get_and_no_body(client: TestClient, path: str) -> None:
    actual, head = client.get(path), client.head(path)
    assert head.status_code == actual.status_code
    assert head.content == b""
    if path != "/metrics":  # the request before has changed them
        assert head.headers.get("content-length") == actual.headers.get("content-length")
    assert head.headers["content-type"] == actual.headers["content-type"] if path != "/lines" else True


def test_a_refused_method_names_those_that_the_address_accepts(client: TestClient) -> None:
    response = client.delete("/things")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD, POST")
    assert client.post("/lines").headers["allow"] == "GET, HEAD"


def test_an_address_with_a_slash_at_its_end_is_not_redirected(client: TestClient) -> None:
    response = client.get("/things/", follow_redirects=False)
    assert (response.status_code, response.json()["type"]) == (404, "/problems/not-found")


def test_json_is_compressed_for_clients_that_accept_gzip(client: TestClient) -> None:
    with client.stream("GET", "/things", headers={"Accept-Encoding": "br, gzip"}) as response:
        raw = b"".join(response.iter_raw())
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(raw) == client.get("/things", headers={"Accept-Encoding": "identity"}).content
    assert len(raw) < 200
    assert "content-encoding" not in client.get("/livez").headers  # small bodies stay as they are
    assert "content-encoding" not in TestClient(app(compress=False)).get("/things").headers


@pytest.mark.parametrize(
    ("header", "current"),
    [
        (None, False),
        ('"a"', True),
        ('W/"a"', True),
        ('"b", "a"', True),
        ('W/"b" , W/"a"', True),
        ("*", True),
        ('"b"', False),
        ("a", False),
        ("", False),
        ('"x,\\"a"', False),
        ('"b,a"', False),
    ],
)
def test_an_entity_tag_is_compared_weakly_and_in_lists(header: str | None, current: bool) -> None:
    assert is_current(header, '"a"') is current
    assert is_current(header, 'W/"a"') is current


@pytest.mark.parametrize("reasons", [(), ("no model",)])
def test_readiness_has_a_status_its_reasons_and_when_to_ask_again(reasons: tuple[str, ...]) -> None:
    async def readiness(_: object) -> Readiness:
        return Readiness(ready=not reasons, reasons=reasons)

    response = TestClient(app(compress=False, readiness=readiness)).get("/readyz")
    assert response.status_code == (503 if reasons else 200)
    assert response.json() == {"ready": not reasons, "reasons": list(reasons)}
    assert response.headers.get("retry-after") == ("2" if reasons else None)
    assert TestClient(app(compress=False)).get("/livez").json() == {"alive": True}
