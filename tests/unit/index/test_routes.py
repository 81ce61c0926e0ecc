"""The index's HTTP API, around a gallery without a database."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from services.catalogue.documents.product_document import Record
from services.catalogue.product import unit_vector
from services.contracts.domain.manifest import ManifestError
from services.contracts.domain.parts import Part
from services.contracts.wire.index import IndexResponse, IndexStatus
from services.index.app import create_app
from services.index.settings import IndexSettings
from tests.support.fakes.index_api import VECTORS, problem, product, query
from tests.support.servers.index import MANIFEST, app_around, new_replica, write_model
from tests.support.values.products import additional_image, make_product


def catalogue(client: TestClient) -> dict[str, Any]:
    """Return the status of the default catalogue."""
    status: dict[str, Any] = client.get("/v1/status").json()["catalogues"]["default"]
    return status


@pytest.fixture
def http() -> Iterator[TestClient]:
    """Four products in Topwear, one in Shoes."""
    replica = new_replica()
    replica.apply([], [*(product(number) for number in range(4)), product(4, category=1)])
    with TestClient(app_around(replica)) as client:
        yield client


@pytest.fixture
def unready() -> Iterator[TestClient]:
    with TestClient(app_around(None)) as client:
        yield client


def test_a_search_gives_the_nearest_with_what_a_result_shows(http: TestClient) -> None:
    answer = IndexResponse.model_validate(http.post("/v1/search", json=query(k=2)).json())
    first = answer.hits[0]
    assert (first.id, first.url, first.title, first.category) == ("p0", "https://shop.example/p0", "p0", 0)
    assert first.attributes == {"colour": "blue", "price": 0.0}
    assert first.score == pytest.approx(1, abs=1e-6)
    assert len(answer.hits) == 2
    assert (answer.category, answer.model) == (0, "fashion/1")
    assert answer.timings_ms["search"] > 0


def test_a_hit_shows_the_image_that_is_nearest_to_the_query() -> None:
    replica = new_replica()
    back = additional_image(VECTORS[1], url="https://shop.example/p0-back.jpg")
    made = make_product("p0", 0, VECTORS[0], image_url="https://shop.example/p0.jpg", images=(back,))
    replica.apply([], [Record("p0", made, ("images[1]: the vector is missing",))])
    with TestClient(app_around(replica)) as http:
        hits = [http.post("/v1/search", json=query(vector=VECTORS[n].tolist())).json()["hits"] for n in (0, 1)]
        shown = http.get("/v1/sample").json()["products"]
        assert catalogue(http)["sync"]["skipped_images"] == 1
    assert [[(hit["image_index"], hit["image_url"]) for hit in each] for each in hits] == [
        [(0, "https://shop.example/p0.jpg")],
        [(1, "https://shop.example/p0-back.jpg")],
    ]
    assert [product["image_url"] for product in shown] == ["https://shop.example/p0.jpg"]


def test_a_larger_k_than_there_are_products_gives_them_all(http: TestClient) -> None:
    assert len(http.post("/v1/search", json=query(k=100)).json()["hits"]) == 4


def test_pages_follow_each_other_and_the_last_says_so(http: TestClient) -> None:
    whole = http.post("/v1/search", json=query()).json()
    pages = [http.post("/v1/search", json=query(k=k, offset=offset)).json() for k, offset in ((3, 0), (3, 3), (2, 4))]
    assert [hit for page in pages for hit in page["hits"]] == whole["hits"]
    assert [page["next_page"] for page in pages] == [{"k": 3, "offset": 3}, None, None]
    assert {page["best_score"] for page in pages} == {whole["hits"][0]["score"]}
    assert whole["next_page"] is None


def test_similar_products_come_in_pages_too(http: TestClient) -> None:
    whole = http.post("/v1/similar", json={"id": "p0"}).json()["hits"]
    pages = [http.post("/v1/similar", json={"id": "p0", "k": 2, "offset": offset}).json() for offset in (0, 2)]
    assert [hit for page in pages for hit in page["hits"]] == whole
    assert [page["next_page"] for page in pages] == [{"k": 2, "offset": 2}, None]


def test_the_least_score_ends_the_pages(http: TestClient) -> None:
    document = http.post("/v1/search", json=query(k=1, min_score=0.9)).json()
    assert [hit["id"] for hit in document["hits"]] == ["p0"]
    assert document["next_page"] is None


def test_where_nothing_matches_there_is_no_best_score(http: TestClient) -> None:
    document = http.post("/v1/search", json=query(filter={"colour": "green"})).json()
    assert (document["hits"], document["best_score"], document["next_page"]) == ([], None, None)


def test_a_page_beyond_the_reach_is_told_by_its_offset(http: TestClient) -> None:
    problems = problem(http.post("/v1/search", json=query(k=30, offset=480)), 422, "invalid-request")
    assert problems == "offset: offset + k may be at most 500: 480 + 30 is more"


def test_an_empty_category_gives_no_hits(http: TestClient) -> None:
    assert http.post("/v1/search", json=query(category=8)).json()["hits"] == []


def test_filters_excluded_ids_and_the_least_score_hold_together(http: TestClient) -> None:
    body = query(filter={"colour": ["blue"], "price": {"lte": 50}}, exclude=["p0"], min_score=-1)
    assert [hit["id"] for hit in http.post("/v1/search", json=body).json()["hits"]] == ["p2"]
    assert http.post("/v1/search", json=query(filter={"price": {"gt": 30}})).json()["hits"] == []


def test_hidden_products_are_left_out_of_results_totals_and_facets(http: TestClient) -> None:
    body = query(hide={"colour": "blue"}, facets=True)
    document = http.post("/v1/search", json=body).json()
    assert ({hit["id"] for hit in document["hits"]}, document["total"]) == ({"p1", "p3"}, 2)
    (colours,) = (facet["values"] for facet in document["facets"] if facet["attribute"] == "colour")
    assert colours == [{"value": "red", "count": 2}]
    similar = http.post("/v1/similar", json={"id": "p0", "hide": {"colour": "red"}}).json()
    assert [hit["id"] for hit in similar["hits"]] == ["p2"]


def test_of_a_group_the_nearest_product_is_returned(http: TestClient) -> None:
    plain = http.post("/v1/search", json=query()).json()["hits"]
    colours = [hit["attributes"]["colour"] for hit in plain]
    grouped = http.post("/v1/search", json=query(group_by="colour")).json()
    assert grouped["hits"] == [plain[colours.index(colour)] for colour in dict.fromkeys(colours)]
    pages = [http.post("/v1/search", json=query(group_by="colour", k=1, offset=offset)).json() for offset in (0, 1)]
    assert [hit for page in pages for hit in page["hits"]] == grouped["hits"]
    assert [page["next_page"] for page in pages] == [{"k": 1, "offset": 1}, None]
    assert http.post("/v1/search", json=query(group_by="nothing")).json()["hits"] == plain
    similar = http.post("/v1/similar", json={"id": "p0", "group_by": "colour"}).json()["hits"]
    assert len({hit["attributes"]["colour"] for hit in similar}) == len(similar) == 2


def test_an_attribute_of_what_is_hidden_is_no_unknown_one(http: TestClient) -> None:
    assert http.post("/v1/search", json=query(hide={"margin": 1})).json()["unknown_attributes"] == []


def test_pinned_products_of_the_category_come_in_addition(http: TestClient) -> None:
    document = http.post("/v1/search", json=query(k=1, pinned=["p3", "p4", "unknown", "p1"], exclude=["p1"])).json()
    assert [hit["id"] for hit in document["hits"]] == ["p0"]
    pinned = {hit["id"]: hit for hit in http.post("/v1/search", json=query(k=4)).json()["hits"]}
    assert document["pinned"] == [pinned["p3"], pinned["p1"]]
    like = http.post("/v1/similar", json={"id": "p0", "k": 1, "pinned": ["p3"], "exclude": ["p2"]}).json()
    assert like["pinned"] == [pinned["p3"]]
    assert "p2" not in {hit["id"] for hit in like["hits"]}


def test_hits_have_vectors_only_on_request(http: TestClient) -> None:
    document = IndexResponse.model_validate(
        http.post("/v1/search", json=query(k=2, vectors=True, pinned=["p1"])).json()
    )
    for hit in [*document.hits, *document.pinned]:
        assert hit.vector is not None
        np.testing.assert_array_equal(hit.vector, VECTORS[int(hit.id[1:])])
    assert all("vector" not in hit for hit in http.post("/v1/search", json=query()).json()["hits"])


def test_a_query_of_another_length_of_vector_points_the_same_way(http: TestClient) -> None:
    body = query(vector=(1000 * VECTORS[0]).tolist(), k=1)
    assert http.post("/v1/search", json=body).json()["hits"][0]["score"] == pytest.approx(1, abs=1e-6)


def test_an_unknown_category_is_a_404_problem(http: TestClient) -> None:
    assert "0 to 8" in problem(http.post("/v1/search", json=query(category=9)), 404, "unknown-category")


@pytest.fixture
def shard() -> Iterator[TestClient]:
    """A node that holds Shoes and Bags, with documents of four products in Topwear and one in Shoes."""
    replica = new_replica(held=[1, 2])
    replica.apply([], [*(product(number) for number in range(4)), product(4, category=1)])
    with TestClient(app_around(replica)) as client:
        yield client


def test_a_node_that_holds_some_categories_searches_in_these(shard: TestClient) -> None:
    assert [hit["id"] for hit in shard.post("/v1/search", json=query(category=1)).json()["hits"]] == ["p4"]
    assert shard.post("/v1/search", json=query(category=2)).json()["hits"] == []
    assert shard.post("/v1/similar", json={"id": "p4"}).status_code == 200
    assert {product["id"] for product in shard.get("/v1/sample").json()["products"]} == {"p4"}


def test_a_category_that_a_node_does_not_hold_is_a_421_problem(shard: TestClient) -> None:
    for answer in (shard.post("/v1/search", json=query(category=0)), shard.get("/v1/sample?category=0")):
        assert "category 0 is not held here; this node holds 1, 2" in problem(answer, 421, "category-elsewhere")
    assert "0 to 8" in problem(shard.post("/v1/search", json=query(category=9)), 404, "unknown-category")
    problem(shard.post("/v1/similar", json={"id": "p0"}), 404, "unknown-product")


def test_the_status_says_which_categories_a_node_holds(shard: TestClient, http: TestClient) -> None:
    status = IndexStatus.model_validate(shard.get("/v1/status").json())
    assert [category.name for category in status.catalogues["default"].categories if category.held] == ["Shoes", "Bags"]
    assert (status.catalogues["default"].products, status.ready) == (1, True)
    assert all(category["held"] for category in catalogue(http)["categories"])


def test_a_query_of_another_model_is_a_503_problem(http: TestClient) -> None:
    response = http.post("/v1/search", json=query(model="fashion/2"))
    assert "fashion/2" in problem(response, 503, "model-index-mismatch")
    assert response.headers["retry-after"]


@pytest.mark.parametrize(
    "changes",
    [
        {"vector": [1.0] * 63},
        {"vector": [0.0] * 64},
        {"vector": []},
        {"vector": ["x"] * 64},
        {"vector": [1e300] * 64},
        {"k": 0},
        {"k": -1},
        {"k": 101},
        {"k": "ten"},
        {"offset": -1},
        {"offset": 491},
        {"offset": 10**30},
        {"k": 100, "offset": 401},
        {"category": -1},
        {"category": "Topwear"},
        {"min_score": 2},
        {"filter": {"price": {"lte": "cheap"}}},
        {"filter": {"price": {"below": 5}}},
        {"filter": {"": 1}},
        {"exclude": "p0"},
        {"excluded": ["p0"]},
        {"model": None},
    ],
    ids=str,
)
def test_a_query_that_is_none_is_a_422_problem(http: TestClient, changes: dict[str, Any]) -> None:
    problem(http.post("/v1/search", json=query(**changes)), 422, "invalid-request")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"category": NaN}', b"\xff"])
def test_a_body_that_is_no_json_is_a_422_problem(http: TestClient, body: bytes) -> None:
    response = http.post("/v1/search", content=body, headers={"Content-Type": "application/json"})
    problem(response, 422, "invalid-request")


def test_a_body_that_is_too_large_is_refused(http: TestClient) -> None:
    response = http.post("/v1/search", content=b" " * 200_000, headers={"Content-Type": "application/json"})
    assert response.status_code == 413


def test_similar_products_come_without_the_one_asked_about(http: TestClient) -> None:
    answer = IndexResponse.model_validate(http.post("/v1/similar", json={"id": "p0"}).json())
    assert sorted(hit.id for hit in answer.hits) == ["p1", "p2", "p3"]
    filtered = http.post("/v1/similar", json={"id": "p0", "k": 1, "filter": {"colour": "red"}}).json()
    assert [hit["id"] for hit in filtered["hits"]] in (["p1"], ["p3"])


def test_what_is_similar_to_an_unknown_product_is_a_404_problem(http: TestClient) -> None:
    assert "'p9'" in problem(http.post("/v1/similar", json={"id": "p9"}), 404, "unknown-product")


def test_the_status_names_the_part_and_the_engine_only_if_they_are_not_the_usual_ones(http: TestClient) -> None:
    state = http.app_state["index"]
    assert {"part", "engine"} & http.get("/v1/status").json().keys() == set()
    object.__setattr__(state, "engine", "milvus hnsw")
    object.__setattr__(state, "part", Part(2, 4))
    document = http.get("/v1/status").json()
    assert (document["engine"], document["part"]) == ("milvus hnsw", "2/4")


def test_the_status_counts_the_products_of_each_category(http: TestClient) -> None:
    status = IndexStatus.model_validate(http.get("/v1/status").json())
    default = status.catalogues["default"]
    assert (status.model, default.products) == ("fashion/1", 5)
    assert [(category.name, category.products) for category in default.categories[:3]] == [
        ("Topwear", 4),
        ("Shoes", 1),
        ("Bags", 0),
    ]


def test_the_metrics_tell_of_products_and_searches_without_ids(http: TestClient) -> None:
    http.post("/v1/search", json=query(filter={"colour": "blue"}))
    text = http.get("/metrics").text
    assert 'lookalike_index_products{category="Topwear"} 4.0' in text
    assert 'lookalike_index_search_duration_seconds_count{filtered="yes"} 1.0' in text
    assert "lookalike_index_ready 1.0" in text
    assert "p0" not in text


@pytest.mark.parametrize("path", ["/v1/search", "/v1/similar"])
def test_an_index_that_is_loading_says_so(unready: TestClient, path: str) -> None:
    response = unready.post(path, json=query() if path.endswith("search") else {"id": "p0"})
    assert "being loaded" in problem(response, 503, "index-not-ready")
    assert response.headers["retry-after"] == "2"
    assert unready.get("/readyz").status_code == 503
    assert unready.get("/livez").status_code == 200
    assert catalogue(unready)["products"] == 0
    assert "lookalike_index_lag_seconds -1.0" in unready.get("/metrics").text


def test_the_api_s_document_has_examples_that_are_answered(http: TestClient) -> None:
    document = http.get("/openapi.json").json()
    for path in ("/v1/search", "/v1/similar"):
        content = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        for example in content["examples"].values():
            known = {"model": MANIFEST.model_id, "id": "p0"}
            value = {name: known.get(name, value) for name, value in example["value"].items()}
            response = http.post(path, json=value)
            assert response.status_code == 200, response.text


def test_without_a_database_the_service_lives_and_says_why_it_is_not_ready(tmp_path: Path) -> None:
    settings = IndexSettings(
        mongo_url=SecretStr("mongodb://u:s3cret@127.0.0.1:9"),  # nothing listens there
        model_dir=write_model(tmp_path / "1"),
    )
    with TestClient(create_app(settings)) as client:
        assert client.get("/livez").status_code == 200
        response = client.get("/readyz")
        assert response.status_code == 503
        assert catalogue(client)["sync"]["state"] == "starting"
        assert "s3cret" not in response.text


def test_without_a_model_the_service_does_not_start(tmp_path: Path) -> None:
    with (
        pytest.raises(ManifestError, match="no model directory"),
        TestClient(create_app(IndexSettings(model_dir=tmp_path / "1"))),
    ):
        pass


def test_without_a_threshold_and_with_few_products_a_hit_has_no_similarity(http: TestClient) -> None:
    assert {hit["similarity"] for hit in http.post("/v1/search", json=query()).json()["hits"]} == {None}
    assert catalogue(http)["categories"][0]["close_score"] is None


def test_hits_have_their_similarity_by_the_models_threshold_or_by_the_products_themselves() -> None:
    manifest = MANIFEST.model_copy(update={"thresholds": {"no_close_match": 0.6}})
    rng = np.random.default_rng(4)
    many = [unit_vector((VECTORS[0] + rng.standard_normal(64)).astype(np.float32)) for _ in range(80)]
    replica = new_replica()
    replica.apply([], [Record(f"m{n}", make_product(f"m{n}", 1, vector)) for n, vector in enumerate(many)])
    replica.apply([], [product(number) for number in range(4)])
    with TestClient(app_around(replica, manifest)) as http:
        by_threshold = http.post("/v1/search", json=query()).json()["hits"]
        by_products = http.post("/v1/similar", json={"id": "m3", "k": 80}).json()["hits"]
        categories = catalogue(http)["categories"]
    assert by_threshold[0]["similarity"] == 1
    assert all(
        hit["similarity"] == pytest.approx(max(0, 1 - np.sqrt((1 - min(1, hit["score"])) / 1.6)), abs=1e-3)
        for hit in by_threshold
    )
    close = categories[1]["close_score"]
    assert categories[0]["close_score"] == 0.6
    assert close != 0.6
    assert [hit["similarity"] >= 0.5 for hit in by_products] == [hit["score"] >= close for hit in by_products]
    assert len({hit["similarity"] >= 0.5 for hit in by_products}) == 2


def test_the_vectors_of_products_are_those_of_their_main_images(http: TestClient) -> None:
    response = http.post("/v1/vectors", json={"ids": ["p4", "nobody", "p1"], "model": "fashion/1"})
    assert response.status_code == 200, response.text
    products = response.json()["vectors"]
    assert [(product["id"], product["catalogue"], product["category"]) for product in products] == [
        ("p4", "default", 1),
        ("p1", "default", 0),
    ]
    np.testing.assert_allclose([product["vector"] for product in products], VECTORS[[4, 1]], rtol=1e-6)
    assert http.post("/v1/vectors", json={"ids": ["p1"], "model": "other/1"}).status_code == 503


def test_attributes_of_a_filter_that_no_product_of_the_category_has_are_named(http: TestClient) -> None:
    unknown = {"$or": [{"colour": "blue"}, {"color": "blue"}], "size": 3}
    assert http.post("/v1/search", json=query(filter=unknown)).json()["unknown_attributes"] == ["color", "size"]
    assert http.post("/v1/similar", json={"id": "p0", "filter": {"sizes": 3}}).json()["unknown_attributes"] == ["sizes"]
    assert http.post("/v1/search", json=query(filter={"price": 1})).json()["unknown_attributes"] == []
    empty = http.post("/v1/search", json=query(category=8, filter={"price": 1})).json()
    assert empty["unknown_attributes"] == ["price"]


def test_a_score_is_at_most_1(http: TestClient) -> None:
    for vector in VECTORS[:4]:
        response = http.post("/v1/search", json=query(vector=(vector * 3).tolist())).json()
        assert response["best_score"] <= 1
        assert all(hit["score"] <= 1 for hit in response["hits"])
