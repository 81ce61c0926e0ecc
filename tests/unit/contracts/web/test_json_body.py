"""JSON bodies: what is accepted, and that a bad one is an error of the domain on FastAPI's own routes too."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from fastapi import APIRouter, Request
from fastapi.testclient import TestClient
from pydantic import BaseModel

from services.contracts.domain.errors import InvalidRequest
from services.contracts.web.bodies.json_body import JsonRoute, json_object, read_json_object
from tests.support.web_app import app_of

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


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    app = app_of(
        router,
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
