"""A body over the limit is read to its end, up to a bound, and then a problem."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter, Request
from fastapi.testclient import TestClient
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from services.contracts.web.bodies import body_limit
from services.contracts.web.bodies.body_limit import BodyLimitMiddleware, BodyRate, limit_body
from tests.support.web.web_app import app_of


class Message(BaseModel):
    text: str


router = APIRouter()


@router.post("/json")
async def json_route(message: Message) -> int:
    return len(message.text)


@router.post("/raw")
async def raw_route(request: Request) -> int:
    return len(await request.body())


@router.post("/lower")
async def lower_route(request: Request) -> list[int]:
    return [limit_body(request.scope, 10), len(await request.body())]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    app = app_of(
        router,
        max_body_bytes=100,
    )
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def chunked(*sizes: int) -> Iterator[bytes]:
    return (bytes(size) for size in sizes)


def too_large(response: Any) -> str:
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == "/problems/image-too-large"
    assert response.json()["request_id"] == response.headers["x-request-id"]
    return str(response.json()["detail"])


@pytest.mark.parametrize("size", [0, 1, 100])
def test_a_body_up_to_the_limit_is_accepted_with_or_without_content_length(client: TestClient, size: int) -> None:
    assert client.post("/raw", content=bytes(size)).json() == size
    assert client.post("/raw", content=chunked(size // 2, size - size // 2)).json() == size


def test_a_body_over_the_limit_is_a_problem_with_or_without_content_length(client: TestClient) -> None:
    assert "100 bytes" in too_large(client.post("/raw", content=bytes(101)))
    assert "100 bytes" in too_large(client.post("/raw", content=chunked(60, 41)))


def test_a_json_body_over_the_limit_is_the_same_problem(client: TestClient) -> None:
    too_large(client.post("/json", json={"text": "x" * 200}))
    assert client.post("/json", json={"text": "x"}).json() == 1


def test_a_route_can_lower_the_limit_and_learns_the_expected_size(client: TestClient) -> None:
    assert client.post("/lower", content=bytes(4)).json() == [4, 4]
    assert client.post("/lower", content=chunked(4, 4)).json() == [10, 8]
    assert "10 bytes" in too_large(client.post("/lower", content=bytes(11)))
    assert "10 bytes" in too_large(client.post("/lower", content=chunked(6, 5)))


async def consume(size: int, announced: bool) -> tuple[int, int]:
    """Send a body in messages of 10 bytes to an app with a limit of 100.

    Returns:
        The bytes that the middleware read, and those that the app received before the error.
    """
    read = received = 0

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 10
        return {"type": "http.request", "body": bytes(10), "more_body": read < size}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal received
        with pytest.raises(HTTPException):
            while True:
                received += len((await receive())["body"])

    async def send(_: Any) -> None: ...

    headers = [(b"content-length", str(size).encode())] if announced else []
    await BodyLimitMiddleware(app, 100)({"type": "http", "headers": headers}, receive, send)
    return read, received


async def test_a_body_with_a_content_length_over_the_limit_is_discarded_before_the_app_receives_any() -> None:
    assert await consume(1000, announced=True) == (1000, 0)


async def test_the_rest_of_a_body_over_the_limit_is_discarded() -> None:
    assert await consume(1000, announced=False) == (1000, 100)


@pytest.mark.parametrize(("announced", "received"), [(True, 0), (False, 100)])
async def test_an_endless_body_is_read_up_to_a_bound(
    announced: bool, received: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_limit, "DISCARD_BYTES", 500)
    assert await consume(10**9, announced) == (600, received)


async def test_a_path_can_have_its_own_limit() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": bytes(500), "more_body": False}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        bounds.append(len((await receive())["body"]))

    async def send(_: Any) -> None: ...

    bounds: list[int] = []
    limited = BodyLimitMiddleware(app, 100, {"/large": 500})
    await limited({"type": "http", "path": "/large", "headers": []}, receive, send)
    assert bounds == [500]
    with pytest.raises(HTTPException, match="100 bytes"):
        await limited({"type": "http", "path": "/large/not", "headers": []}, receive, send)


@pytest.mark.parametrize(("received", "seconds"), [(0, 10), (500, 10.5), (4000, 14)])
def test_the_time_for_the_next_bytes_grows_with_those_that_have_arrived(received: int, seconds: float) -> None:
    rate = BodyRate(bytes_per_s=1000, grace_s=10)
    assert rate.seconds(received) == seconds
    assert rate.text == "1,000 bytes a second"


async def passed(headers: dict[str, str], *bodies: bytes, own: int | None = None, max_json_bytes: int = 10) -> int:
    """Return how many bytes of a body an app receives, whose limit is 100 bytes, or `own` at its path."""
    messages = [{"type": "http.request", "body": body, "more_body": body is not bodies[-1]} for body in bodies]
    received = 0

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal received
        for _ in bodies:
            received += len((await receive())["body"])

    async def send(_: Any) -> None: ...

    paths = {} if own is None else {"/own": own}
    fields = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    limited = BodyLimitMiddleware(app, 100, paths, max_json_bytes)
    await limited({"type": "http", "path": "/own", "headers": fields}, receive, send)
    assert messages == []
    return received


@pytest.mark.parametrize(
    ("kind", "is_json"),
    [
        ("application/json", True),
        ("Application/JSON ; charset=utf-8", True),
        ("application/problem+json", True),
        ("application/ld+json;x=y", True),
        ("", False),
        ("text/json", False),
        ("text/plain; x=application/json", False),
        ("application/jsonl", False),
    ],
)
async def test_bodies_in_json_have_a_limit_of_their_own(kind: str, is_json: bool) -> None:
    headers = {"Content-Type": kind}
    assert await passed(headers, b"x" * 10) == 10
    assert await passed(headers, b"x" * 5, b"x" * 5) == 10
    for bodies in ([b"x" * 11], [b"x" * 5, b"x" * 6], [b"x" * 11, b"x" * 20]):
        if is_json:
            with pytest.raises(HTTPException, match="JSON has more than 10 bytes") as raised:
                await passed(headers, *bodies)
            assert raised.value.status_code == 413
        else:
            assert await passed(headers, *bodies) == len(b"".join(bodies))


@pytest.mark.parametrize("own", [50, 200])
async def test_the_limit_of_a_path_is_the_only_one_for_its_json(own: int) -> None:
    headers = {"Content-Type": "application/json"}
    assert await passed(headers, b"x" * own, own=own) == own
    with pytest.raises(HTTPException, match=f"limit of {own} bytes"):
        await passed(headers, b"x" * (own + 1), own=own)


@pytest.mark.parametrize("length", ["", "x", "-1", "\u0661", "3, 4"])
async def test_a_length_that_is_no_number_is_not_announced(length: str) -> None:
    assert await passed({"Content-Length": length}, b"x" * 9) == 9


async def test_the_length_in_the_head_is_compared_with_the_limit() -> None:
    assert await passed({"Content-Length": "100"}, b"x" * 100) == 100
    with pytest.raises(HTTPException, match="limit of 100 bytes"):
        await passed({"Content-Length": "101"}, b"x" * 100)
