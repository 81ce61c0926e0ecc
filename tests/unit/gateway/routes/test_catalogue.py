"""The gateway's API with several catalogues: every route serves each of them, and refuses an unknown one."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI, Request
from starlette.testclient import TestClient

from services.contracts.domain.errors import IndexNotReady
from services.gateway.app import create_app
from services.gateway.index_nodes.nodes import IndexNodes
from services.gateway.index_nodes.overview import combined
from services.gateway.request_path import RequestPathMiddleware, requested_catalogue
from services.gateway.settings import GatewaySettings
from tests.support.fakes.index_fakes import FakeIndex

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
# These also work for all catalogues together.
SPANNING = {
    "/v1/search",
    "/v1/products/15970/similar",
    "/v1/products/15970/look",
    "/v1/look",
    "/v1/merchandising/preview",
    "/v1/events",
    "/v1/visitors/{visitor}",
    "/v1/products:sample",
    "/v1/categories",
    "/v1/stats",
    "/v1/catalogues",
}
# These are about no catalogue.
WITHOUT_CATALOGUE = {"/v1/detect"}


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(SETTINGS)) as client:
        yield client


def problem(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["type"].removeprefix("/problems/")


@pytest.mark.parametrize(("path", "method"), ROUTES)
def test_an_unknown_catalogue_is_a_404_problem_that_names_the_known_ones(
    client: TestClient, path: str, method: str
) -> None:
    response = client.request(method, f"/catalogues/hats{path}")
    assert problem(response) == (404, "unknown-catalogue")
    assert response.json()["detail"] == "there is no catalogue 'hats': CATALOGUES names default, shoes"
    assert response.json()["request_id"] == response.headers["x-request-id"]


@pytest.mark.parametrize(
    ("path", "method"), [route for route in ROUTES if route[0] not in SPANNING | WITHOUT_CATALOGUE]
)
def test_a_route_of_one_catalogue_does_not_serve_all(client: TestClient, path: str, method: str) -> None:
    types = {"Content-Type": "application/x-ndjson" if path.endswith(":import") else "application/json"}
    body = b'{"ids": ["a"]}' if path.endswith(":delete") else b"{}"
    response = client.request(
        method, f"/catalogues/all{path}", content=body if method != "get" else None, headers=types
    )
    assert problem(response) == (404, "unknown-catalogue")
    assert "'all' is for searches" in response.json()["detail"]


@pytest.mark.parametrize("path", ["/v1/stats", "/v1/catalogues", "/v1/products:sample?count=3"])
@pytest.mark.parametrize("name", ["default", "shoes", "all"])
def test_a_known_catalogue_gets_as_far_as_the_index(client: TestClient, path: str, name: str) -> None:
    assert problem(client.get(f"/catalogues/{name}{path}")) == (503, "index-not-ready")


def test_a_product_has_to_be_in_a_catalogue_that_is_searched(client: TestClient) -> None:
    response = client.get("/catalogues/all/v1/products/a/similar?catalogue=hats")
    assert problem(response) == (404, "unknown-catalogue")
    response = client.get("/catalogues/shoes/v1/products/a/similar?catalogue=default")
    assert problem(response) == (404, "unknown-catalogue")


@pytest.mark.parametrize(
    ("address", "path", "name"),
    [
        ("/v1/search", "/v1/search", "default"),
        ("/catalogues/shoes/v1/search", "/v1/search", "shoes"),
        ("/catalogues/shoes", "/", "shoes"),
        ("/catalogues/shoes/", "/", "shoes"),
        ("/catalogues/a%2Fb/v1/x", "/v1/x", "a/b"),
        ("/c%61talogues/shoes/v1/se%61rch", "/v1/search", "shoes"),
        ("/catalogues/", "/", ""),
        ("/catalogues", "/catalogues", "default"),
        ("/v1/products/catalogues/shoes", "/v1/products/catalogues/shoes", "default"),
        ("/catalogues/x/v1/products/a%2Fb", "/v1/products/a%2Fb", "x"),
        ("/v1/%70roducts/a%2Fb/c", "/v1/products/a%2Fb/c", "default"),
        ("/v1/products%3Aimport", "/v1/products:import", "default"),
        ("/catalogues/x/catalogues/y/v1", "/catalogues/y/v1", "x"),
    ],
)
def test_the_catalogue_is_removed_from_the_start_of_the_path(address: str, path: str, name: str) -> None:
    app = FastAPI()

    @app.get("/{rest:path}")
    def path_and_catalogue(request: Request) -> list[str]:
        return [request.scope["path"], requested_catalogue(request)]

    app.add_middleware(RequestPathMiddleware)
    assert TestClient(app).get(address).json() == [path, name]


async def test_catalogues_are_counted_alone_and_together() -> None:
    nodes = IndexNodes([FakeIndex({0: ["t1", "t2"]}, shoes=4), FakeIndex({1: ["s1"]}, shoes=4)], 1)  # type: ignore[list-item]
    status = await nodes.status()
    assert {name: catalogue.products for name, catalogue in status.catalogues.items()} == {"default": 3, "shoes": 8}
    assert combined(status, ("shoes",)) == status.catalogues["shoes"]
    both = combined(status, ("default", "shoes"))
    assert (both.products, [category.products for category in both.categories]) == (11, [6, 5, 0])
    assert {category.close_score for category in both.categories} == {None}
    assert both.sync.lag_seconds == 7.0
    with pytest.raises(IndexNotReady, match="the index has no catalogue 'hats': its CATALOGUES"):
        combined(status, ("hats",))


async def test_a_catalogue_that_one_node_does_not_know_is_not_known() -> None:
    nodes = IndexNodes([FakeIndex({0: ["t1"]}, shoes=4), FakeIndex({1: ["s1"]})], 1)  # type: ignore[list-item]
    assert list((await nodes.status()).catalogues) == ["default"]
