"""The list of all products, deleting several, and query parameters that do not exist, around fakes."""

import base64
from collections.abc import Iterator
from itertools import chain
from typing import Any

import orjson
import pytest

from services.contracts.domain.errors import CatalogueUnavailable
from tests.support.fakes.gateway_fakes import KEY, Gateway, running_gateway

SHOE, SHIRT = (base64.b64encode(bytes([category]) + b" a photo").decode() for category in (1, 0))


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running_gateway() as gateway:
        for number in range(7):
            body = {"image_base64": SHOE if number % 2 else SHIRT, "attributes": {"price": number}}
            assert gateway.client.put(f"/v1/products/p{number}", json=body).status_code == 201
        yield gateway


def listed(gateway: Gateway, **query: Any) -> list[list[str]]:
    """Return the ids of each page, by the cursors."""
    pages: list[list[str]] = []
    cursor: dict[str, str] = {}
    while True:
        document = gateway.client.get("/v1/products", params={**query, **cursor}).json()
        pages.append([product["id"] for product in document["products"]])
        if document["next_cursor"] is None:
            return pages
        cursor = {"cursor": document["next_cursor"]}


def test_addresses_may_be_absolute(gateway: Gateway) -> None:
    address = "/v1/products/p0/image?v="
    products = gateway.client.get("/v1/products?absolute_urls=true&limit=1").json()["products"]
    product = gateway.client.get("/v1/products/p0?absolute_urls=true").json()
    exported = gateway.client.get("/v1/products?absolute_urls=true", headers={"Accept": "application/x-ndjson"})
    for shown in (*products, product, orjson.loads(exported.content.splitlines()[0])):
        assert shown["image_url"].startswith(f"http://testserver{address}")
    assert gateway.client.get("/v1/products/p0").json()["image_url"].startswith(address)
    assert gateway.client.get("/v1/products:sample?absolute_urls=true").status_code == 200


def test_the_pages_have_every_product_once(gateway: Gateway) -> None:
    assert listed(gateway, limit=3) == [["p0", "p1", "p2"], ["p3", "p4", "p5"], ["p6"]]
    assert list(chain(*listed(gateway, limit=7))) == [f"p{number}" for number in range(7)]
    assert listed(gateway) == [[f"p{number}" for number in range(7)]]


def test_a_product_of_the_list_is_the_one_at_its_address(gateway: Gateway) -> None:
    (first, *_) = gateway.client.get("/v1/products").json()["products"]
    assert first == gateway.client.get("/v1/products/p0").json()


def test_the_list_may_have_a_filter_and_a_category(gateway: Gateway) -> None:
    wanted = orjson.dumps({"price": {"gte": 2, "lt": 6}}).decode()
    assert list(chain(*listed(gateway, filter=wanted, limit=2))) == ["p2", "p3", "p4", "p5"]
    assert list(chain(*listed(gateway, filter=wanted, category="shoes", limit=1))) == ["p3", "p5"]
    assert gateway.problem("GET", "/v1/products?category=hats")[:2] == (404, "unknown-category")
    places = gateway.client.get("/v1/products", params={"filter": '{"price": {"below": 1}}'}).json()["errors"]
    assert places[0]["pointer"] == "#/query/filter/price/below"


def test_products_that_stay_are_listed_once_while_others_are_written(gateway: Gateway) -> None:
    first = gateway.client.get("/v1/products?limit=3").json()
    gateway.client.delete("/v1/products/p2")  # the last product of the page
    gateway.client.put("/v1/products/p0x", json={"image_base64": SHOE})
    rest = gateway.client.get("/v1/products", params={"cursor": first["next_cursor"]}).json()
    assert [product["id"] for product in rest["products"]] == ["p3", "p4", "p5", "p6"]


@pytest.mark.parametrize("cursor", ["x", "e30", "WyJ0ZXh0Il0", "WyJjb2xvdXIiLCJhIl0", "WyJvYmplY3QiLCJhIl0", "%00"])
def test_another_text_is_no_cursor(gateway: Gateway, cursor: str) -> None:
    document = gateway.client.get(f"/v1/products?cursor={cursor}").json()
    assert (document["status"], document["errors"][0]["pointer"]) == (422, "#/query/cursor")


def test_an_export_is_all_products_one_a_line(gateway: Gateway) -> None:
    response = gateway.client.get("/v1/products", headers={"Accept": "application/x-ndjson"})
    assert response.headers["content-type"] == "application/x-ndjson"
    lines = [orjson.loads(line) for line in response.content.splitlines()]
    assert lines == gateway.client.get("/v1/products").json()["products"]
    shoes = gateway.client.get("/v1/products?category=Shoes", headers={"Accept": "application/x-ndjson"})
    assert len(shoes.content.splitlines()) == 3
    status, slug, detail = gateway.problem("GET", "/v1/products?limit=3", headers={"Accept": "application/x-ndjson"})
    assert (status, slug) == (422, "invalid-request")
    assert "leave out limit and cursor" in detail


def test_a_list_without_the_database_is_a_problem(gateway: Gateway) -> None:
    gateway.catalogue.faults.failures = [CatalogueUnavailable("the database is down")] * 2
    for accept in ("application/json", "application/x-ndjson"):
        assert gateway.problem("GET", "/v1/products", headers={"Accept": accept})[:2] == (503, "catalogue-unavailable")


def test_several_products_are_deleted_and_unknown_ids_named(gateway: Gateway) -> None:
    response = gateway.client.post("/v1/products:delete", json={"ids": ["p1", "a/b", "p3", "p1"]})
    assert (response.status_code, response.json()) == (200, {"deleted": 2, "unknown": ["a/b"]})
    assert sorted(gateway.catalogue.products.rows) == ["p0", "p2", "p4", "p5", "p6"]
    assert gateway.problem("POST", "/v1/products:delete", json={"ids": []})[:2] == (422, "invalid-request")
    assert gateway.problem("POST", "/v1/products:delete", json={"ids": ["a"] * 1001})[:2] == (422, "invalid-request")


def test_list_and_delete_need_the_key_where_one_is_set() -> None:
    with running_gateway(admin_key=KEY) as gateway:
        assert gateway.client.get("/v1/products").status_code == 401
        assert gateway.client.post("/v1/products:delete", json={"ids": ["a"]}).status_code == 401
        assert gateway.client.get("/v1/products", headers={"Authorization": f"Bearer {KEY}"}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "name", "meant"),
    [
        ("GET", "/v1/products?limt=3", "limt", "limit"),
        ("GET", "/v1/products/p1?waite=1", "waite", None),
        ("PUT", "/v1/products/p1?wiat=true", "wiat", "wait"),
        ("PATCH", "/v1/products/p1?Wait=true", "Wait", "wait"),
        ("DELETE", "/v1/products/p1?waits=true", "waits", "wait"),
        ("GET", "/v1/products:sample?sample=3", "sample", None),
        ("GET", "/v1/products/t1/similar?filters={}", "filters", "filter"),
        ("POST", "/v1/search?offest=3", "offest", "offset"),
    ],
)
def test_a_query_parameter_that_does_not_exist_is_named(
    gateway: Gateway, method: str, path: str, name: str, meant: str | None
) -> None:
    request: dict[str, Any] = {"json": {"image_base64": SHOE}} if method in ("PUT", "POST") else {}
    document = gateway.client.request(method, path, **request).json()
    assert document["type"] == "/problems/invalid-request"
    (place,) = document["errors"]
    assert place["pointer"] == f"#/query/{name}"
    assert place["detail"].startswith(f"{name!r} is not known: ")
    assert meant is None or place["detail"].endswith(f"did you mean {meant!r}?")
    assert "p1" in gateway.catalogue.products.rows


def test_a_filter_on_attributes_that_no_product_has_is_a_warning_of_the_first_page(gateway: Gateway) -> None:
    filter_ = '{"colr": "red", "not_there": ["x", "y"]}'
    first = gateway.client.get("/v1/products", params={"filter": filter_}).json()
    assert first["warnings"] == ["no product has the attribute 'colr'", "no product has the attribute 'not_there'"]
    page = gateway.client.get("/v1/products?limit=1").json()
    assert page["warnings"] == []
    following = {"filter": filter_, "cursor": page["next_cursor"]}
    assert gateway.client.get("/v1/products", params=following).json()["warnings"] == []


def test_a_picture_may_have_parameters_of_others(gateway: Gateway) -> None:
    """Mail programs and caches add their own to the addresses of pictures."""
    assert gateway.client.get("/v1/products/p1/image?utm_source=mail&v=1").status_code == 200


def test_a_write_with_wait_says_whether_searches_see_it(gateway: Gateway) -> None:
    gateway.index.lag = 0.0
    put = gateway.client.put("/v1/products/new?wait=true", json={"image_base64": SHOE})
    assert (put.status_code, put.json()["searchable"]) == (201, True)
    assert gateway.client.patch("/v1/products/new?wait=true", json={"title": "T"}).json()["searchable"] is True
    assert "searchable" not in gateway.client.patch("/v1/products/new", json={"title": "T"}).json()
    deleted = gateway.client.delete("/v1/products/new?wait=true")
    assert (deleted.status_code, deleted.json()) == (200, {"deleted": 1, "unknown": [], "searchable": False})
    several = gateway.client.post("/v1/products:delete?wait=true", json={"ids": ["p1"]})
    assert several.json() == {"deleted": 1, "unknown": [], "searchable": False}


def test_the_wait_has_a_bound() -> None:
    with running_gateway(wait_s=0.05) as gateway:
        gateway.index.lag = 60.0
        put = gateway.client.put("/v1/products/new?wait=true", json={"image_base64": SHOE})
        assert (put.status_code, put.json()["searchable"]) == (201, False)
        assert gateway.client.delete("/v1/products/new?wait=true").json()["searchable"] is True
