"""The client of the embedding service: requests, responses and errors."""

from collections.abc import Callable

import httpx
import orjson
import pytest

from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.domain.box import box_of
from services.contracts.domain.errors import (
    EmbeddingUnavailable,
    InvalidImage,
    LookalikeError,
    TooManyRequests,
    UnknownModel,
    UnsupportedImage,
    UpstreamTimeout,
)
from services.contracts.web.observability import telemetry
from services.contracts.web.problems import problem_response
from services.contracts.wire.framing import unpack
from tests.support.web.service_transport import AnsweringTransport

EMBEDDING = {
    "category": {"id": 1, "name": "Shoes", "probability": 0.9},
    "probabilities": {"Topwear": 0.1, "Shoes": 0.9},
    "vector": [0.6, 0.8],
    "model": "fashion/7",
}
BATCH_EMBEDDING = {**EMBEDDING, "vector": "AAAAPwAAgL4="}
ERROR = {"type": "/problems/invalid-image", "status": 422, "detail": "it is broken"}
MODEL = {
    "model": "fashion/7",
    "categories": ["Topwear", "Shoes"],
    "dimension": 2,
    "input": {"height": 80, "width": 80},
    "thresholds": {},
}
Handler = Callable[[httpx.Request], httpx.Response]


def client(handler: Handler) -> EmbeddingClient:
    return EmbeddingClient("http://embedding.test", 1.0, transport=AnsweringTransport(handler))


def answering(status: int, body: bytes) -> EmbeddingClient:
    return client(lambda _: httpx.Response(status, content=body))


def failing(error: type[httpx.TransportError]) -> EmbeddingClient:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error("simulated", request=request)

    return client(handler)


async def test_the_box_and_the_model_are_query_parameters() -> None:
    requests: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={**EMBEDDING, "timings_ms": {}})

    await client(handler).embed(b"picture", "fashion/7", box_of("0.25,0,0.75,1"))
    assert dict(requests[0].url.params) == {"model": "fashion/7", "box": "0.25,0.0,0.75,1.0"}


async def test_one_image_is_sent_as_the_body() -> None:
    requests: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={**EMBEDDING, "timings_ms": {"decode": 1.0}})

    embedding = await client(handler).embed(b"picture")
    assert (embedding.category.name, embedding.vector, embedding.model) == ("Shoes", [0.6, 0.8], "fashion/7")
    assert (requests[0].url.path, requests[0].content) == ("/v1/embed", b"picture")
    assert requests[0].headers["Content-Type"] == "application/octet-stream"


async def test_a_batch_is_one_body_in_order_and_each_error_belongs_to_its_image() -> None:
    bodies: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        return httpx.Response(200, json={"items": [{"embedding": BATCH_EMBEDDING}, {"error": ERROR}], "timings_ms": {}})

    batch = await client(handler).embed_batch([b"first", b"second"])
    good, bad = batch.items
    assert good.embedding is not None
    assert good.embedding.category.id == 1
    assert bad.error is not None
    assert bad.error.detail == "it is broken"
    assert good.embedding.array.tolist() == [0.5, -0.25]
    assert unpack(bodies[0], max_files=2) == [b"first", b"second"]


async def test_a_vector_with_a_partial_float_is_an_unexpected_response() -> None:
    body = {"items": [{"embedding": {**BATCH_EMBEDDING, "vector": "AAAA"}}], "timings_ms": {}}
    with pytest.raises(EmbeddingUnavailable, match="unexpected response"):
        await answering(200, orjson.dumps(body)).embed_batch([b"picture"])


async def test_the_facts_of_a_model() -> None:
    facts = await answering(200, orjson.dumps(MODEL)).model()
    assert (facts.model, facts.categories) == ("fashion/7", ["Topwear", "Shoes"])


@pytest.mark.parametrize(
    "error",
    [
        InvalidImage("truncated"),
        UnsupportedImage("a text"),
        EmbeddingUnavailable("no network"),
        UpstreamTimeout("slow"),
        TooManyRequests("full"),
    ],
)
async def test_a_problem_becomes_its_exception(error: LookalikeError) -> None:
    body = bytes(problem_response(error).body)
    with pytest.raises(type(error), match=error.detail):
        await answering(error.status, body).embed(b"picture")


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError])
async def test_a_failing_connection_is_unavailable(error: type[httpx.TransportError]) -> None:
    with pytest.raises(EmbeddingUnavailable):
        await failing(error).embed(b"picture")


@pytest.mark.parametrize("error", [httpx.ConnectTimeout, httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout])
async def test_a_service_that_does_not_respond_is_a_timeout(error: type[httpx.TransportError]) -> None:
    with pytest.raises(UpstreamTimeout):
        await failing(error).embed_batch([b"picture"])


async def test_an_error_without_a_problem_document_is_an_error_with_its_status() -> None:
    with pytest.raises(LookalikeError, match="answered 502"):
        await answering(502, b"<html>bad gateway</html>").embed(b"picture")


async def test_an_unexpected_document_is_embedding_unavailable() -> None:
    with pytest.raises(EmbeddingUnavailable, match="unexpected response"):
        await answering(200, b'{"hello": 1}').model()


async def test_readiness_raises_the_reasons_of_the_service() -> None:
    await answering(200, b'{"ready": true}').ready()
    with pytest.raises(EmbeddingUnavailable, match="no model is loaded"):
        await answering(503, b'{"ready": false, "reasons": ["no model is loaded"]}').ready()
    with pytest.raises(EmbeddingUnavailable, match="its response has the status 404"):
        await answering(404, b"nothing").ready()
    with pytest.raises(EmbeddingUnavailable, match="cannot be reached"):
        await failing(httpx.ConnectError).ready()


async def test_each_call_sends_its_model_if_it_has_one() -> None:
    requests: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(f"{request.url.path}?{request.url.query.decode()}")
        documents = {"/v1/embed": {**EMBEDDING, "timings_ms": {}}, "/v1/embed/batch": {"items": [], "timings_ms": {}}}
        return httpx.Response(200, json=documents.get(request.url.path, MODEL))

    calls = client(handler)
    for model in ("fashion/2", None):
        await calls.embed(b"picture", model)
        await calls.embed_batch([b"picture"], model)
        await calls.model(model)
        await calls.ready(model)
    await calls.embed(b"picture", "fashion/1", secondary_model="fashion/2")
    await calls.embed_batch([b"picture"], "fashion/1", "fashion/2")
    paths = ["/v1/embed", "/v1/embed/batch", "/v1/model", "/readyz"]
    both = "?model=fashion%2F1&secondary_model=fashion%2F2"
    assert requests[-2:] == [f"/v1/embed{both}", f"/v1/embed/batch{both}"]
    assert requests[:-2] == [f"{path}?model=fashion%2F2" for path in paths] + [f"{path}?" for path in paths]


async def test_the_models_are_listed_with_their_problems() -> None:
    listed = [
        {"model": "fashion/1", "first": True},
        {"model": "fashion/2", "first": False, "problem": "incomplete copy"},
    ]
    models = await answering(200, orjson.dumps({"models": listed})).models()
    assert [(model.model, model.first, model.problem) for model in models] == [
        ("fashion/1", True, None),
        ("fashion/2", False, "incomplete copy"),
    ]


async def test_a_model_that_the_service_does_not_have_is_unknown() -> None:
    body = bytes(problem_response(UnknownModel("there is no model fashion/9")).body)
    with pytest.raises(UnknownModel):
        await answering(404, body).embed(b"picture", "fashion/9")
    with pytest.raises(EmbeddingUnavailable, match="not ready: there is no model fashion/9"):
        await answering(404, body).ready("fashion/9")


async def test_the_request_id_is_passed_on() -> None:
    headers: list[httpx.Headers] = []

    def handler(request: httpx.Request) -> httpx.Response:
        headers.append(request.headers)
        return httpx.Response(200, json=MODEL)

    token = telemetry._request_id.set("abc-123")
    try:
        await client(handler).model()
    finally:
        telemetry._request_id.reset(token)
    assert headers[0][telemetry.REQUEST_ID_HEADER] == "abc-123"


@pytest.mark.parametrize("address", ["http://host:port", "http://host:65536", "http://[::1", "nonsense", "ftp://host/"])
def test_an_invalid_address_is_an_error_at_the_start(address: str) -> None:
    with pytest.raises(ValueError, match="is not a URL"):
        EmbeddingClient(address, 1.0)


async def test_a_refused_connection_is_an_unavailable_service() -> None:
    tcp_client = EmbeddingClient("http://127.0.0.1:9", 1.0)
    with pytest.raises(EmbeddingUnavailable, match="cannot be reached"):
        await tcp_client.embed(b"picture")
    await tcp_client.close()
