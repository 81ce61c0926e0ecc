"""The index's HTTP API with several catalogues in it."""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from services.contracts.wire.index import IndexStatus
from services.index.app import create_app
from services.index.settings import IndexSettings
from tests.support.fakes.index_api import problem, product, query
from tests.support.servers.index import app_around, new_replica, write_model
from tests.support.values.products import make_product


@pytest.fixture
def http() -> Iterator[TestClient]:
    """p0 to p2 in the default catalogue, p0 and p3 in shoes; the second p0 with another vector."""
    default, shoes = new_replica(), new_replica()
    default.apply([], [product(number) for number in range(3)])
    other = product(4)
    twin = type(other)("p0", make_product("p0", 0, other.product.vector, title="the other p0"))
    shoes.apply([], [product(3), twin])
    with TestClient(app_around(default, shoes=shoes)) as client:
        yield client


@pytest.fixture
def half() -> Iterator[TestClient]:
    """The default catalogue is there, shoes is being loaded."""
    replica = new_replica()
    replica.apply([], [product(0)])
    with TestClient(app_around(replica, shoes=None)) as client:
        yield client


def found(client: TestClient, *catalogues: str, path: str = "/v1/search", **body: object) -> list[tuple[str, str]]:
    given = {"catalogues": list(catalogues)} if catalogues else {}
    answer = client.post(path, json={**(body or query()), **given})
    assert answer.status_code == 200, answer.text
    return [(hit["catalogue"], hit["id"]) for hit in answer.json()["hits"]]


def test_a_search_that_names_no_catalogue_is_within_the_default_one(http: TestClient) -> None:
    answer = http.post("/v1/search", json=query()).json()
    assert sorted(hit["id"] for hit in answer["hits"]) == ["p0", "p1", "p2"]
    assert {hit["catalogue"] for hit in answer["hits"]} == {"default"}


def test_a_search_within_another_catalogue_finds_that_ones_products_only(http: TestClient) -> None:
    assert sorted(found(http, "shoes")) == [("shoes", "p0"), ("shoes", "p3")]
    titles = [hit["title"] for hit in http.post("/v1/search", json=query(catalogues=["shoes"])).json()["hits"]]
    assert "the other p0" in titles


def test_a_search_through_both_has_each_product_of_each_in_one_order_and_in_pages(http: TestClient) -> None:
    whole = found(http, "default", "shoes")
    assert sorted(whole) == [("default", "p0"), ("default", "p1"), ("default", "p2"), ("shoes", "p0"), ("shoes", "p3")]
    scores = [
        hit["score"] for hit in http.post("/v1/search", json=query(catalogues=["shoes", "default"])).json()["hits"]
    ]
    assert scores == sorted(scores, reverse=True)
    pages = [found(http, "default", "shoes", **query(k=2, offset=offset)) for offset in (0, 2, 4)]
    assert [product for page in pages for product in page] == whole


def test_what_is_like_a_product_leaves_out_that_product_and_not_its_namesake(http: TestClient) -> None:
    like = found(http, "default", "shoes", path="/v1/similar", id="p0")
    assert ("shoes", "p0") in like and ("default", "p0") not in like
    like = found(http, "default", "shoes", path="/v1/similar", id="p0", catalogue="shoes")
    assert ("default", "p0") in like and ("shoes", "p0") not in like
    assert found(http, "shoes", path="/v1/similar", id="p0") == [("shoes", "p3")]
    text = problem(http.post("/v1/similar", json={"id": "p3"}), 404, "unknown-product")
    assert "'p3'" in text


def test_facets_count_the_products_of_all_catalogues_that_are_searched(http: TestClient) -> None:
    answer = http.post("/v1/search", json=query(catalogues=["default", "shoes"], facets=True)).json()
    (colour,) = [facet for facet in answer["facets"] if facet["attribute"] == "colour"]
    assert {value["value"]: value["count"] for value in colour["values"]} == {"blue": 2, "red": 2}


def test_a_sample_is_of_the_catalogues_that_are_named(http: TestClient) -> None:
    def sample(address: str) -> list[tuple[str, str]]:
        products = http.get(address).json()["products"]
        return sorted((product["catalogue"], product["id"]) for product in products)

    assert [key for _, key in sample("/v1/sample")] == ["p0", "p1", "p2"]
    assert sample("/v1/sample?catalogue=shoes") == [("shoes", "p0"), ("shoes", "p3")]
    assert len(sample("/v1/sample?catalogue=shoes&catalogue=default&count=4")) == 4


def test_the_status_counts_the_products_of_each_catalogue(http: TestClient) -> None:
    status = IndexStatus.model_validate(http.get("/v1/status").json())
    assert status.ready
    assert {name: catalogue.products for name, catalogue in status.catalogues.items()} == {"default": 3, "shoes": 2}
    assert status.catalogues["shoes"].models[0].products == 2


def test_a_catalogue_that_the_index_was_not_told_of_is_asked_for_later(http: TestClient) -> None:
    answer = http.post("/v1/search", json=query(catalogues=["hats"]))
    assert (
        problem(answer, 503, "index-not-ready")
        == "the index has no catalogue 'hats': its CATALOGUES has to name it as well"
    )


def test_while_one_catalogue_is_loaded_the_others_are_searched_and_the_index_is_not_ready(half: TestClient) -> None:
    assert found(half) == [("default", "p0")]
    assert "catalogue shoes: the products are being loaded" in problem(
        half.post("/v1/search", json=query(catalogues=["default", "shoes"])), 503, "index-not-ready"
    )
    answer = half.get("/readyz")
    assert (answer.status_code, answer.json()["reasons"]) == (
        503,
        ["catalogue shoes: the products are being loaded from the database"],
    )
    assert half.get("/v1/status").json()["ready"] is False


def test_the_metrics_tell_of_each_catalogue(http: TestClient, half: TestClient) -> None:
    text = http.get("/metrics").text
    assert 'lookalike_index_products{catalogue="shoes",category="Topwear"} 2.0' in text
    assert 'lookalike_index_products{catalogue="default",category="Topwear"} 3.0' in text
    assert 'lookalike_index_drift_found_total{catalogue="shoes"} 0.0' in text
    assert 'lookalike_index_model_products{catalogue="shoes",model="fashion/1",role="active"} 2.0' in text
    assert 'lookalike_index_ready{catalogue="shoes"} 0.0' in half.get("/metrics").text
    assert 'lookalike_index_ready{catalogue="default"} 1.0' in half.get("/metrics").text


def test_the_service_follows_every_catalogue_of_its_settings(tmp_path: Path) -> None:
    settings = IndexSettings(
        mongo_url=SecretStr("mongodb://127.0.0.1:9"),  # nothing listens there
        model_dir=write_model(tmp_path / "1"),
        catalogues="shoes,hats",  # type: ignore[arg-type]
    )
    with TestClient(create_app(settings)) as client:
        assert list(client.get("/v1/status").json()["catalogues"]) == ["default", "shoes", "hats"]


async def test_each_catalogue_brings_threads_for_its_change_streams(tmp_path: Path) -> None:
    def settings(*catalogues: str) -> IndexSettings:
        return IndexSettings(
            mongo_url=SecretStr("mongodb://127.0.0.1:9"), model_dir=write_model(tmp_path / "1"), catalogues=catalogues
        )

    async def workers(*catalogues: str) -> int:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        app = create_app(settings(*catalogues))
        async with app.router.lifespan_context(app):
            executor = loop._default_executor  # type: ignore[attr-defined]
            return int(executor._max_workers)

    assert await workers("default") == 1  # as it was
    assert await workers("default", "shoes") == min(32, (os.cpu_count() or 1) + 4) + 3


def test_a_pinned_id_means_the_products_of_every_catalogue(http: TestClient) -> None:
    pinned = http.post("/v1/search", json=query(catalogues=["default", "shoes"], pinned=["p0", "p3"])).json()["pinned"]
    assert [(hit["catalogue"], hit["id"]) for hit in pinned] == [("default", "p0"), ("shoes", "p0"), ("shoes", "p3")]
