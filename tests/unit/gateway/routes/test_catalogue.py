"""The gateway's API with several catalogues: every route has an address for each, and tells when there is none."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI, Request
from starlette.testclient import TestClient

from services.contracts.domain.errors import IndexNotReady
from services.gateway.app import create_app
from services.gateway.catalogue_path import CataloguePathMiddleware, requested_catalogue
from services.gateway.index_nodes.nodes import IndexNodes
from services.gateway.index_nodes.overview import combined
from services.gateway.settings import GatewaySettings
from tests.support.index_fakes import FakeIndex

NOWHERE = "http://127.0.0.1:9"
SETTINGS = GatewaySettings(
    catalogues="shoes",  # type: ignore[arg-type]
    index_urls=(NOWHERE,),
    embedding_url=NOWHERE,
    mongo_url="mongodb://127.0.0.1:9",  # type: ignore[arg-type]
)
ROUTES = [
    (path.replace("{id}", "15970"), method)
    for path, operations in create_app(SETTINGS).openapi()["paths"].items()
    for method in operations
    if path.startswith("/v1/")
]
# These are asked of all catalogues as well.
SPANNING = {"/v1/search", "/v1/products/15970/similar", "/v1/products", "/v1/categories", "/v1/stats", "/v1/catalogues"}
# These know no catalogue.
ALOOF = {"/v1/detect"}


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(SETTINGS)) as client:
        yield client


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


@pytest.mark.parametrize(("path", "method"), ROUTES)
def test_an_unknown_catalogue_is_a_404_problem_that_names_those_that_there_are(
    client: TestClient, path: str, method: str
) -> None:
    answer = client.request(method, f"/catalogues/hats{path}")
    assert problem(answer) == (404, "unknown-catalogue")
    assert answer.json()["detail"] == "there is no catalogue 'hats': CATALOGUES names default, shoes"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(("path", "method"), [one for one in ROUTES if one[0] not in SPANNING | ALOOF])
def test_what_is_asked_of_one_catalogue_is_not_asked_of_all(client: TestClient, path: str, method: str) -> None:
    types = {"Content-Type": "application/x-ndjson" if path.endswith(":import") else "application/json"}
    answer = client.request(method, f"/catalogues/all{path}", content=b"{}" if method != "get" else None, headers=types)
    assert problem(answer) == (404, "unknown-catalogue")
    assert "'all' is for searches" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/v1/stats", "/v1/catalogues", "/v1/products?sample=3"])
@pytest.mark.parametrize("name", ["default", "shoes", "all"])
def test_a_known_catalogue_gets_as_far_as_the_index(client: TestClient, path: str, name: str) -> None:
    assert problem(client.get(f"/catalogues/{name}{path}")) == (503, "index-not-ready")


def test_a_product_is_like_those_of_the_catalogues_that_are_searched_only(client: TestClient) -> None:
    answer = client.get("/catalogues/all/v1/products/a/similar?catalogue=hats")
    assert problem(answer) == (404, "unknown-catalogue")
    answer = client.get("/catalogues/shoes/v1/products/a/similar?catalogue=default")
    assert problem(answer) == (404, "unknown-catalogue")


@pytest.mark.parametrize(
    ("address", "path", "name"),
    [
        ("/v1/search", "/v1/search", "default"),
        ("/catalogues/shoes/v1/search", "/v1/search", "shoes"),
        ("/catalogues/shoes", "/", "shoes"),
        ("/catalogues/shoes/", "/", "shoes"),
        ("/catalogues/a%2Fb/v1/x", "/b/v1/x", "a"),
        ("/catalogues/", "/", ""),
        ("/catalogues", "/catalogues", "default"),
        ("/v1/products/catalogues/shoes", "/v1/products/catalogues/shoes", "default"),
        ("/catalogues/x/v1/products/a%2Fb", "/v1/products/a/b", "x"),
        ("/catalogues/x/catalogues/y/v1", "/catalogues/y/v1", "x"),
    ],
)
def test_the_catalogue_is_taken_off_the_beginning_of_an_address(address: str, path: str, name: str) -> None:
    app = FastAPI()

    @app.get("/{rest:path}")
    def seen(request: Request) -> list[str]:
        return [request.url.path, requested_catalogue(request)]

    app.add_middleware(CataloguePathMiddleware)
    assert TestClient(app).get(address).json() == [path, name]


async def test_catalogues_are_counted_alone_and_together() -> None:
    nodes = IndexNodes([FakeIndex({0: ["t1", "t2"]}, shoes=4), FakeIndex({1: ["s1"]}, shoes=4)], 1)  # type: ignore[list-item]
    status = await nodes.status()
    assert {name: one.products for name, one in status.catalogues.items()} == {"default": 3, "shoes": 8}
    assert combined(status, ("shoes",)) == status.catalogues["shoes"]
    both = combined(status, ("default", "shoes"))
    assert (both.products, [one.products for one in both.categories]) == (11, [6, 5, 0])
    assert {one.close_score for one in both.categories} == {None}
    assert both.sync.lag_seconds == 7.0
    with pytest.raises(IndexNotReady, match="the index has no catalogue 'hats': its CATALOGUES"):
        combined(status, ("hats",))


async def test_a_catalogue_that_one_node_does_not_know_is_not_known() -> None:
    nodes = IndexNodes([FakeIndex({0: ["t1"]}, shoes=4), FakeIndex({1: ["s1"]})], 1)  # type: ignore[list-item]
    assert list((await nodes.status()).catalogues) == ["default"]
