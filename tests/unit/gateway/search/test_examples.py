"""Searches by several photos and products, around fakes; and the combination of their vectors."""

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from services.contracts.domain.errors import InvalidRequest
from services.contracts.wire.index import IndexSearch
from services.gateway.search.examples import LIKED, UNLIKED, Examples, combined
from tests.support.fakes.gateway_fakes import SHOES, Gateway, running_gateway

SHOE, TOP = b"\x01 a photo", b"\x00 a photo"
RAW = {"Content-Type": "image/jpeg"}
X, Y, Z = np.eye(3, dtype=np.float32)
NONE = np.empty((0, 3), np.float32)


def in_base64(data: bytes) -> dict[str, str]:
    return {"image_base64": base64.b64encode(data).decode()}


def examples(liked: Any = NONE, unliked: Any = NONE, categories: tuple[int, ...] = ()) -> Examples:
    return Examples(np.atleast_2d(liked), np.atleast_2d(unliked), categories, ())


def test_the_combination_is_rocchios_at_unit_length() -> None:
    vector = combined(X, examples([Y, Z], X))
    expected = X * (1 - UNLIKED) + (Y + Z) / 2 * LIKED
    np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), rtol=1e-6)
    assert vector.dtype == np.float32


def test_without_examples_the_photo_is_the_query() -> None:
    np.testing.assert_allclose(combined(X, examples()), X)
    np.testing.assert_allclose(combined(None, examples(Y)), Y)


def test_examples_that_cancel_each_other_out_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="cancel"):
        combined(None, examples(X, X * LIKED / UNLIKED))


def test_the_category_is_that_of_most_liked_examples() -> None:
    assert examples(categories=(2, 1, 1)).category == 1
    assert examples(categories=(2, 1)).category == 2
    assert examples().category is None


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running_gateway() as gateway:
        gateway.index.vectors_by_id = {"t1": [1, 0, 0, 0], "t2": [0, 1, 0, 0], "s1": [0, 0, 1, 0]}
        yield gateway


def searched(gateway: Gateway) -> IndexSearch:
    query = gateway.index.queries[-1]
    assert isinstance(query, IndexSearch)
    return query


def test_a_search_by_products_alone_needs_no_photo(gateway: Gateway) -> None:
    for request in (
        {"json": {"like": ["t1", "t2"], "unlike": ["s1"]}},
        {"params": {"like": ["t1", "t2"], "unlike": "s1"}},
        {"params": {"like": '["t1", "t2"]', "unlike": "s1"}, "headers": RAW},
        {"files": [("like", (None, "t1")), ("like", (None, "t2")), ("unlike", (None, "s1"))]},
    ):
        response = gateway.client.post("/v1/search", **request)  # type: ignore[arg-type]
        assert response.status_code == 200, response.text
        document = response.json()
        assert document["category"] == {"id": 0, "name": "Topwear", "probability": None}
        assert (document["probabilities"], document["crop"]) == ({}, None)
        query = searched(gateway)
        assert query.exclude == ["t1", "t2", "s1"]
        expected = np.array([LIKED / 2, LIKED / 2, -UNLIKED, 0])
        np.testing.assert_allclose(query.vector, expected / np.linalg.norm(expected), rtol=1e-5)


def test_images_may_be_liked_and_not(gateway: Gateway) -> None:
    json = {**in_base64(SHOE), "like": [in_base64(TOP), "t1"], "unlike": [in_base64(TOP)]}
    by_json = gateway.client.post("/v1/search", json=json).json()
    vector = searched(gateway).vector
    files = [("image", ("a", SHOE)), ("like", ("b", TOP)), ("like", (None, "t1")), ("unlike", ("c", TOP))]
    by_form = gateway.client.post("/v1/search", files=files).json()
    assert searched(gateway).vector == vector
    assert by_json["category"] == by_form["category"]
    assert by_json["category"]["name"] == "Shoes"  # that of the photo
    plain = gateway.client.post("/v1/search", content=SHOE, headers=RAW)
    assert plain.status_code == 200
    assert searched(gateway).vector != vector


def test_liked_images_alone_have_their_category(gateway: Gateway) -> None:
    document = gateway.client.post("/v1/search", json={"like": [in_base64(SHOE)]}).json()
    assert document["category"]["name"] == "Shoes"
    assert document["probabilities"]["Shoes"] > 0


def test_a_search_needs_something_to_like(gateway: Gateway) -> None:
    nothing: list[dict[str, Any]] = [{}, {"unlike": ["t1"]}, {"like": []}]
    for json in nothing:
        assert gateway.problem("POST", "/v1/search", json=json)[:2] == (422, "invalid-request")
    assert gateway.problem("POST", "/v1/search", json={"like": ["nobody"]})[:2] == (404, "unknown-product")
    assert gateway.problem("POST", "/v1/search", json={"like": [{"url": "x"}]})[:2] == (422, "invalid-request")
    many = [f"p{number}" for number in range(11)]
    assert gateway.problem("POST", "/v1/search", json={"like": many})[:2] == (422, "invalid-request")


def test_a_filter_on_an_attribute_that_no_product_has_is_a_warning(gateway: Gateway) -> None:
    gateway.index.unknown_attributes = ["color"]
    document = gateway.client.post("/v1/search", json={**in_base64(SHOE), "filter": {"color": "red"}}).json()
    assert document["warnings"] == ["no product of Shoes has the attribute 'color'"]
    similar = gateway.client.get("/v1/products/s1/similar").json()
    assert similar["warnings"] == ["no product of Shoes has the attribute 'color'"]


def test_all_garments_have_a_list_of_results_each(gateway: Gateway) -> None:
    document = gateway.client.post("/v1/search?garments=all", content=TOP, headers=RAW).json()
    assert len(document["garments"]) == len(gateway.embedding.garments)
    gateway.embedding.garments = []
    nothing = gateway.client.post("/v1/search?garments=all&k=3", content=TOP, headers=RAW).json()
    assert nothing["garments"] == []
    assert nothing["results"]
    plain = gateway.client.post("/v1/search", content=TOP, headers=RAW).json()
    assert "garments" not in plain


def test_each_garment_is_searched_with_its_box(gateway: Gateway) -> None:
    gateway.embedding.garments = [SHOES, SHOES]
    document = gateway.client.post("/v1/search?garments=all&k=1", content=SHOE, headers=RAW).json()
    assert [garment["garment"]["box"] for garment in document["garments"]] == [SHOES.box.model_dump()] * 2
    assert gateway.embedding.boxes == [SHOES.box, SHOES.box]
    assert document["results"] == document["garments"][0]["results"]
    problem = gateway.problem("POST", "/v1/search?garments=all&box=0,0,1,1", content=SHOE, headers=RAW)
    assert problem[:2] == (422, "invalid-request")


def test_addresses_may_be_absolute(gateway: Gateway) -> None:
    gateway.client.put("/v1/products/t1", json=in_base64(TOP))
    gateway.index.image_url = "/v1/products/t1/image?v=1"
    plain = gateway.client.post("/v1/search", content=TOP, headers=RAW).json()["results"][0]["image_url"]
    assert plain == "/v1/products/t1/image?v=1"
    for path, kind in (("/v1/search", "post"), ("/v1/products/t1/similar", "get")):
        call: dict[str, Any] = {"content": TOP, "headers": RAW} if kind == "post" else {}
        response = gateway.client.request(kind, f"{path}?absolute_urls=true", **call).json()
        assert response["results"][0]["image_url"] == "http://testserver/v1/products/t1/image?v=1"
    assert gateway.client.get("/v1/products/t1/similar").json()["results"][0]["image_url"].startswith("/v1/")
