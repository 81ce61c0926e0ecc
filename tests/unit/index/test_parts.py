"""What a node that holds a part of each category responds: all that the gateway needs to put the parts together."""

from collections.abc import Iterator

import numpy as np
import pytest
from fastapi.testclient import TestClient

from services.catalogue.documents.product_document import Record
from services.catalogue.product import unit_vector
from services.contracts.domain.parts import WHOLE, Part
from services.contracts.wire.index import IndexResponse
from tests.support.fakes.index_api import VECTORS, problem, query
from tests.support.servers.index import MANIFEST, app_around, new_replica
from tests.support.values.products import make_product

THRESHOLD = MANIFEST.model_copy(update={"thresholds": {"no_close_match": 0.6}})
HALF = Part(1, 2)


def records(count: int) -> list[Record]:
    """Return products that are ever further away from the first vector."""
    direction = np.arange(count)[:, None] / count
    vectors = [unit_vector(v) for v in (VECTORS[0] * (1 - direction) + VECTORS[1] * direction).astype(np.float32)]
    return [
        Record(f"p{number}", make_product(f"p{number}", 0, vector, attributes={"colour": "ab"[number % 2]}))
        for number, vector in enumerate(vectors)
    ]


def node(part: Part) -> Iterator[TestClient]:
    replica = new_replica(part=part)
    replica.apply([], records(40))
    with TestClient(app_around(replica, THRESHOLD)) as client:
        yield client


@pytest.fixture
def half() -> Iterator[TestClient]:
    yield from node(HALF)


@pytest.fixture
def whole() -> Iterator[TestClient]:
    yield from node(WHOLE)


def test_a_part_returns_every_match_with_its_whole_score_and_the_scales(half: TestClient) -> None:
    document = half.post("/v1/search", json=query(k=3, offset=2, part="1/2", pinned=["p0", "p1", "p2", "p3"])).json()
    held = [record for record in records(40) if HALF.holds(record.product.key)]
    assert [hit["id"] for hit in document["hits"]] == [record.product.key for record in held[:6]]
    for hit, record in zip(document["hits"], held, strict=False):
        exact = record.product.vector.astype(np.float64) @ VECTORS[0].astype(np.float64)
        assert hit["score"] == pytest.approx(exact, abs=1e-12)
    assert [hit["id"] for hit in document["pinned"]] == [
        record.product.key for record in held if record.product.key in ("p0", "p1", "p2", "p3")
    ]
    assert {hit["similarity"] for hit in [*document["hits"], *document["pinned"]]} == {None}
    assert (document["best_score"], document["best_similarity"], document["next_page"]) == (None, None, None)
    assert len(document["scales"]["default"]["scores"]) == len(document["scales"]["default"]["values"]) > 2
    assert document["facet_summary"] is None


def test_the_facets_of_a_part_are_a_summary(half: TestClient) -> None:
    document = half.post("/v1/search", json=query(part="1/2", facets=True, filter={"colour": "a"})).json()
    held = [record for record in records(40) if HALF.holds(record.product.key)]
    assert document["facet_summary"]["products"] == len(held)
    (colour,) = document["facet_summary"]["attributes"]
    assert (colour["attribute"], colour["products"], sorted(colour["values"])) == ("colour", len(held), ["a", "b"])
    assert document["total"] == sum(record.product.attributes["colour"] == "a" for record in held)


def test_without_a_threshold_a_part_of_few_products_has_no_scale() -> None:
    replica = new_replica(part=HALF)
    replica.apply([], records(10))
    with TestClient(app_around(replica)) as client:
        assert client.post("/v1/search", json=query(part="1/2")).json()["scales"] == {}


def test_another_part_is_elsewhere_and_what_is_similar_is_asked_for_by_its_vector(
    half: TestClient, whole: TestClient
) -> None:
    for part in ("2/2", "1/1"):
        text = problem(half.post("/v1/search", json=query(part=part)), 421, "category-elsewhere")
        assert "this node holds part 1/2 of each category" in text
    text = problem(half.post("/v1/similar", json={"id": "p0", "part": "1/2"}), 421, "category-elsewhere")
    assert "ask for the vector, and search" in text
    problem(whole.post("/v1/similar", json={"id": "p0", "part": "1/2"}), 421, "category-elsewhere")


def test_a_page_names_the_best_score_and_similarity_of_all_pages(whole: TestClient) -> None:
    pages = [
        IndexResponse.model_validate(whole.post("/v1/search", json=query(k=5, offset=offset)).json())
        for offset in (0, 10)
    ]
    assert {(page.best_score, page.best_similarity) for page in pages} == {(1.0, 1.0)}
    similarities = [hit.similarity for page in pages for hit in page.hits]
    assert similarities == sorted(similarities, key=lambda value: -(value or 0))
    assert similarities[-1] is not None and similarities[-1] < 1


def test_a_product_is_left_out_of_a_search_with_its_own_vector(whole: TestClient) -> None:
    own = {"catalogue": "default", "id": "p0"}
    hits = whole.post("/v1/search", json=query(k=2, vector_of=own)).json()["hits"]
    assert [hit["id"] for hit in hits] == ["p1", "p2"]
