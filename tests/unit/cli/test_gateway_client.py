"""What commands make of a gateway's answers."""

import httpx
import pytest

from services.cli.gateway_client import GatewayClient, GatewayError

PROBLEM = {"type": "/problems/index-not-ready", "status": 503, "detail": "the index is not ready: it loads"}


def client(*responses: httpx.Response, asked: list[str] | None = None) -> GatewayClient:
    waiting = list(responses)

    def handler(request: httpx.Request) -> httpx.Response:
        if asked is not None:
            asked.append(str(request.url))
        return waiting.pop(0)

    return GatewayClient("http://gateway.test", httpx.MockTransport(handler))


def test_the_ids_of_similar_products_come_in_their_order() -> None:
    asked: list[str] = []
    answer = httpx.Response(200, json={"results": [{"id": "b"}, {"id": "a"}]})
    with client(answer, asked=asked) as gateway:
        assert gateway.similar("a/b c?", "fashion/2", 10) == ["b", "a"]
    assert asked == ["http://gateway.test/v1/products/a%2Fb%20c%3F/similar?k=10&model=fashion%2F2"]


def test_a_product_that_a_model_lacks_has_no_similar_ones() -> None:
    gone = httpx.Response(404, json={"type": "/problems/unknown-product", "detail": "there is no product"})
    assert client(gone).similar("a", "fashion/2", 10) == []


def test_a_problem_is_told_in_its_own_words() -> None:
    with pytest.raises(GatewayError, match="the index is not ready: it loads") as caught:
        client(httpx.Response(503, json=PROBLEM)).stats()
    assert caught.value.status == 503


def test_what_is_no_gateway_is_called_so() -> None:
    with pytest.raises(GatewayError, match="is no Lookalike gateway"):
        client(httpx.Response(200, text="<html>")).stats()
    with pytest.raises(GatewayError, match="no gateway answers at http://127"):
        GatewayClient("http://127.0.0.1:1").stats()


@pytest.mark.parametrize("address", ["nonsense", "ftp://host", "http://[::1", "http://host:port"])
def test_an_address_that_is_none_says_so(address: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        GatewayClient(address)


def test_a_catalogue_is_asked_for_below_its_address() -> None:
    asked: list[str] = []
    answers = [httpx.Response(200, json={"products": 3}), httpx.Response(200, json={"results": []})]
    with client(*answers, httpx.Response(200, json={"catalogues": [{"name": "default"}]}), asked=asked) as gateway:
        gateway.stats("all")
        gateway.similar("a", "fashion/2", 10, "shoes")
        assert gateway.catalogues() == ("default",)
    assert [one.removeprefix("http://gateway.test") for one in asked] == [
        "/catalogues/all/v1/stats",
        "/catalogues/shoes/v1/products/a/similar?k=10&model=fashion%2F2",
        "/v1/catalogues",
    ]
