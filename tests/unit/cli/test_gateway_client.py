"""The client of commands, against a gateway's responses."""

import httpx
import pytest

from services.cli.gateway_client import GatewayClient, GatewayError

PROBLEM = {"type": "/problems/index-not-ready", "status": 503, "detail": "the index is not ready: it loads"}


def client(*responses: httpx.Response, urls: list[str] | None = None) -> GatewayClient:
    waiting = list(responses)

    def handler(request: httpx.Request) -> httpx.Response:
        if urls is not None:
            urls.append(str(request.url))
        return waiting.pop(0)

    return GatewayClient("http://gateway.test", transport=httpx.MockTransport(handler))


def test_similar_products_are_their_ids_in_order() -> None:
    urls: list[str] = []
    response = httpx.Response(200, json={"results": [{"id": "b"}, {"id": "a"}]})
    with client(response, urls=urls) as gateway:
        assert gateway.similar("a/b c?", "fashion/2", 10, "default") == ["b", "a"]
    assert urls == ["http://gateway.test/v1/products/a%2Fb%20c%3F/similar?k=10&model=fashion%2F2"]


def test_a_product_without_a_vector_of_the_model_has_no_similar_products() -> None:
    gone = httpx.Response(404, json={"type": "/problems/unknown-product", "detail": "there is no product"})
    assert client(gone).similar("a", "fashion/2", 10, "default") == []


def test_a_problem_is_an_error_with_its_detail_and_its_status() -> None:
    with pytest.raises(GatewayError, match="the index is not ready: it loads") as caught:
        client(httpx.Response(503, json=PROBLEM)).stats("default")
    assert caught.value.status == 503


def test_a_server_that_is_not_a_gateway_is_named() -> None:
    with pytest.raises(GatewayError, match="is not a Lookalike gateway"):
        client(httpx.Response(200, text="<html>")).stats("default")
    with pytest.raises(GatewayError, match="no gateway answers at http://127"):
        GatewayClient("http://127.0.0.1:1").stats("default")


@pytest.mark.parametrize("address", ["nonsense", "ftp://host", "http://[::1", "http://host:port"])
def test_an_address_that_is_not_valid_is_named(address: str) -> None:
    with pytest.raises(ValueError, match="is not valid"):
        GatewayClient(address)


def test_a_catalogue_has_its_own_address() -> None:
    urls: list[str] = []
    responses = [httpx.Response(200, json={"products": 3}), httpx.Response(200, json={"results": []})]
    with client(*responses, httpx.Response(200, json={"catalogues": [{"name": "default"}]}), urls=urls) as gateway:
        gateway.stats("all")
        gateway.similar("a", "fashion/2", 10, "shoes")
        assert gateway.catalogues() == ("default",)
    assert [url.removeprefix("http://gateway.test") for url in urls] == [
        "/catalogues/all/v1/stats",
        "/catalogues/shoes/v1/products/a/similar?k=10&model=fashion%2F2",
        "/v1/catalogues",
    ]


def test_the_connection_is_closed_at_the_end() -> None:
    with client() as gateway:
        assert not gateway._http.is_closed
    assert gateway._http.is_closed
