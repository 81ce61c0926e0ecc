"""JSON bodies: what is accepted, and that a bad one is an error of the domain on FastAPI's own routes too."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import orjson
import pytest
from fastapi import APIRouter, Depends, Request
from fastapi.testclient import TestClient
from pydantic import BaseModel
from starlette.responses import Response

from services.contracts.domain.errors import InvalidRequest
from services.contracts.web.bodies.json_body import JsonBodyRoute, JsonRoute, json_object, read_json_object
from tests.support.web.web_app import app_of

LIMIT = 2000


class Message(BaseModel):
    text: str
    base64: str = ""


router = APIRouter(route_class=JsonRoute)


@router.post("/model")
async def model_route(message: Message) -> int:
    return len(message.text + message.base64)


@router.post("/object")
async def object_route(request: Request) -> int:
    return len(await read_json_object(request))


async def name_of(request: Request) -> str:
    return request.headers["x-name"]


direct = APIRouter(route_class=JsonBodyRoute)


@direct.post("/direct")
async def direct_route(name: Annotated[str, Depends(name_of)], message: Message) -> Response:
    return Response(f"{name}: {message.text}")


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    app = app_of(
        router,
        direct,
        max_body_bytes=100_000,
        max_json_bytes=LIMIT,
        body_bytes_of={"/object": 50_000},
    )
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def post(client: TestClient, path: str, body: bytes, kind: str = "application/json") -> Any:
    return client.post(path, content=body, headers={"Content-Type": kind})


def test_json_with_an_image_may_be_as_large_as_the_body(client: TestClient) -> None:
    body = orjson.dumps({"text": "x" * 100, "base64": "A" * 90_000})
    assert post(client, "/model", body).json() == 90_100


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"]
)
def test_json_without_an_image_has_a_small_limit(client: TestClient, kind: str) -> None:
    response = post(client, "/model", orjson.dumps({"text": "x" * LIMIT}), kind)
    assert (response.status_code, response.json()["type"]) == (413, "/problems/request-too-large")
    assert f"{LIMIT:,} bytes" in response.json()["detail"]


def test_a_path_with_its_own_limit_has_no_other_limit_for_json(client: TestClient) -> None:
    assert post(client, "/object", orjson.dumps({"text": "x" * 40_000})).json() == 1


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"{", "not valid JSON"),
        (b"[" * 1500, "not valid JSON"),
        (b"[]", "has to be a JSON object"),
        (orjson.dumps(dict.fromkeys(map(str, range(101)), 0)), "101 names"),
    ],
)
@pytest.mark.parametrize("path", ["/model", "/object"])
def test_a_body_that_is_no_json_object_of_few_names_is_an_invalid_request(
    client: TestClient, path: str, body: bytes, detail: str
) -> None:
    response = post(client, path, body)
    assert (response.status_code, response.json()["type"]) == (422, "/problems/invalid-request")
    assert detail in response.json()["detail"]


async def test_a_large_text_is_parsed_like_a_small_one() -> None:
    assert await json_object(orjson.dumps({"base64": "A" * 10**6}), "the text") == {"base64": "A" * 10**6}
    with pytest.raises(InvalidRequest, match="the text is not valid JSON"):
        await json_object(b'{"base64": "' + b"A" * 10**6, "the text")


def post_direct(client: TestClient, body: bytes, kind: str = "application/json") -> Any:
    return client.post("/direct", content=body, headers={"Content-Type": kind, "X-Name": "n"})


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8"])
def test_a_valid_body_reaches_the_endpoint_of_a_direct_route(client: TestClient, kind: str) -> None:
    assert post_direct(client, orjson.dumps({"text": "hello"}), kind).text == "n: hello"


def test_a_large_body_reaches_the_endpoint_of_a_direct_route(client: TestClient) -> None:
    body = orjson.dumps({"text": "hello", "base64": "A" * 90_000})
    assert post_direct(client, body).text == "n: hello"


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"{}", b'{"text": 1}', b"", orjson.dumps(dict.fromkeys(map(str, range(101)), 0))]
)
def test_a_wrong_body_of_a_direct_route_is_the_same_error_as_elsewhere(client: TestClient, body: bytes) -> None:
    there, here = post(client, "/model", body), post_direct(client, body)
    ids = ("request_id", "instance")
    assert {name: value for name, value in here.json().items() if name not in ids} == {
        name: value for name, value in there.json().items() if name not in ids
    }
    assert (here.status_code, here.json()["type"]) == (422, "/problems/invalid-request")


def test_a_direct_route_is_described_as_any_other(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert paths["/direct"]["post"]["requestBody"] == paths["/model"]["post"]["requestBody"]


async def test_large_texts_are_parsed_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now, most = 0, 0

    async def in_thread(parse: Callable[[bytes], object], text: bytes) -> object:
        nonlocal now, most
        now += 1
        most = max(most, now)
        for _ in range(5):
            await asyncio.sleep(0)
        now -= 1
        return parse(text)

    monkeypatch.setattr(asyncio, "to_thread", in_thread)
    text = orjson.dumps({"base64": "A" * 10**6})
    parsed = await asyncio.gather(*(json_object(text, "the text") for _ in range(4)))
    assert most == 1
    assert [len(document["base64"]) for document in parsed] == [10**6] * 4


async def test_an_object_has_at_most_a_hundred_names() -> None:
    assert len(await json_object(orjson.dumps({str(number): 1 for number in range(100)}), "it")) == 100
    with pytest.raises(InvalidRequest, match="it has 101 names: at most 100 are accepted"):
        await json_object(orjson.dumps({str(number): 1 for number in range(101)}), "it")
