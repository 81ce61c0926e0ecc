"""The explanation of a match, around fakes: which two pictures are compared, and what is refused."""

import asyncio
import base64
import dataclasses
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from services.catalogue.product import ProductImage
from services.contracts.domain.box import Box
from services.contracts.domain.errors import EmbeddingUnavailable, InvalidRequest
from services.gateway.products.explanation import Explainer
from services.gateway.search.options import ExplainOptions
from tests.support.fakes.gateway_fakes import KEY, Gateway, running_gateway

FRONT, BACK, PHOTO, LINKED = b"\x01 front", b"\x01 back", b"\x01 a photo", b"\x01 linked"
URL = "https://shop.example/linked.jpg"
PATH = "/v1/products/a/explain"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running_gateway() as gateway:
        gateway.web.pages[URL] = LINKED
        images = [{"base64": in_base64(BACK)}]
        stored = gateway.client.put("/v1/products/a", json={"image_base64": in_base64(FRONT), "images": images})
        linked = gateway.client.put("/v1/products/b", json={"image_url": URL})
        assert (stored.status_code, linked.status_code) == (201, 201)
        yield gateway


def in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def compared(gateway: Gateway, path: str = PATH, **request: Any) -> tuple[bytes, bytes, str, Box | None]:
    response = gateway.client.post(path, **request)
    assert response.status_code == 200, response.text
    return gateway.embedding.explained[-1]


def test_a_photo_in_each_form_is_compared_with_the_products_picture(gateway: Gateway) -> None:
    gateway.web.pages["https://people.example/me.jpg"] = PHOTO
    forms: list[dict[str, Any]] = [
        {"content": PHOTO, "headers": {"Content-Type": "image/jpeg"}},
        {"files": {"image": PHOTO}},
        {"json": {"image_base64": in_base64(PHOTO)}},
        {"json": {"image_url": "https://people.example/me.jpg"}},
    ]
    for form in forms:
        assert compared(gateway, **form) == (PHOTO, FRONT, "fashion/1", None)


def test_the_response_has_a_number_for_each_cell(gateway: Gateway) -> None:
    document = gateway.client.post(PATH, files={"image": PHOTO}).json()
    assert document["similarity"] == 0.5
    assert document["grid"] == {"rows": 1, "columns": 2}
    assert (document["query"], document["product"]) == ([[0.25, -0.125]], [[0.0, 0.5]])
    assert (document["model"], document["timings_ms"].keys()) == ("fashion/1", {"network", "total"})
    assert document["request_id"]


def test_the_query_may_be_a_product_and_the_match_another_image(gateway: Gateway) -> None:
    assert compared(gateway, params={"query_product": "b"})[:2] == (LINKED, FRONT)
    assert compared(gateway, json={"query_product": "b", "image_index": 1})[:2] == (LINKED, BACK)
    assert compared(gateway, "/v1/products/b/explain", params={"query_product": "a"})[:2] == (FRONT, LINKED)


def test_the_box_is_a_part_of_the_photo(gateway: Gateway) -> None:
    box = Box(x=0, y=0, width=0.5, height=1)
    assert compared(gateway, files={"image": PHOTO}, data={"box": "0,0,0.5,1"})[3] == box
    assert compared(gateway, json={"image_base64": in_base64(PHOTO), "box": [0, 0, 0.5, 1]})[3] == box


@pytest.mark.parametrize(
    ("path", "request_", "problem"),
    [
        ("/v1/products/c/explain", {"files": {"image": PHOTO}}, (404, "unknown-product", "there is no product 'c'")),
        (PATH, {"params": {"query_product": "c"}}, (404, "unknown-product", "there is no product 'c'")),
        (
            PATH,
            {"json": {"image_base64": in_base64(PHOTO), "query_product": "b"}},
            (422, "invalid-request", "give the query once"),
        ),
        (PATH, {"json": {}}, (422, "invalid-request", "give exactly one of image_url and image_base64")),
        (PATH, {}, (422, "invalid-image", "the image is empty")),
        (PATH, {"files": {"image": PHOTO}, "params": {"image_index": 20}}, (422, "invalid-request", "image_index")),
        (PATH, {"files": {"image": PHOTO}, "params": {"image_index": 2}}, (422, "invalid-request", "has 2 images")),
        (PATH, {"files": {"image": PHOTO}, "params": {"image_index": -1}}, (422, "invalid-request", "image_index")),
        (PATH, {"files": {"image": PHOTO}, "params": {"boxx": "0,0,1,1"}}, (422, "invalid-request", "boxx")),
        (PATH, {"files": {"image": PHOTO}, "data": {"like": "b"}}, (422, "invalid-request", "like")),
        ("/catalogues/all" + PATH, {"files": {"image": PHOTO}}, (404, "unknown-catalogue", "name one catalogue")),
    ],
)
def test_what_cannot_be_explained_is_a_problem(
    gateway: Gateway, path: str, request_: dict[str, Any], problem: tuple[int, str, str]
) -> None:
    status, slug, detail = gateway.problem("POST", path, **request_)
    assert (status, slug) == problem[:2]
    assert problem[2] in detail
    assert gateway.embedding.explained == []


def test_a_picture_that_is_no_longer_stored_is_a_problem_that_names_the_product(gateway: Gateway) -> None:
    gateway.catalogue.pictures.rows.clear()
    status, slug, detail = gateway.problem("POST", PATH, files={"image": PHOTO})
    assert (status, slug) == (404, "unknown-product")
    assert detail.startswith("the picture of the product 'a': it is not stored here")


def test_an_unavailable_network_is_a_problem(gateway: Gateway) -> None:
    gateway.embedding.trouble = EmbeddingUnavailable("the embedding service cannot be reached")
    assert gateway.problem("POST", PATH, files={"image": PHOTO})[:2] == (503, "embedding-unavailable")


def test_an_admin_key_closes_explanations_to_everybody_else() -> None:
    with running_gateway(admin_key=KEY) as gateway:
        assert gateway.problem("POST", PATH, files={"image": PHOTO})[:2] == (401, "unauthorised")


def test_only_web_addresses_are_read(gateway: Gateway) -> None:
    rows = gateway.catalogue.products.rows
    for url in ("file:///etc/passwd", "/i/b.jpg"):
        rows["b"] = dataclasses.replace(rows["b"], images=(ProductImage(url, None),))
        problem = gateway.problem("POST", "/v1/products/b/explain", files={"image": PHOTO})
        assert problem[:2] == (422, "invalid-request")
        assert f"the picture of the product 'b': its address {url!r} is no web address" in problem[2]
    assert gateway.embedding.explained == []


def test_a_match_without_a_query_is_refused() -> None:
    async def active() -> str:
        return "fashion/1"

    products: Any = SimpleNamespace(binding=SimpleNamespace(active=active))
    reader: Any = None
    with pytest.raises(InvalidRequest, match="send the query's photo"):
        asyncio.run(Explainer(products, reader).explain("a", None, ExplainOptions()))
