"""The routes of products, around fakes: statuses, errors, and what is stored."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from services.contracts.domain.errors import CatalogueUnavailable, EmbeddingUnavailable
from tests.support.fakes.gateway_fakes import Gateway, running_gateway

PHOTO = b"\x01 a photo of a shoe"
URL = "https://shop.example/a.jpg"
PATH = "/v1/products/a"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running_gateway() as gateway:
        gateway.web.pages[URL] = PHOTO
        yield gateway


def body(photo: bytes = PHOTO, **facts: Any) -> dict[str, Any]:
    return {"image_base64": base64.b64encode(photo).decode(), **facts}


def test_a_product_is_created_then_replaced_and_read_as_it_was_put(gateway: Gateway) -> None:
    created = gateway.client.put(PATH, json=body(title="A shoe", attributes={"price": 29.9}))
    assert created.status_code == 201
    document = created.json()
    assert {name: document[name] for name in ("id", "category", "category_source", "title", "url", "model")} == {
        "id": "a",
        "category": "Shoes",
        "category_source": "network",
        "title": "A shoe",
        "url": "https://shop.example/products/a",
        "model": "fashion/1",
    }
    assert document["prediction"] == {"id": 1, "name": "Shoes", "probability": 0.9}
    assert document["attributes"] == {"price": 29.9}
    assert gateway.client.get(PATH).json() == document
    replaced = gateway.client.put(PATH, json=body(title="Another", category="Bags"))
    assert (replaced.status_code, replaced.json()["category"], replaced.json()["category_source"]) == (
        200,
        "Bags",
        "feed",
    )
    assert replaced.json()["attributes"] == {}


def test_a_product_says_when_it_was_last_changed_and_by_what(gateway: Gateway) -> None:
    created = gateway.client.put(PATH, json=body()).json()
    stored = gateway.catalogue.products.rows["a"]
    assert stored.updated_at is not None
    assert datetime.fromisoformat(created["updated_at"]) == stored.updated_at.replace(microsecond=0)
    assert created["updated_by"] == "api"
    for changes, expected in (({"feed_sha256": "f" * 64}, "import"), ({"updated_at": None}, None)):
        gateway.catalogue.products.rows["a"] = replace(stored, **changes)
        assert gateway.client.get(PATH).json()["updated_by"] == expected
    assert gateway.client.get(PATH).json()["updated_at"] is None


def test_a_product_says_when_it_was_first_written(gateway: Gateway) -> None:
    created = gateway.client.put(PATH, json=body()).json()
    assert created["created_at"] == created["updated_at"]
    april = replace(gateway.catalogue.products.rows["a"], created_at=datetime(2026, 4, 1, tzinfo=UTC))
    gateway.catalogue.products.rows["a"] = april
    for changed in (
        gateway.client.put(PATH, json=body(title="Another")),
        gateway.client.put(PATH, json={"title": "B"}),
    ):
        assert (changed.status_code, changed.json()["created_at"]) == (200, "2026-04-01T00:00:00+00:00")
    gateway.catalogue.products.rows["a"] = replace(april, created_at=None)
    assert gateway.client.get(PATH).json()["created_at"] is None


def test_a_product_has_the_group_that_it_was_put_with(gateway: Gateway) -> None:
    assert gateway.client.put(PATH, json=body(group="SHIRT-12")).json()["group"] == "SHIRT-12"
    assert gateway.client.get(PATH).json()["group"] == "SHIRT-12"
    assert gateway.client.put(PATH, json=body()).json()["group"] is None
    for group in ("", "x" * 257, 12):
        refused = gateway.client.put(PATH, json=body(group=group))
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "#/group")


def test_the_picture_of_an_image_without_an_address_is_stored(gateway: Gateway) -> None:
    document = gateway.client.put(PATH, json=body()).json()
    assert document["image_url"] == f"/v1/products/a/image?v={hashlib.sha256(PHOTO).hexdigest()[:12]}"
    picture = gateway.client.get(document["image_url"])
    assert picture.content == PHOTO
    assert picture.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert gateway.client.get("/v1/products/a/image").headers["cache-control"] == "public, max-age=60"


def test_a_picture_is_scaled_down_and_not_sent_twice(gateway: Gateway) -> None:
    gateway.client.put(PATH, json=body())
    whole = gateway.client.get("/v1/products/a/image")
    small = gateway.client.get("/v1/products/a/image?w=240")
    assert (small.content, small.headers["content-type"]) == (b"240:" + PHOTO[:4], "image/webp")
    digest = hashlib.sha256(PHOTO).hexdigest()
    assert (whole.headers["etag"], small.headers["etag"]) == (f'"{digest}"', f'"{digest}-240"')
    for path, etag in (("", whole.headers["etag"]), ("?w=240", small.headers["etag"])):
        again = gateway.client.get(f"/v1/products/a/image{path}", headers={"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b"")
    assert gateway.problem("GET", "/v1/products/a/image?w=239")[:2] == (422, "invalid-request")
    assert gateway.problem("GET", "/v1/products/a/image?picture=../x")[:2] == (422, "invalid-request")


def test_an_image_by_its_url_is_fetched_once_and_linked(gateway: Gateway) -> None:
    document = gateway.client.put(PATH, json={"image_url": URL}).json()
    assert document["image_url"] == URL
    gateway.web.pages.clear()
    assert gateway.client.put(PATH, json={"image_url": URL, "title": "T"}).status_code == 200
    assert gateway.problem("GET", "/v1/products/a/image")[:2] == (404, "unknown-product")


def test_a_product_without_an_image_keeps_its_own(gateway: Gateway) -> None:
    assert gateway.problem("PUT", PATH, json={"title": "T"}) == (
        422,
        "invalid-request",
        "a new product needs an image: a file part, image_base64 or image_url",
    )
    gateway.client.put(PATH, json=body(category="Bags"))
    embedded = gateway.embedding.images
    kept = gateway.client.put(PATH, json={"title": "T"})
    assert (kept.status_code, kept.json()["title"], kept.json()["category"]) == (200, "T", "Bags")
    assert gateway.client.put(PATH, json={"category": 0}).json()["category"] == "Topwear"
    assert gateway.embedding.images == embedded
    assert gateway.problem("PUT", PATH, json={"category": "Hats"})[:2] == (404, "unknown-category")


def test_a_product_may_come_as_a_form(gateway: Gateway) -> None:
    files = {"image": ("a.jpg", PHOTO)}
    response = gateway.client.put(PATH, files=files, data={"product": orjson.dumps({"title": "T"}).decode()})
    assert (response.status_code, response.json()["title"]) == (201, "T")
    assert gateway.client.put(PATH, files=files).json()["title"] is None
    for data, words in (
        ({"product": "{"}, "product is not valid JSON"),
        ({"product": "[]"}, "product has to be a JSON object"),
        ({"title": "T"}, "the form has one field: product"),
        ({"product": orjson.dumps(body()).decode()}, "give the image once"),
        ({"images": "text"}, "the form's part 'images' is the text"),
    ):
        status, slug, detail = gateway.problem("PUT", PATH, files=files, data=data)
        assert (status, slug) == (422, "invalid-request")
        assert words in detail
    wrong = gateway.client.put(PATH, files=files, data={"product": '{"colour": "red"}'}).json()
    assert wrong["errors"][0]["pointer"] == "#/product/colour"


def test_additional_images_are_added_to_an_existing_product_and_its_main_image_stays(gateway: Gateway) -> None:
    def images(*photos: bytes) -> dict[str, Any]:
        return {"images": [{"base64": base64.b64encode(photo).decode()} for photo in photos]}

    first = gateway.client.put(PATH, json=body(**images(b"\x01 back"))).json()
    assert len(first["images"]) == 1
    second = gateway.client.put(PATH, json=images(b"\x01 back", b"\x01 side")).json()
    assert (second["image_url"], second["images"][0]) == (first["image_url"], first["images"][0])
    assert [gateway.client.get(image["url"]).content for image in second["images"]] == [b"\x01 back", b"\x01 side"]
    files = [("images", ("c.jpg", b"\x01 label"))]
    third = gateway.client.put(PATH, files=files).json()
    assert [gateway.client.get(image["url"]).content for image in third["images"]] == [b"\x01 label"]
    assert gateway.client.put(PATH, json={"title": "T"}).json()["images"] == third["images"]
    assert gateway.client.put(PATH, json=images()).json()["images"] == []
    assert gateway.problem("GET", third["images"][0]["url"])[:2] == (404, "unknown-product")


def test_a_product_that_the_database_refuses_is_an_invalid_request(gateway: Gateway) -> None:
    gateway.catalogue.products.put_error = ValueError("it has 20,000,000 bytes")
    assert gateway.problem("PUT", PATH, json=body()) == (
        422,
        "invalid-request",
        "the product cannot be stored: it has 20,000,000 bytes",
    )
    assert gateway.client.get(PATH).status_code == 404


def test_a_service_that_is_unavailable_is_a_503(gateway: Gateway) -> None:
    gateway.embedding.trouble = EmbeddingUnavailable("the embedding service cannot be reached")
    assert gateway.problem("PUT", PATH, json=body())[:2] == (503, "embedding-unavailable")
    gateway.embedding.trouble = None
    gateway.catalogue.faults.failures.append(CatalogueUnavailable("the database cannot be reached"))
    response = gateway.client.get(PATH)
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")


def test_a_deleted_product_is_unknown(gateway: Gateway) -> None:
    gateway.client.put(PATH, json=body())
    assert gateway.client.delete(PATH).status_code == 204
    for method in ("GET", "DELETE"):
        assert gateway.problem(method, PATH) == (404, "unknown-product", "there is no product 'a'")


@pytest.mark.parametrize("key", ["%20", "a" * 257, "a%00b", "a%09b"])
def test_an_id_has_printable_characters_and_a_bound(gateway: Gateway, key: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        assert gateway.problem(method, f"/v1/products/{key}", json=body() if method == "PUT" else None) == (
            422,
            "invalid-request",
            "a product's id has 1 to 256 printable characters",
        )
    assert gateway.client.put(f"/v1/products/{'a' * 256}", json=body()).status_code == 201


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"colour": "red"}, "#/colour"),
        ({"attributes": {"$where": 1}}, "#/attributes/$where/%5Bkey%5D"),
        ({"attributes": {"a": {"b": 1}}}, None),
        ({"attributes": {"a": "x" * 1001}}, None),
        ({"attributes": {"a": ["x"] * 101}}, None),
        ({"attributes": {f"a{number}": 1 for number in range(101)}}, "#/attributes"),
        ({"images": [{"url": "u", "base64": "AA=="}]}, "#/images/0"),
        ({"title": "x" * 1001}, "#/title"),
    ],
)
def test_an_invalid_product_names_each_place(gateway: Gateway, values: dict[str, Any], pointer: str | None) -> None:
    document = gateway.client.put(PATH, json=body(**values)).json()
    assert document["type"] == "/problems/invalid-request"
    assert document["errors"][0]["pointer"].startswith("#/")
    assert pointer is None or document["errors"][0]["pointer"] == pointer


def test_another_type_of_body_is_an_invalid_request(gateway: Gateway) -> None:
    status, slug, detail = gateway.problem("PUT", PATH, content=PHOTO, headers={"Content-Type": "image/jpeg"})
    assert (status, slug) == (422, "invalid-request")
    assert "multipart/form-data" in detail
