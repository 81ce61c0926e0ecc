"""PATCH: a JSON merge patch of a product, around fakes."""

import base64
import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from services.catalogue.product import Product
from tests.support.fakes.gateway_fakes import Gateway, running_gateway

SHOE, SHIRT = (base64.b64encode(bytes([category]) + b" a photo").decode() for category in (1, 0))
URL = "https://shop.example/a.jpg"
PATH = "/v1/products/a"
WHOLE: dict[str, Any] = {
    "title": "A shoe",
    "url": "https://shop.example/a",
    "attributes": {"price": 30, "sale": True, "colours": ["red", "blue"]},
}


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running_gateway() as gateway:
        gateway.web.pages[URL] = b"\x00 a shirt"
        gateway.client.put(PATH, json={**WHOLE, "image_base64": SHOE, "images": [{"base64": SHIRT}]})
        yield gateway


def patched(gateway: Gateway, patch: dict[str, Any], kind: str = "application/merge-patch+json") -> dict[str, Any]:
    response = gateway.client.patch(PATH, json=patch, headers={"Content-Type": kind})
    assert response.status_code == 200, response.text
    assert gateway.client.get(PATH).json() == response.json()
    return dict(response.json())


@pytest.mark.parametrize("kind", ["application/merge-patch+json", "application/json"])
def test_what_the_patch_names_changes_and_the_rest_stays(gateway: Gateway, kind: str) -> None:
    before = gateway.client.get(PATH).json()
    embedded = gateway.embedding.images
    after = patched(gateway, {"title": "Another", "attributes": {"price": 25}}, kind)
    changes = {
        "title": "Another",
        "attributes": {**WHOLE["attributes"], "price": 25},
        "updated_at": after["updated_at"],
    }
    assert after == {**before, **changes}
    assert gateway.embedding.images == embedded  # no image goes through the network


def test_null_removes(gateway: Gateway) -> None:
    after = patched(gateway, {"title": None, "attributes": {"sale": None, "unknown": None}, "images": None})
    assert after["title"] is None
    assert after["attributes"] == {"price": 30, "colours": ["red", "blue"]}
    assert after["images"] == []
    assert patched(gateway, {"attributes": None, "url": None})["attributes"] == {}
    assert patched(gateway, {}) == gateway.client.get(PATH).json()


def test_a_list_is_replaced_as_a_whole(gateway: Gateway) -> None:
    assert patched(gateway, {"attributes": {"colours": ["green"]}})["attributes"]["colours"] == ["green"]


def test_a_category_of_the_shop_stays_with_a_new_image_until_it_is_removed(gateway: Gateway) -> None:
    assert patched(gateway, {"category": "Bags"})["category_source"] == "feed"
    after = patched(gateway, {"image_base64": SHIRT})
    assert (after["category"], after["prediction"]["name"]) == ("Bags", "Topwear")
    assert patched(gateway, {"category": None})["category"] == "Topwear"


def test_the_network_predicts_the_category_of_a_new_image(gateway: Gateway) -> None:
    after = patched(gateway, {"image_url": URL})
    assert (after["category"], after["category_source"], after["image_url"]) == ("Topwear", "network", URL)
    assert after["attributes"] == WHOLE["attributes"]


def test_a_form_may_bring_the_new_image(gateway: Gateway) -> None:
    files = {"image": ("a.jpg", b"\x00 a shirt"), "product": ("blob", b'{"title": "T"}', "application/json")}
    response = gateway.client.patch(PATH, files=files)
    assert (response.status_code, response.json()["category"], response.json()["title"]) == (200, "Topwear", "T")
    only = gateway.client.patch(PATH, files={"product": (None, '{"title": "U"}')})
    assert (only.json()["title"], only.json()["category"]) == ("U", "Topwear")


@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({"colour": "red"}, "#/colour"),
        ({"colour": None}, "#/colour"),
        ({"title": 5}, "#/title"),
        ({"attributes": {"$where": 1}}, "#/attributes/$where/%5Bkey%5D"),
    ],
)
def test_an_invalid_patch_names_the_place_and_changes_nothing(
    gateway: Gateway, patch: dict[str, Any], pointer: str
) -> None:
    before = gateway.client.get(PATH).json()
    document = gateway.client.patch(PATH, json=patch).json()
    assert (document["status"], document["errors"][0]["pointer"]) == (422, pointer)
    assert gateway.client.get(PATH).json() == before


def test_the_main_image_cannot_be_removed(gateway: Gateway) -> None:
    for name in ("image_url", "image_base64"):
        assert gateway.problem("PATCH", PATH, json={name: None})[:2] == (422, "invalid-request")


def test_a_patch_may_not_exceed_the_number_of_attributes(gateway: Gateway) -> None:
    patch = {"attributes": {f"a{number}": number for number in range(98)}}
    status, _, detail = gateway.problem("PATCH", PATH, json=patch)
    assert status == 422
    assert "at most 100" in detail


def test_an_unknown_product_cannot_be_patched(gateway: Gateway) -> None:
    assert gateway.problem("PATCH", "/v1/products/b", json={"title": "T"})[:2] == (404, "unknown-product")
    assert gateway.problem("PATCH", PATH, content=b"x", headers={"Content-Type": "text/plain"})[0] == 422


def test_a_patch_keeps_what_another_gateway_writes_meanwhile(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    products = gateway.catalogue.products
    replace, others = products.replace, iter([{"maker": "Acme"}, {"maker": "Acme", "size": "M"}])

    async def after_another(product: Product, revision: str | None) -> bool:
        for attributes in itertools.islice(others, 1):
            products.rows["a"] = dataclasses.replace(products.rows["a"], attributes=attributes)
        return await replace(product, revision)

    monkeypatch.setattr(products, "replace", after_another)
    assert patched(gateway, {"attributes": {"price": 25}})["attributes"] == {"maker": "Acme", "size": "M", "price": 25}


def test_a_product_that_is_deleted_during_a_patch_stays_deleted(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    products = gateway.catalogue.products

    async def after_a_delete(product: Product, revision: str | None) -> bool:
        products.rows.pop("a", None)
        return False

    monkeypatch.setattr(products, "replace", after_a_delete)
    assert gateway.problem("PATCH", PATH, json={"title": "T"})[:2] == (404, "unknown-product")
    assert "a" not in products.rows


def test_a_product_that_changes_all_the_time_is_a_problem(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    async def changed(product: Product, revision: str | None) -> bool:
        return False

    monkeypatch.setattr(gateway.catalogue.products, "replace", changed)
    status, _, detail = gateway.problem("PATCH", PATH, json={"title": "T"})
    assert (status, detail) == (503, "the product 'a' changes too often: send the patch again")
