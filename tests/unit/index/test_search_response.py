"""Parts of a response that depend on the engine, and the numbers of a hit."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from services.contracts.domain.errors import UnknownProduct
from services.engine.category_view import Match
from services.engine.multi_search import CatalogueMatch
from services.index import search_response
from tests.support.fakes.index_api import product, query
from tests.support.servers.index import app_around, new_replica


@pytest.fixture
def http() -> Iterator[TestClient]:
    replica = new_replica()
    replica.apply([], [product(number) for number in range(3)])
    with TestClient(app_around(replica)) as client:
        yield client


@pytest.mark.parametrize(
    ("engine", "named"),
    [("faiss", {}), ("milvus flat", {"exact": True}), ("milvus hnsw", {"exact": False})],
)
def test_another_engine_is_named_with_whether_it_is_exact(
    http: TestClient, engine: str, named: dict[str, bool]
) -> None:
    object.__setattr__(http.app_state["index"], "engine", engine)
    expected = {"engine": engine, **named} if named else {}
    for path, body in (("/v1/search", query()), ("/v1/similar", {"id": "p0"})):
        document = http.post(path, json=body).json()
        assert {name: document[name] for name in ("engine", "exact") if name in document} == expected
        assert document["active"] == document["model"] == "fashion/1"


@pytest.mark.parametrize(
    ("score", "shown"),
    [(1.0000003, 1.0), (-1.0000003, -1.0), (0.123456789, 0.1234568), (1.0, 1.0), (-1.0, -1.0), (0.0, 0.0)],
)
def test_a_score_has_seven_digits_and_is_a_cosine(score: float, shown: float) -> None:
    assert search_response._score(CatalogueMatch("default", Match("p", score, None))) == shown


def test_a_product_that_was_deleted_after_it_was_found_has_no_vector() -> None:
    def find(key: str) -> Any:
        raise UnknownProduct(key)

    model: Any = SimpleNamespace(of=lambda _: SimpleNamespace(gallery=SimpleNamespace(find=find)))
    assert search_response._vector(model, {"catalogue": "default", "id": "p"}) is None


def test_a_hit_without_a_payload_has_every_field() -> None:
    hit = search_response._hit(3, CatalogueMatch("shoes", Match("p", 0.5, None)), 0.25, None)
    assert hit == {
        "id": "p", "score": 0.25, "similarity": None, "category": 3, "catalogue": "shoes", "image_index": 0,
        "url": None, "image_url": None, "title": None, "attributes": {}, "group": None,
    }  # fmt: skip


@pytest.mark.parametrize(("path", "body"), [("/v1/search", query()), ("/v1/similar", {"id": "p0"})])
def test_columns_are_built_by_the_thread_for_them_before_the_first_search(
    http: TestClient, path: str, body: dict[str, Any]
) -> None:
    built: list[str] = []
    with ThreadPoolExecutor(1, initializer=lambda: built.append("a thread has begun")) as builder:
        object.__setattr__(http.app_state["index"], "builder", builder)
        http.post(path, json=body)
        assert built == []
        for _ in range(2):
            assert http.post(path, json={**body, "filter": {"colour": "blue"}}).status_code == 200
            assert built == ["a thread has begun"]
