"""Products in forms, exactly at the bounds on their parts, and what their pictures answer."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest

from tests.support.fakes.gateway_fakes import KEY, Gateway, running_gateway
from tests.support.values.keys import bearer, make_key

PHOTO = b"\x01 a photo of a shoe"
PATH = "/v1/products/a"
IMAGE = ("image", ("a.jpg", PHOTO))


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running_gateway() as gateway:
        yield gateway


def images(count: int) -> list[tuple[str, Any]]:
    return [("images", (f"{number}.jpg", b"\x01 image %d" % number)) for number in range(count)]


def test_a_form_has_the_images_of_a_product_and_no_more(gateway: Gateway) -> None:
    assert gateway.client.put(PATH, files=[IMAGE, *images(19)]).status_code == 201
    for count in (20, 21):
        status, slug, detail = gateway.problem("PUT", PATH, files=[IMAGE, *images(count)])
        assert (status, slug) == (422, "invalid-request")
        assert ("at most 20 images" in detail) is (count == 20)  # 22 files are too many for a form


def test_a_form_of_additional_images_needs_a_product(gateway: Gateway) -> None:
    assert gateway.problem("PUT", PATH, files=images(1))[2].startswith("a new product needs an image")
    gateway.client.put(PATH, files=[IMAGE])
    assert len(gateway.client.put(PATH, files=images(2)).json()["images"]) == 2
    assert len(gateway.client.patch(PATH, files=images(1)).json()["images"]) == 1
    status, _, detail = gateway.problem("PUT", PATH, files=[("product", (None, "{}"))])
    assert (status, "the form has no file 'image'" in detail) == (422, True)
    assert gateway.client.patch(PATH, files=[("product", (None, '{"title": "T"}'))]).json()["title"] == "T"


def test_a_form_has_one_field(gateway: Gateway) -> None:
    status, _, detail = gateway.problem("PUT", PATH, files=[IMAGE], data={"product": "{}", "title": "T"})
    assert (status, "the form has one field: product" in detail) == (422, True)
    data = {f"f{number}": "x" for number in range(20)}
    assert "the form has one field" in gateway.problem("PUT", PATH, files=[IMAGE], data=data)[2]
    assert "the form has one field" not in gateway.problem("PUT", PATH, files=[IMAGE], data={**data, "g": "x"})[2]


def test_an_empty_additional_image_is_refused(gateway: Gateway) -> None:
    status, slug, _ = gateway.problem("PUT", PATH, files=[IMAGE, ("images", ("b.jpg", b""))])
    assert (status, slug) == (422, "invalid-image")


def test_a_picture_is_found_by_its_address_only(gateway: Gateway) -> None:
    document = gateway.client.put(PATH, files=[IMAGE, *images(1)]).json()
    main, additional = document["image_url"], document["images"][0]["url"]
    for address, data in ((main, PHOTO), (additional, b"\x01 image 0")):
        response = gateway.client.get(address)
        assert (response.content, response.headers["content-type"]) == (data, "image/jpeg")
        assert response.headers["etag"] == f'"{hashlib.sha256(data).hexdigest()}"'
        assert response.headers["cross-origin-resource-policy"] == "cross-origin"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "immutable" in response.headers["cache-control"]
    for name in ("0" * 16, "0" * 15, "0" * 17, "G" * 16):
        assert gateway.client.get(f"{PATH}/image?picture={name}").status_code == (
            404 if len(name) == 16 and name[0] == "0" else 422
        )
    gateway.client.delete(PATH)
    assert gateway.problem("GET", PATH)[:2] == (404, "unknown-product")


def test_a_search_key_sees_the_attributes_of_results_and_others_see_all() -> None:
    search, catalogue = make_key("search"), make_key("catalogue")
    with running_gateway(
        [search[0], catalogue[0]], access="keys", admin_key=KEY, public_attributes=("colour",)
    ) as gateway:
        body = {"image_base64": base64.b64encode(PHOTO).decode(), "attributes": {"colour": "red", "cost": 5}}
        gateway.client.put(PATH, json=body, headers=bearer(catalogue[1]))
        shown = {
            secret: gateway.client.get(PATH, headers=bearer(secret)).json()["attributes"]
            for secret in (search[1], catalogue[1], KEY)
        }
    assert shown == {
        search[1]: {"colour": "red"},
        catalogue[1]: {"colour": "red", "cost": 5},
        KEY: {"colour": "red", "cost": 5},
    }


def test_writes_that_do_not_wait_do_not_say_whether_searches_see_them(gateway: Gateway) -> None:
    statuses = gateway.index.statuses
    assert "searchable" not in gateway.client.put(PATH, files=[IMAGE]).json()
    assert gateway.client.delete(PATH).content == b""
    assert gateway.client.post("/v1/products:delete", json={"ids": ["x"]}).json() == {"deleted": 0, "unknown": ["x"]}
    assert gateway.index.statuses - statuses <= 1


def test_an_export_needs_no_limit_and_no_cursor(gateway: Gateway) -> None:
    gateway.client.put(PATH, files=[IMAGE])
    accept = {"Accept": "application/json, application/x-ndjson"}
    response = gateway.client.get("/v1/products", headers=accept)
    assert [orjson.loads(line)["id"] for line in response.content.splitlines()] == ["a"]
    cursor = base64.urlsafe_b64encode(b'["text", "a"]').decode()
    for query in ({"limit": "1"}, {"cursor": cursor}):
        assert gateway.problem("GET", "/v1/products", params=query, headers=accept)[0] == 422
        assert gateway.client.get("/v1/products", params=query).status_code == 200


def test_a_description_may_change_although_the_model_of_the_vectors_is_not_known(gateway: Gateway) -> None:
    gateway.client.put(PATH, files=[IMAGE, *images(1)])
    rows = gateway.catalogue.products.rows
    rows["a"] = replace(rows["a"], model=None, embeddings={None: rows["a"].embedding})
    for method in ("PUT", "PATCH"):
        response = gateway.client.request(method, PATH, json={"title": "T"})
        assert (response.status_code, response.json()["title"], len(response.json()["images"])) == (200, "T", 1)
    status, _, detail = gateway.problem("PATCH", PATH, json={"images": [{"base64": "AQID"}]})
    assert (status, "send its main image as well" in detail) == (422, True)


def test_a_put_keeps_the_time_and_says_its_source(gateway: Gateway) -> None:
    document = gateway.client.put(PATH, files=[IMAGE], data={"product": '{"category": "Bags"}'}).json()
    assert (document["category"], document["category_source"], document["updated_by"]) == ("Bags", "feed", "api")
    kept = gateway.client.put(PATH, json={"title": "T"}).json()
    assert (kept["category"], kept["category_source"]) == ("Bags", "feed")
    named = gateway.client.put(PATH, json={"category": 1}).json()
    assert (named["category"], named["category_source"]) == ("Shoes", "feed")
    again = gateway.client.put(PATH, files=[IMAGE]).json()
    assert (again["category"], again["category_source"]) == ("Shoes", "network")
