"""Random products of the index: how many, and of which category."""

from collections.abc import Iterator

import numpy as np
import pytest
from fastapi.testclient import TestClient

from services.catalogue.documents.product_document import Record
from services.catalogue.product import unit_vector
from tests.support.fakes.index_api import problem
from tests.support.servers.index import app_around, new_replica
from tests.support.values.products import make_product

VECTOR = unit_vector(np.ones(64, np.float32))


@pytest.fixture
def http() -> Iterator[TestClient]:
    """Sixty products in the first category, one in the second."""
    replica = new_replica()
    products = [make_product(f"p{number}", number // 60, VECTOR) for number in range(61)]
    replica.apply([], [Record(product.key, product) for product in products])
    with TestClient(app_around(replica)) as client:
        yield client


@pytest.mark.parametrize(("query", "count"), [("", 12), ("?count=1", 1), ("?count=50", 50), ("?category=1", 1)])
def test_a_sample_has_twelve_products_unless_another_number_is_wanted(http: TestClient, query: str, count: int) -> None:
    products = http.get(f"/v1/sample{query}").json()["products"]
    assert len({product["id"] for product in products}) == count


@pytest.mark.parametrize("query", ["count=0", "count=51", "category=-1"])
def test_a_sample_of_an_impossible_number_is_an_invalid_request(http: TestClient, query: str) -> None:
    problem(http.get(f"/v1/sample?{query}"), 422, "invalid-request")


def test_the_first_category_is_one_of_its_own(http: TestClient) -> None:
    products = http.get("/v1/sample?category=0&count=50").json()["products"]
    assert {product["category"] for product in products} == {0}
