"""Pages of results, put together, against all of them ranked by hand."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.catalogue.documents.product_document import Record
from services.catalogue.product import unit_vector
from services.contracts.wire.index import MAX_REACH
from tests.support.servers.index import app_around, new_replica
from tests.support.values.products import make_product

PRODUCTS = 620
DRAW = np.random.default_rng(11)
# Few different vectors, so that hundreds of products score the same and their ids decide.
KINDS = [unit_vector(vector.astype(np.float32)) for vector in DRAW.integers(-1, 2, (12, 64)) + 0.25]
CHOSEN = DRAW.integers(0, len(KINDS), PRODUCTS)
KEYS = [f"p{number:03}" for number in DRAW.permutation(PRODUCTS)]


@pytest.fixture(scope="module")
def http() -> Iterator[TestClient]:
    replica = new_replica()
    products = [
        make_product(key, 0, KINDS[kind], attributes={"even": int(key[1:]) % 2 == 0})
        for key, kind in zip(KEYS, CHOSEN, strict=True)
    ]
    replica.apply([], [Record(product.key, product) for product in products])
    with TestClient(app_around(replica)) as client:
        yield client


def by_hand(vector: Any, is_even: bool | None) -> list[str]:
    scores = [round(float(np.dot(kind.astype(np.float64), vector)), 9) for kind in KINDS]
    ranked = sorted((-scores[kind], key) for key, kind in zip(KEYS, CHOSEN, strict=True))
    return [key for _, key in ranked if is_even is None or (int(key[1:]) % 2 == 0) == is_even][:MAX_REACH]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1000), k=st.integers(7, 100), is_even=st.sampled_from([None, True, False]))
def test_pages_put_together_are_the_ranking(http: TestClient, seed: int, k: int, is_even: bool | None) -> None:
    vector = unit_vector(np.random.default_rng(seed).standard_normal(64).astype(np.float32))
    body = {"category": 0, "vector": vector.tolist(), "model": "fashion/1"}
    if is_even is not None:
        body["filter"] = {"even": is_even}
    ids, page = [], {"k": k, "offset": 0}
    while page is not None:
        answer = http.post("/v1/search", json={**body, **page}).json()
        ids += [hit["id"] for hit in answer["hits"]]
        page = answer["next_page"]
    assert ids == by_hand(vector.astype(np.float64), is_even)
