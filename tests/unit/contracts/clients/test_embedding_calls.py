"""What each call of the embedding service sends and returns, and which statuses are errors."""

from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest

from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.clients.service_http import ServiceHttp
from services.contracts.domain.box import box_of
from services.contracts.domain.errors import EmbeddingUnavailable, LookalikeError
from services.contracts.wire.framing import unpack
from tests.support.web.service_transport import AnsweringTransport

ADDRESS = "http://service.test"
CATEGORY = {"id": 1, "name": "Shoes", "probability": 0.9}
BOX = {"x": 0, "y": 0, "width": 1, "height": 0.5}
GARMENTS = {"garments": [{"box": BOX, "category": CATEGORY}], "model": "detector/2", "timings_ms": {"total": 1.0}}
CELLS = [[0.25, 0.5]]
EXPLANATION = {
    "similarity": 0.75,
    "grid": {"rows": 1, "columns": 2},
    "query": CELLS,
    "product": CELLS,
    "model": "fashion/7",
    "timings_ms": {"total": 1.0},
}


class Recorded:
    """A client whose requests are kept and answered alike."""

    def __init__(self, content: bytes, status: int = 200) -> None:
        self.requests: list[httpx.Request] = []

        def handler(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return httpx.Response(status, content=content)

        self.transport = AnsweringTransport(handler)
        self.client = EmbeddingClient(ADDRESS, 1.0, transport=self.transport)


async def test_the_garments_of_a_picture_are_those_of_the_response() -> None:
    recorded = Recorded(orjson.dumps(GARMENTS))
    detected = await recorded.client.detect(b"picture")
    assert detected.model_dump(mode="json") == GARMENTS
    (request,) = recorded.requests
    assert (request.method, str(request.url), request.content) == ("POST", f"{ADDRESS}/v1/detect", b"picture")


async def test_an_explanation_is_that_of_both_pictures() -> None:
    recorded = Recorded(orjson.dumps(EXPLANATION))
    explained = await recorded.client.explain(b"query", b"product", "fashion/7", box_of("0,0,0.5,1"))
    assert explained.model_dump(mode="json") == EXPLANATION
    await recorded.client.explain(b"query", b"product")
    first, second = recorded.requests
    assert unpack(first.content, 2) == unpack(second.content, 2) == [b"query", b"product"]
    assert dict(first.url.params) == {"model": "fashion/7", "box": "0.0,0.0,0.5,1.0"}
    assert dict(second.url.params) == {}


@pytest.mark.parametrize(("content", "picture"), [(b"small", b"small"), (b"", None)])
async def test_a_picture_that_is_not_wider_is_not_made_smaller(content: bytes, picture: bytes | None) -> None:
    recorded = Recorded(content)
    assert await recorded.client.resize(b"picture", 300) == picture
    assert str(recorded.requests[0].url) == f"{ADDRESS}/v1/resize?width=300"
    assert recorded.requests[0].content == b"picture"


@pytest.mark.parametrize("status", [200, 201, 204, 299])
async def test_every_status_of_success_is_one(status: int) -> None:
    assert await Recorded(b"small", status).client.resize(b"", 1) == b"small"


@pytest.mark.parametrize("status", [199, 300, 301, 404, 500])
async def test_every_other_status_is_an_error(status: int) -> None:
    with pytest.raises(LookalikeError, match=f"answered {status}"):
        await Recorded(b"small", status).client.resize(b"", 1)


@pytest.mark.parametrize(
    ("status", "document", "text"),
    [
        (503, {"reasons": ["no model", "no memory"]}, "not ready: no model; no memory"),
        (503, {"reasons": []}, "not ready: "),
        (401, {"detail": "a token is needed"}, "not ready: a token is needed"),
        (503, {}, "its response has the status 503"),
        (201, [], "its response has the status 201"),
        (503, 7, "its response has the status 503"),
    ],
)
async def test_a_service_that_is_not_ready_says_why(status: int, document: object, text: str) -> None:
    with pytest.raises(EmbeddingUnavailable) as raised:
        await Recorded(orjson.dumps(document), status).client.ready()
    assert raised.value.detail.endswith(text)


async def test_a_service_that_is_ready_is() -> None:
    recorded = Recorded(b"{}")
    await recorded.client.ready("fashion/7")
    assert str(recorded.requests[0].url) == f"{ADDRESS}/readyz?model=fashion%2F7"


@pytest.mark.parametrize("kind", [EmbeddingClient, ServiceHttp])
async def test_a_client_closes_its_connections(kind: Callable[..., Any]) -> None:
    class Closing(AnsweringTransport):
        has_closed = False

        async def close(self) -> None:
            self.has_closed = True

    transport = Closing(lambda _: httpx.Response(200))
    await kind(ADDRESS, 1.0, transport=transport).close()
    assert transport.has_closed


@pytest.mark.parametrize(("port", "is_valid"), [(0, False), (1, True), (65_535, True)])
def test_an_address_has_a_port_from_1_on(port: int, is_valid: bool) -> None:
    if is_valid:
        assert EmbeddingClient(f"http://a:{port}", 1.0).address == f"http://a:{port}"
    else:
        with pytest.raises(ValueError, match="is not a URL"):
            EmbeddingClient(f"http://a:{port}", 1.0)
