"""What the whole stack does while a part of it is away, and that it recovers without a restart."""

import base64
from collections.abc import Iterator

import httpx
import pytest

from services.local.stack import Stack
from services.sample_shop.catalogue import sample_query
from tests.support.servers.stack import kill, stopped
from tests.support.waiting import eventually

PHOTO = sample_query(5)
KEY = "outage"
BODY = {"title": "Stays", "image_base64": base64.b64encode(PHOTO).decode()}


@pytest.fixture
def product(api: httpx.Client) -> Iterator[str]:
    eventually(lambda: api.get("/readyz").status_code == 200)
    api.put(f"/v1/products/{KEY}", json=BODY).raise_for_status()
    eventually(lambda: found(api))
    yield KEY
    eventually(lambda: api.delete(f"/v1/products/{KEY}").status_code in (204, 404))


def search(api: httpx.Client) -> httpx.Response:
    return api.post("/v1/search", content=PHOTO, headers={"Content-Type": "image/jpeg"})


def found(api: httpx.Client) -> bool:
    answer = search(api)
    return answer.status_code == 200 and any(result["id"] == KEY for result in answer.json()["results"])


def assert_unavailable(answer: httpx.Response, slug: str) -> None:
    assert (answer.status_code, answer.json()["type"]) == (503, f"/problems/{slug}")
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["content-type"] == "application/problem+json"


def test_without_mongodb_searches_go_on_and_what_needs_it_is_unavailable(
    stack: Stack, api: httpx.Client, product: str
) -> None:
    with stopped(stack, "mongo"):
        assert found(api)
        assert api.get(f"/v1/products/{product}/similar").status_code == 200
        assert api.get("/readyz").status_code == 200
        assert_unavailable(api.get(f"/v1/products/{product}"), "catalogue-unavailable")
        assert_unavailable(api.put(f"/v1/products/{product}", json=BODY), "catalogue-unavailable")
        assert_unavailable(api.delete(f"/v1/products/{product}"), "catalogue-unavailable")
        assert found(api)
    eventually(lambda: api.get(f"/v1/products/{product}").status_code == 200)
    assert api.delete(f"/v1/products/{product}").status_code == 204
    eventually(lambda: not found(api))


def test_without_tensorflow_serving_searches_by_photo_are_unavailable_and_those_by_product_go_on(
    stack: Stack, api: httpx.Client, product: str
) -> None:
    with stopped(stack, "tfs"):
        assert_unavailable(search(api), "embedding-unavailable")
        assert_unavailable(api.put("/v1/products/new", json=BODY), "embedding-unavailable")
        assert api.get(f"/v1/products/{product}/similar").status_code == 200
        eventually(lambda: "searches by photo" in api.get("/readyz").json().get("degraded", []))
        assert api.get("/readyz").status_code == 200  # searches by product go on
        assert api.get("/livez").status_code == 200
    eventually(lambda: found(api))
    eventually(lambda: "degraded" not in api.get("/readyz").json())


@pytest.mark.parametrize(("process", "slug"), [("index", "index-not-ready"), ("embedding", "embedding-unavailable")])
def test_without_one_of_our_services_a_search_says_so(
    stack: Stack, api: httpx.Client, product: str, process: str, slug: str
) -> None:
    with stopped(stack, process):
        assert_unavailable(search(api), slug)
    eventually(lambda: found(api))


def test_an_index_that_is_killed_comes_back_with_every_product(stack: Stack, api: httpx.Client, product: str) -> None:
    before = api.get("/v1/stats").json()["products"]
    kill(stack, "index")
    eventually(lambda: found(api))
    assert api.get("/v1/stats").json()["products"] == before
