"""Ids in addresses: every id that PUT accepts is the id of GET, PATCH, DELETE, its picture and its similar products."""

import base64
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.request_path import ProductIdConvertor
from tests.support.fakes.gateway_fakes import Gateway, running_gateway

PHOTO = b"\x01 a photo of a shoe"
BODY = {"image_base64": base64.b64encode(PHOTO).decode()}
IDS = [
    "a/image",
    "x/similar",
    "a/image/image",
    "/",
    "/image",
    "image",
    "similar",
    "a/b",
    "a//b/",
    "a%2Fb",
    "%",
    "100%25",
    "a.b",
    ".hidden",
    "...",
    "a/../b",
    "a?b=c#d",
    "a+b c",
    "Größe-ß-42",
    "商品/画像",
    "e\u0301",
    "\N{DRESS}",
    "catalogues/x",
    "import",
    ":sample",
]


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with running_gateway(catalogues=("shoes",)) as gateway:
        gateway.index.others = {"shoes": 0}
        yield gateway


@pytest.mark.parametrize("prefix", ["", "/catalogues/shoes"])
@pytest.mark.parametrize("key", IDS)
def test_an_id_is_the_same_in_every_address(gateway: Gateway, key: str, prefix: str) -> None:
    address = f"{prefix}/v1/products/{quote(key, safe='')}"
    put = gateway.client.put(address, json=BODY)
    assert (put.status_code, put.json()["id"]) == (201, key)
    assert key in gateway.catalogue.products.rows
    assert gateway.client.get(address).json() == put.json()
    assert gateway.client.get(f"{address}/image").content == PHOTO
    assert gateway.client.get(put.json()["image_url"]).content == PHOTO
    gateway.index.held[1].append(key)
    assert gateway.client.get(f"{address}/similar").status_code == 200
    assert gateway.index.queries[-1].id == key  # type: ignore[union-attr]
    assert gateway.client.delete(address).status_code == 204
    assert key not in gateway.catalogue.products.rows


def test_plain_slashes_are_part_of_an_id(gateway: Gateway) -> None:
    assert gateway.client.put("/v1/products/folder/a", json=BODY).json()["id"] == "folder/a"
    assert gateway.client.get("/v1/products/folder%2Fa").json()["id"] == "folder/a"
    assert gateway.client.get("/v1/products/folder/a/image").content == PHOTO


@pytest.mark.parametrize("part", ["image", "similar"])
def test_a_part_of_a_product_cannot_be_written(gateway: Gateway, part: str) -> None:
    for method in ("PUT", "DELETE", "POST"):
        status, slug, detail = gateway.problem(method, f"/v1/products/a/{part}", json=BODY)
        assert (status, slug) == (405, "method-not-allowed")
        assert "%2F" in detail
    assert gateway.client.put(f"/v1/products/a/{part}", json=BODY).headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("key", ["%2E", "%2E%2E"])
def test_a_step_in_a_path_is_no_id_of_a_new_product(gateway: Gateway, key: str) -> None:
    assert gateway.problem("PUT", f"/v1/products/{key}", json=BODY)[:2] == (422, "invalid-request")
    assert gateway.problem("GET", f"/v1/products/{key}")[:2] == (404, "unknown-product")


def test_bytes_that_are_not_utf_8_are_no_id(gateway: Gateway) -> None:
    for method in ("GET", "PUT", "DELETE"):
        status, slug, _ = gateway.problem(method, "/v1/products/a%FF", json=BODY if method == "PUT" else None)
        assert (status, slug) == (422, "invalid-request")


@given(st.text())
def test_an_id_is_read_as_it_was_written(key: str) -> None:
    convertor = ProductIdConvertor()
    if key.isprintable():
        assert convertor.convert(convertor.to_string(key)) == key
