"""The client of an index node: what it sends, and which errors it raises."""

import httpx
import orjson
import pytest

from services.contracts.domain.errors import IndexNotReady, LookalikeError, UnknownProduct, UpstreamTimeout
from services.contracts.wire.index import IndexSearch, IndexSimilar
from services.gateway.index_nodes.client import IndexClient
from tests.support.fakes.index_fakes import FakeIndex
from tests.support.web.service_transport import AnsweringTransport

NODE = FakeIndex({0: ["t1", "t2"], 1: [], 2: []})
SEARCH = IndexSearch(category=0, vector=[1.0], model="fashion/1", k=3)


class Server:
    """Answers with `response`, or raises it, and records the requests."""

    def __init__(self, response: httpx.Response | Exception) -> None:
        self.response = response
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if isinstance(self.response, Exception):
            raise self.response
        return self.response

    @property
    def client(self) -> IndexClient:
        return IndexClient("http://index.test", 1.0, transport=AnsweringTransport(self))


def document(body: bytes) -> httpx.Response:
    return httpx.Response(200, content=body, headers={"Content-Type": "application/json"})


async def test_a_search_is_posted_and_its_response_read() -> None:
    expected = await NODE.search(SEARCH)
    server = Server(document(expected.model_dump_json().encode()))
    assert await server.client.search(SEARCH) == expected
    (request,) = server.requests
    assert (request.method, request.url.path) == ("POST", "/v1/search")
    assert IndexSearch.model_validate_json(request.content) == SEARCH
    assert await server.client.similar(IndexSimilar(id="t1")) == expected
    assert server.requests[-1].url.path == "/v1/similar"


async def test_the_status_is_read() -> None:
    expected = await NODE.status()
    server = Server(document(expected.model_dump_json().encode()))
    assert await server.client.status() == expected
    assert (server.requests[0].method, server.requests[0].url.path) == ("GET", "/v1/status")


@pytest.mark.parametrize(
    ("category", "catalogues", "query"),
    [
        (None, ("default",), "count=5&catalogue=default"),
        (2, ("default", "shoes"), "count=5&catalogue=default&catalogue=shoes&category=2"),
        (0, ("default",), "count=5&catalogue=default&category=0"),
    ],
)
async def test_a_sample_names_its_catalogues_and_category(
    category: int | None, catalogues: tuple[str, ...], query: str
) -> None:
    expected = await NODE.sample(5, None if category is None else 0, catalogues)
    server = Server(document(expected.model_dump_json().encode()))
    assert await server.client.sample(5, category, catalogues) == expected
    assert server.requests[0].url.query.decode() == query


@pytest.mark.parametrize(
    ("response", "error", "words"),
    [
        (httpx.ConnectError("refused"), IndexNotReady, "the index service cannot be reached"),
        (httpx.ReadTimeout("late"), UpstreamTimeout, "the index service did not answer in time"),
        (httpx.ReadError("reset"), IndexNotReady, "the index service closed the connection"),
        (httpx.Response(502, text="<html>"), IndexNotReady, "a proxy in front of the index service answered 502"),
        (httpx.Response(500, text="<html>"), LookalikeError, "a service answered 500 without a problem document"),
        (
            httpx.Response(
                404,
                content=orjson.dumps({"type": "/problems/unknown-product", "detail": "there is no product 'x'"}),
                headers={"Content-Type": "application/problem+json"},
            ),
            UnknownProduct,
            "there is no product 'x'",
        ),
        (
            httpx.Response(
                503,
                content=orjson.dumps({"type": "/problems/index-not-ready", "detail": "it is loading"}),
                headers={"Content-Type": "application/problem+json; charset=utf-8"},
            ),
            IndexNotReady,
            "it is loading",
        ),
    ],
)
async def test_a_failed_call_is_a_typed_error(
    response: httpx.Response | Exception, error: type[LookalikeError], words: str
) -> None:
    with pytest.raises(LookalikeError) as caught:
        await Server(response).client.search(SEARCH)
    assert (type(caught.value), caught.value.detail) == (error, words)


async def test_a_server_that_is_not_an_index_is_named() -> None:
    with pytest.raises(IndexNotReady, match="is not an index of this version"):
        await Server(document(b'{"model": "fashion/1"}')).client.status()


@pytest.mark.parametrize(("status", "is_proxy"), [(501, False), (502, True), (503, True), (504, True), (505, False)])
async def test_only_the_errors_of_proxies_are_a_proxys(status: int, is_proxy: bool) -> None:
    with pytest.raises(LookalikeError) as caught:
        await Server(httpx.Response(status, text="<html>")).client.status()
    assert isinstance(caught.value, IndexNotReady) is is_proxy
    assert str(status) in caught.value.detail


@pytest.mark.parametrize("status", [201, 204, 302])
async def test_another_success_is_no_answer_of_an_index(status: int) -> None:
    with pytest.raises(LookalikeError):
        await Server(httpx.Response(status, content=b"{}")).client.search(SEARCH)
