"""What a search makes of its options and of the services' answers, at the edges of both."""

from collections.abc import Iterator
from typing import Any

import pytest

from services.contracts.domain.box import Box
from services.contracts.domain.errors import EmbeddingUnavailable, InvalidImage, InvalidRequest, ModelIndexMismatch
from services.contracts.wire.embedding import Category, GarmentBox
from services.contracts.wire.index import IndexSearch
from services.gateway.index_nodes.nodes import IndexNodes
from services.gateway.search.examples import PhotoQuery
from services.gateway.search.links import Links
from services.gateway.search.model_binding import ModelBinding
from services.gateway.search.options import PhotoOptions
from services.gateway.search.service import SearchService
from tests.support.fakes.gateway_fakes import Gateway, GatewayEmbedding, running_gateway, search_by
from tests.support.fakes.index_fakes import FakeIndex

TOP, SHOE = b"\x00 a photo", b"\x01 a photo"
RAW = {"Content-Type": "image/jpeg"}


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running_gateway() as gateway:
        yield gateway


def search(gateway: Gateway, photo: bytes = SHOE, **options: Any) -> dict[str, Any]:
    return search_by(gateway, photo, **options)


def garment(number: int, name: str = "Shoes", category: int = 1) -> GarmentBox:
    box = Box(x=number / 20, y=0, width=1 / 20, height=1)
    return GarmentBox(box=box, category=Category(id=category, name=name, probability=0.9))


@pytest.mark.parametrize(("found", "searched"), [(1, 1), (8, 8), (9, 8)])
def test_all_garments_are_at_most_eight(gateway: Gateway, found: int, searched: int) -> None:
    gateway.embedding.garments = [garment(number) for number in range(found)]
    document = search(gateway, garments="all")
    boxes = [each["garment"]["box"]["x"] for each in document["garments"]]
    assert boxes == [number / 20 for number in range(searched)]


@pytest.mark.parametrize("error", [InvalidRequest("box: too small"), InvalidImage("no direction")])
def test_a_garment_of_too_few_pixels_is_left_out(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    small = garment(0)
    gateway.embedding.garments = [small, garment(1, "Topwear", 0)]
    embed = gateway.embedding.embed

    async def embed_part(data: bytes, model: str, box: Box | None = None, **more: Any) -> Any:
        if box == small.box:
            raise error
        return await embed(data, model, box, **more)

    monkeypatch.setattr(gateway.embedding, "embed", embed_part)
    document = search(gateway, garments="all")
    assert [each["garment"]["box"]["x"] for each in document["garments"]] == [0.05]
    assert document["results"] == document["garments"][0]["results"]
    gateway.embedding.garments = [small]
    whole = search(gateway, garments="all", crop="none")
    assert (whole["garments"], whole["category"]["name"]) == ([], "Shoes")


def test_the_fields_of_a_search_of_all_garments_are_those_of_the_first(gateway: Gateway) -> None:
    gateway.embedding.garments = [garment(0), garment(1)]
    document = search(gateway, garments="all", k=1, facets=True)
    first = document["garments"][0]
    for name in ("outcome", "category", "results", "next_page", "facets"):
        assert first[name] == document[name]
    assert document["timings_ms"].keys() >= {"index", "network", "total"}
    assert document["crop"] is None


def test_all_garments_need_a_photo_and_no_box(gateway: Gateway) -> None:
    for body in ({"like": ["t1"]}, {"image_base64": "AQ==", "box": [0, 0, 1, 1]}):
        status, slug, detail = gateway.problem("POST", "/v1/search", json={**body, "garments": "all"})
        assert (status, slug) == (422, "invalid-request")
        assert "garments=all needs a photo" in detail
    assert gateway.embedding.detections == 0


def test_a_chosen_category_is_searched_and_the_networks_is_still_named(gateway: Gateway) -> None:
    predicted = search(gateway)
    assert predicted["category"] == {"id": 1, "name": "Shoes", "probability": 0.9}
    assert predicted["probabilities"]["Shoes"] == 0.9
    chosen = search(gateway, category="bags")
    assert (chosen["category"]["id"], chosen["category"]["name"]) == (2, "Bags")
    assert chosen["category"]["probability"] == chosen["probabilities"]["Bags"] < 0.9
    assert [result["id"] for result in chosen["results"]] == ["b1"]
    assert gateway.problem("POST", "/v1/search?category=hats", content=SHOE, headers=RAW)[:2] == (
        404,
        "unknown-category",
    )


def test_a_prior_is_named_as_the_detector_or_by_its_id(gateway: Gateway) -> None:
    for prior in ("shoes", "1"):
        assert search(gateway, prior=prior, box="0,0,0.5,1")["category"]["name"] == "Shoes"
    assert gateway.problem("POST", "/v1/search?prior=hats", content=SHOE, headers=RAW)[:2] == (404, "unknown-category")


def test_liked_and_unliked_products_are_no_results(gateway: Gateway) -> None:
    gateway.client.post("/v1/search", json={"image_base64": "AA==", "like": ["t1"], "unlike": ["s1"]})
    query = gateway.index.queries[-1]
    assert isinstance(query, IndexSearch)
    assert query.exclude == ["t1", "s1"]


def test_a_photo_that_shows_no_clothing_says_so_unless_its_category_is_chosen(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed = gateway.embedding.embed
    other = 0.0

    async def unsure(data: bytes, model: str, box: Box | None = None, **more: Any) -> Any:
        category = Category(id=1, name="Shoes", probability=0.1)
        response = await embed(data, model, box, **more)
        return response.model_copy(update={"category": category, "other_clothing": other})

    monkeypatch.setattr(gateway.embedding, "embed", unsure)
    assert search(gateway)["outcome"] == "no_clothing"
    assert search(gateway, category="Shoes")["outcome"] == "ok"
    other = 0.5
    assert search(gateway)["outcome"] == "other_clothing"
    assert gateway.client.post("/v1/search", json={"like": ["t1"]}).json()["outcome"] == "ok"


def test_the_model_of_a_request_that_the_index_does_not_hold_is_unknown(gateway: Gateway) -> None:
    gateway.index.trouble_of_similar = ModelIndexMismatch("another model")
    path = "/v1/products/t1/similar"
    assert gateway.problem("GET", f"{path}?model=fashion/9") == (
        404,
        "unknown-model",
        "there is no model 'fashion/9': the index has fashion/1",
    )
    for query in ("", "?model=fashion/1"):
        assert gateway.problem("GET", path + query)[:2] == (503, "model-index-mismatch")


def test_a_search_by_product_has_no_probability(gateway: Gateway) -> None:
    document = gateway.client.get("/v1/products/t1/similar").json()
    assert document["category"] == {"id": 0, "name": "Topwear", "probability": None}
    assert document["timings_ms"].keys() == {"index", "total"}
    assert 0 <= document["timings_ms"]["index"] <= document["timings_ms"]["total"]
    assert document["request_id"]
    assert (document["total"], document["facets"], document["warnings"]) == (None, [], [])


def test_a_sample_is_of_one_category_or_of_all(gateway: Gateway) -> None:
    everything = gateway.client.get("/v1/products:sample").json()["products"]
    assert [product["id"] for product in everything] == ["t1", "t2", "s1", "b1"]
    (shoe,) = gateway.client.get("/v1/products:sample?category=shoes&count=1").json()["products"]
    assert (shoe["id"], shoe["category"], "catalogue" in shoe) == ("s1", "Shoes", False)
    assert gateway.index.samples == [(12, None, ("default",)), (1, 1, ("default",))]
    assert gateway.problem("GET", "/v1/products:sample?category=hats")[:2] == (404, "unknown-category")
    for count, status in ((1, 200), (0, 422), (50, 200), (51, 422)):
        assert gateway.client.get(f"/v1/products:sample?count={count}").status_code == status


async def test_the_names_of_the_categories_are_read_again_for_another_model() -> None:
    index = FakeIndex({0: ["t1"], 1: ["s1"], 2: []})
    fakes: tuple[Any, Any] = GatewayEmbedding(), IndexNodes([index], refresh_s=60)  # type: ignore[list-item]
    service = SearchService(*fakes, Links(), ModelBinding(*fakes), ("default",))
    for model, statuses in ((None, 1), (None, 1), ("fashion/1", 1), ("fashion/2", 2), (None, 2)):
        index.model = model or index.model
        assert await service.names(model) == ["Topwear", "Shoes", "Bags"]
        assert index.statuses == statuses


def test_garments_are_detected_with_their_probability(gateway: Gateway) -> None:
    gateway.embedding.garments = [
        GarmentBox(box=garment(place).box, category=Category(id=1, name="Shoes", probability=probability))
        for place, probability in enumerate((0.9, 0.5, 0.2))
    ]

    def detected(query: str = "") -> list[float]:
        document = gateway.client.post(f"/v1/detect{query}", content=SHOE, headers=RAW).json()
        assert (document["model"], document["timings_ms"].keys()) == ("detector/1", {"network", "total"})
        assert document["request_id"]
        return [each["category"]["probability"] for each in document["garments"]]

    assert detected() == detected("?min_probability=0") == [0.9, 0.5, 0.2]
    assert detected("?min_probability=0.5") == [0.9, 0.5]
    assert detected("?min_probability=1") == []
    for bad in ("-0.1", "1.1"):
        assert gateway.problem("POST", f"/v1/detect?min_probability={bad}", content=SHOE, headers=RAW)[0] == 422
    gateway.embedding.trouble = EmbeddingUnavailable("it cannot be reached")
    assert gateway.problem("POST", "/v1/detect", content=SHOE, headers=RAW)[:2] == (503, "embedding-unavailable")


async def test_a_search_without_anything_to_look_like_is_refused() -> None:
    fakes: tuple[Any, Any] = GatewayEmbedding(), IndexNodes([FakeIndex({0: ["t1"]})], refresh_s=60)  # type: ignore[list-item]
    service = SearchService(*fakes, Links(), ModelBinding(*fakes), ("default",))
    for query in (PhotoQuery(None), PhotoQuery(None, unliked=(TOP,))):
        with pytest.raises(InvalidRequest, match="a search needs a photo, or something to like"):
            await service.by_image(query, PhotoOptions())


def test_the_probabilities_are_those_of_the_first_liked_image(gateway: Gateway) -> None:
    liked = [{"image_base64": text} for text in ("AQ==", "AA==")]
    document = gateway.client.post("/v1/search", json={"like": liked}).json()
    assert (document["category"]["name"], document["probabilities"]["Shoes"]) == ("Shoes", 0.9)
    assert document["category"]["probability"] == 0.9
