"""The routes of searches, around fakes: what the index is searched with, and what the responses say."""

import base64
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from services.contracts.domain.box import Box
from services.contracts.domain.errors import IndexNotReady, ModelIndexMismatch
from services.contracts.wire.embedding import Category
from services.contracts.wire.filter_json import parse_filter
from services.contracts.wire.index import IndexSearch, IndexSimilar, Page
from tests.support.fakes.gateway_fakes import SHOES, Gateway, running_gateway, search_by
from tests.support.fakes.ranking import FixedReranker, arranging

SHOE, TOP = b"\x01 a photo", b"\x00 a photo"
RAW = {"Content-Type": "image/jpeg"}
FILTER = {"gender": "Men"}
REVERSED = arranging(lambda candidates: [candidate.placed("pin") for candidate in candidates[::-1]])


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running_gateway() as gateway:
        yield gateway


def search(gateway: Gateway, photo: bytes = SHOE, **options: Any) -> dict[str, Any]:
    return search_by(gateway, photo, **options)


def last_search(gateway: Gateway) -> IndexSearch:
    query = gateway.index.queries[-1]
    assert isinstance(query, IndexSearch)
    return query


def test_a_search_is_within_the_predicted_category(gateway: Gateway) -> None:
    document = search(gateway)
    assert document["category"] == {"id": 1, "name": "Shoes", "probability": 0.9}
    assert document["probabilities"] == {"Topwear": 0.05, "Shoes": 0.9, "Bags": 0.05}
    assert document["crop"] is None
    (result,) = document["results"]
    assert result == {
        "id": "s1",
        "url": "https://shop.example/products/s1",
        "image_url": None,
        "title": None,
        "category": "Shoes",
        "attributes": {},
        "group": None,
        "score": 0.5,
        "image_index": 0,
        "similarity": None,
    }
    assert (document["outcome"], document["model"], document["next_page"]) == ("ok", "fashion/1", None)
    assert document["timings_ms"].keys() == {"decode", "network", "index", "total"}
    assert document["timings_ms"]["total"] >= document["timings_ms"]["index"] >= 0
    assert document["request_id"]


def test_a_chosen_category_is_searched_with_its_own_probability(gateway: Gateway) -> None:
    document = search(gateway, category="bags")
    assert document["category"] == {"id": 2, "name": "Bags", "probability": 0.05}
    assert document["outcome"] == "ok"  # nobody doubts a choice
    assert (last_search(gateway).category, [result["id"] for result in document["results"]]) == (2, ["b1"])


@pytest.mark.parametrize("form", ["query", "form", "json"])
def test_every_option_reaches_the_index(gateway: Gateway, form: str) -> None:
    options: dict[str, Any] = {"k": 3, "offset": 6, "min_score": 0.25, "facets": True}
    text = {**options, "filter": orjson.dumps(FILTER).decode(), "box": "0,0,0.5,1"}
    if form == "query":
        search(gateway, **text)
    elif form == "form":
        fields = {name: str(value) for name, value in text.items()}
        assert gateway.client.post("/v1/search", files={"image": SHOE}, data=fields).status_code == 200
    else:
        json = {**options, "filter": FILTER, "box": [0, 0, 0.5, 1], "image_base64": base64.b64encode(SHOE).decode()}
        assert gateway.client.post("/v1/search", json=json).status_code == 200
    query = last_search(gateway)
    assert {name: getattr(query, name) for name in options} == options
    assert query.filter == parse_filter(FILTER)
    assert (query.category, query.model, query.catalogues) == (1, "fashion/1", ("default",))
    assert len(query.vector) == 4
    assert gateway.embedding.boxes == [Box(x=0, y=0, width=0.5, height=1)]


def test_the_defaults_reach_the_index(gateway: Gateway) -> None:
    search(gateway)
    query = last_search(gateway)
    assert (query.k, query.offset, query.min_score, query.facets, bool(query.filter)) == (10, 0, None, False, False)
    gateway.client.get("/v1/products/t1/similar")
    similar = gateway.index.queries[-1]
    assert isinstance(similar, IndexSimilar)
    assert (similar.k, similar.offset, similar.min_score, similar.facets, bool(similar.filter)) == (
        10,
        0,
        None,
        False,
        False,
    )
    assert (similar.model, similar.catalogue, similar.catalogues) == (None, None, ("default",))


def test_every_option_of_a_search_by_product_reaches_the_index(gateway: Gateway) -> None:
    options = {"k": 3, "offset": 6, "min_score": 0.25, "facets": True, "model": "fashion/2", "catalogue": "default"}
    response = gateway.client.get(
        "/v1/products/t1/similar", params={**options, "filter": orjson.dumps(FILTER).decode()}
    )
    document = response.json()
    assert response.status_code == 200, response.text
    assert [result["id"] for result in document["results"]] == ["t2"]
    assert document["category"] == {"id": 0, "name": "Topwear", "probability": None}
    assert document["timings_ms"].keys() == {"index", "total"}
    query = gateway.index.queries[-1]
    assert isinstance(query, IndexSimilar)
    assert {name: getattr(query, name) for name in options} == options
    assert (query.id, query.filter) == ("t1", parse_filter(FILTER))


def test_an_unknown_model_is_a_404(gateway: Gateway) -> None:
    gateway.index.trouble_of_similar = ModelIndexMismatch("the query's vector is of x/1")
    status, slug, detail = gateway.problem("GET", "/v1/products/t1/similar?model=x/1")
    assert (status, slug) == (404, "unknown-model")
    assert "fashion/1" in detail
    assert gateway.problem("GET", "/v1/products/t1/similar?model=fashion/1")[:2] == (503, "model-index-mismatch")


def test_an_invalid_option_names_its_place(gateway: Gateway) -> None:
    photo = base64.b64encode(SHOE).decode()
    for response, pointer in (
        (gateway.client.post("/v1/search", content=SHOE, headers=RAW, params={"k": 0}), "#/query/k"),
        (gateway.client.post("/v1/search", files={"image": SHOE}, data={"k": "0"}), "#/k"),
        (gateway.client.post("/v1/search", json={"image_base64": photo, "filter": {"a": {"b": 1}}}), "#/filter/a/b"),
        (gateway.client.get("/v1/products/t1/similar?k=0"), "#/query/k"),
        (gateway.client.get("/v1/products:sample?count=0"), "#/query/count"),
    ):
        assert response.status_code == 422
        (error,) = response.json()["errors"]
        assert error["pointer"] == pointer
        assert (
            response.json()["detail"]
            == f"{pointer.removeprefix('#/').removeprefix('query/').replace('/', '.')}: {error['detail']}"
        )
    assert gateway.index.queries == []


def test_a_weak_prediction_is_no_clothing(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    embed = gateway.embedding.embed
    other: float | None = None

    async def weak(*given: Any, **named: Any) -> Any:
        response = await embed(*given, **named)
        category = response.category.model_copy(update={"probability": 0.1})
        return response.model_copy(update={"category": category, "other_clothing": other})

    monkeypatch.setattr(gateway.embedding, "embed", weak)
    assert search(gateway)["outcome"] == "no_clothing"
    assert search(gateway, category="Shoes")["outcome"] == "ok"
    other = 0.8
    assert search(gateway)["outcome"] == "other_clothing"
    assert search(gateway, category="Shoes")["outcome"] == "ok"


def unclear(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the network unsure of whole photos."""
    embed = gateway.embedding.embed

    async def embedded(data: bytes, model: str, box: Box | None = None) -> Any:
        response = await embed(data, model, box)
        if box is not None:
            return response
        probabilities = {"Topwear": 0.5, "Shoes": 0.3, "Bags": 0.2}
        category = Category(id=0, name="Topwear", probability=0.5)
        return response.model_copy(update={"category": category, "probabilities": probabilities})

    monkeypatch.setattr(gateway.embedding, "embed", embedded)


def test_a_search_looks_at_the_surest_garment_of_a_photo_that_is_not_clear(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    unclear(gateway, monkeypatch)
    gateway.embedding.garments = [SHOES]
    document = search(gateway)
    assert document["crop"] == SHOES.model_dump(mode="json")
    assert (document["category"]["name"], document["results"][0]["id"]) == ("Shoes", "s1")
    assert document["probabilities"]["Shoes"] == document["category"]["probability"] == pytest.approx(0.9)
    assert document["timings_ms"].keys() == {"decode", "network", "detect", "index", "total"}
    assert gateway.embedding.boxes == [None, SHOES.box]


@pytest.mark.parametrize("options", [{"crop": "none"}, {"box": "0,0,1,0.5"}, {"category": "Bags"}])
def test_a_search_looks_at_the_whole_photo_that_the_request_describes(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, options: dict[str, str]
) -> None:
    unclear(gateway, monkeypatch)
    gateway.embedding.garments = [SHOES]
    document = search(gateway, SHOE, **options)
    assert document["crop"] is None
    assert len(gateway.embedding.boxes) == 1


def test_an_unknown_crop_is_refused(gateway: Gateway) -> None:
    response = gateway.client.post("/v1/search", content=SHOE, headers=RAW, params={"crop": "all"})
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "#/query/crop")


def test_a_sample_is_of_the_whole_catalogue_or_of_one_category(gateway: Gateway) -> None:
    products = gateway.client.get("/v1/products:sample").json()["products"]
    assert {product["id"] for product in products} == {"t1", "t2", "s1", "b1"}
    assert all("catalogue" not in product and product["url"].endswith(product["id"]) for product in products)
    (product,) = gateway.client.get("/v1/products:sample?count=3&category=shoes").json()["products"]
    assert (product["id"], product["category"]) == ("s1", "Shoes")
    assert gateway.index.samples == [(12, None, ("default",)), (3, 1, ("default",))]
    assert gateway.problem("GET", "/v1/products:sample?category=hats")[:2] == (404, "unknown-category")
    assert gateway.problem("GET", "/v1/products:sample?count=51")[:2] == (422, "invalid-request")


def test_garments_are_detected(gateway: Gateway) -> None:
    gateway.embedding.garments = [SHOES]
    document = gateway.client.post("/v1/detect", content=SHOE, headers=RAW).json()
    sure = gateway.client.post("/v1/detect?min_probability=0.9", content=SHOE, headers=RAW).json()
    assert (len(document["garments"]), sure["garments"]) == (1, [])
    assert document["garments"] == [
        {
            "box": {"x": 0, "y": 0, "width": 0.5, "height": 1},
            "category": {"id": 1, "name": "Shoes", "probability": 0.8},
        }
    ]
    assert document["model"] == "detector/1"
    assert document["timings_ms"].keys() == {"network", "total"}
    assert document["request_id"]


def test_an_index_that_is_not_ready_is_a_503(gateway: Gateway) -> None:
    gateway.index.trouble = IndexNotReady("the products are being loaded")
    for method, path in (("POST", "/v1/search"), ("GET", "/v1/products/t1/similar"), ("GET", "/v1/products:sample")):
        request = {"content": SHOE, "headers": RAW} if method == "POST" else {}
        assert gateway.problem(method, path, **request)[:2] == (503, "index-not-ready")


def test_results_name_their_catalogue_where_several_are_searched() -> None:
    with running_gateway(catalogues="shoes") as gateway:
        response = gateway.client.post("/catalogues/all/v1/search", content=SHOE, headers=RAW).json()
        assert [result["catalogue"] for result in response["results"]] == ["default"]
        assert last_search(gateway).catalogues == ("default", "shoes")
        response = gateway.client.post("/catalogues/shoes/v1/search", content=SHOE, headers=RAW).json()
        assert "catalogue" not in response["results"][0]
        assert last_search(gateway).catalogues == ("shoes",)


def test_the_log_names_what_was_searched_and_detected(gateway: Gateway) -> None:
    with capture_logs() as logs:
        search(gateway, k=3, offset=1)
        gateway.client.get("/v1/products/t1/similar?k=4")
        gateway.client.post("/v1/detect", content=SHOE, headers=RAW)
    by_image, by_product, detection = [line for line in logs if line["event"] == "request"]
    assert (by_image["k"], by_image["offset"], by_image["category"], by_image["model"]) == (3, 1, "Shoes", "fashion/1")
    assert by_image["stages_ms"].keys() == {"decode", "network", "index", "total"}
    assert (by_product["k"], by_product["offset"], by_product["category"]) == (4, 0, "Topwear")
    assert (detection["detector"], detection["garments"]) == ("detector/1", 0)
    assert "catalogue" not in by_image


def test_a_search_by_photo_is_put_in_order() -> None:
    reranker = FixedReranker(REVERSED)
    with running_gateway(rerankers=[reranker]) as gateway:
        gateway.index.held[0] = ["t1", "t2", "t3"]
        results = search(gateway, TOP, k=2)["results"]
    assert [result["id"] for result in results] == ["t3", "t2"]
    assert [result.get("moved") for result in results] == [[{"reason": "pin", "by": None}], None]
    (ranked,) = reranker.searches
    assert (ranked.category, ranked.category_names, ranked.product) == (0, frozenset({"topwear", "0"}), None)
    assert len(ranked.vector) == 4
    assert (last_search(gateway).k, last_search(gateway).offset) == (100, 0)


def test_a_search_by_product_is_put_in_order() -> None:
    reranker = FixedReranker(REVERSED)
    with running_gateway(rerankers=[reranker]) as gateway:
        gateway.index.held[0] = ["t1", "t2", "t3"]
        gateway.index.vectors_by_id["t1"] = [0, 1, 0, 0]
        document = gateway.client.get("/v1/products/t1/similar").json()
        missing = gateway.problem("GET", "/v1/products/unknown/similar")
    assert [result["id"] for result in document["results"]] == ["t3", "t2"]
    (ranked,) = reranker.searches
    assert (ranked.category, ranked.category_names, ranked.product) == (0, frozenset({"topwear", "0"}), "t1")
    assert ranked.vector.tolist() == [0, 1, 0, 0]
    assert missing[:2] == (404, "unknown-product")


def test_a_search_that_no_reranker_applies_to_costs_one_call_of_the_index() -> None:
    with running_gateway(rerankers=[FixedReranker(REVERSED, applies=False)]) as gateway:
        gateway.client.get("/v1/products/t1/similar")
        assert (len(gateway.index.queries), gateway.index.vector_queries, gateway.index.queries[0].k) == (1, [], 10)


def test_a_search_names_its_engine_if_it_is_not_faiss_and_its_pages_stay_there(gateway: Gateway) -> None:
    assert "engine" not in search(gateway)
    gateway.index.engine, gateway.index.next_page = "milvus hnsw", Page(k=10, offset=10)
    gateway.client.get("/v1/stats")  # reads the status of the node
    document = search(gateway)
    assert document["engine"] == "milvus hnsw"
    assert document["next_page"] == {"k": 10, "offset": 10, "engine": "milvus hnsw"}
    similar = gateway.client.get("/v1/products/t1/similar", params=document["next_page"]).json()
    assert (similar["engine"], similar["next_page"]) == ("milvus hnsw", document["next_page"])
    gateway.index.engine = "faiss"
    gateway.client.get("/v1/stats")
    for method, path in (("POST", "/v1/search"), ("GET", "/v1/products/t1/similar")):
        content = SHOE if method == "POST" else None
        response = gateway.client.request(method, path, content=content, headers=RAW, params=document["next_page"])
        assert (response.status_code, response.json()["type"]) == (410, "/problems/page-expired")
