"""The routes that complete looks, around fakes: tops go with shoes whose first two numbers are swapped."""

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from services.contracts.domain.box import Box
from services.contracts.domain.errors import DetectorUnavailable
from services.contracts.wire.embedding import Category, EmbeddingResponse, GarmentBox
from services.contracts.wire.index import IndexSearch
from services.gateway.look.basket_book import BasketBook
from services.look.bought_together import BoughtTogether
from tests.support.fakes.gateway_fakes import SHOES, Gateway, running_gateway
from tests.support.values.keys import bearer, make_key

LOOK = "/v1/products/t1/look"
TOP, SHOE = b"\x00 a photo", b"\x01 a photo"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running_gateway() as gateway:
        gateway.index.held[1] = ["s1", "s2", "s3"]
        gateway.index.held[2] = ["b1", "b2"]
        gateway.index.vectors_by_id |= {"t1": [1, 0, 0, 0], "s1": [1, 0, 0, 0], "s2": [0, 1, 0, 0], "s3": [0, 0, 1, 0]}
        yield gateway


def look(gateway: Gateway, path: str = LOOK, **options: Any) -> dict[str, Any]:
    response = gateway.client.get(path, params=options)
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def products(document: dict[str, Any]) -> dict[str, list[str]]:
    return {part["category"]: [result["id"] for result in part["results"]] for part in document["look"]}


def searches(gateway: Gateway, category: int) -> list[IndexSearch]:
    return [query for query in gateway.index.queries if isinstance(query, IndexSearch) and query.category == category]


def put_rules(gateway: Gateway, **rules: Any) -> None:
    response = gateway.client.put("/v1/merchandising/rules", json=rules)
    assert response.status_code == 200, response.text


def test_a_product_goes_with_products_of_other_categories_best_first(gateway: Gateway) -> None:
    document = look(gateway, diversity=0)
    assert products(document) == {"Shoes": ["s2", "s1", "s3"]}
    assert (document["outcome"], document["basis"], document["look_model"]) == ("ok", "learned", "look/1")
    (garment,) = document["garments"]
    assert (garment["category"], garment["garment"], garment["product"]["id"]) == ("Topwear", None, "t1")
    results = document["look"][0]["results"]
    assert [round(result["compatibility"], 1) for result in results] == [1.1, 0.1, 0.1]
    assert results[0]["url"] == "https://shop.example/products/s2"
    (query,) = searches(gateway, 1)
    assert (query.vector, query.vectors, query.exclude) == ([0, 1, 0, 0], True, ["t1"])


def test_categories_that_are_rarely_worn_are_in_a_look_only_if_named(gateway: Gateway) -> None:
    assert list(products(look(gateway))) == ["Shoes"]
    assert list(products(look(gateway, categories="bags,1"))) == ["Bags", "Shoes"]
    assert list(products(look(gateway, categories="Bags,Topwear"))) == ["Bags"]
    assert gateway.problem("GET", LOOK, params={"categories": "Hats"})[:2] == (404, "unknown-category")


def test_options_reach_the_index(gateway: Gateway) -> None:
    document = look(gateway, k=1, filter='{"price": {"lte": 50}}')
    assert [len(part["results"]) for part in document["look"]] == [1]
    assert searches(gateway, 1)[-1].filter.source == {"price": {"lte": 50}}
    for bad in ({"k": 21}, {"k": 0}, {"filter": "{"}, {"colour": "red"}):
        assert gateway.problem("GET", LOOK, params=bad)[:2] == (422, "invalid-request")


def test_products_out_of_stock_are_in_no_look_unless_wished(gateway: Gateway) -> None:
    gateway.index.attributes_by_id["s2"] = {"availability": "out_of_stock"}
    assert products(look(gateway)) == {"Shoes": ["s1", "s3"]}
    assert "s2" in products(look(gateway, out_of_stock="show"))["Shoes"]
    put_rules(gateway, rules=[], out_of_stock="show")
    assert "s2" in products(look(gateway))["Shoes"]


@pytest.mark.parametrize(
    ("own", "other", "together"),
    [
        ("Men", "Women", False),
        ("female", "Boys", False),
        ("Women", "WOMEN", True),
        ("Men", "Unisex", True),
        ("unisex", "Women", True),
        ("Girls", "Women", False),
    ],
)
def test_a_look_is_for_one_kind_of_people(gateway: Gateway, own: str, other: str, together: bool) -> None:
    gateway.index.attributes_by_id |= {"t1": {"gender": own}, "s2": {"gender": other}}
    assert ("s2" in products(look(gateway))["Shoes"]) is together


def test_a_look_of_a_garment_for_all_is_for_one_kind_of_people_too(gateway: Gateway) -> None:
    gateway.index.attributes_by_id |= {
        "t1": {"gender": "Unisex"},
        "s2": {"gender": "Women"},
        "s1": {"gender": "Men"},
        "b1": {"gender": "Men"},
        "b2": {"gender": "Women"},
    }
    together = products(look(gateway, categories="Shoes,Bags", diversity=0))
    assert together == {"Shoes": ["s2", "s3"], "Bags": ["b2"]}


def test_two_variants_of_a_style_are_not_in_one_look(gateway: Gateway) -> None:
    gateway.index.groups_by_id |= {"s1": "STYLE", "s2": "STYLE"}
    assert sorted(products(look(gateway))["Shoes"]) == ["s2", "s3"]


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        ([{"category": "Topwear"}, {"category": "Shoes"}], {"Bags": ["b1", "b2"]}),
        ([{"category": "shoes"}, {"category": "0"}], {"Bags": ["b1", "b2"]}),
        ([{"category": "Shoes"}, {"category": "Bags"}], {"Shoes": ["s2", "s1", "s3"]}),
        (
            [{"filter": {"style": "formal"}}, {"filter": {"style": "sports"}}],
            {"Shoes": ["s1", "s3"], "Bags": ["b1", "b2"]},
        ),
        (
            [{"category": "Bags", "filter": {"style": "x"}}, {"category": "Topwear"}],
            {"Shoes": ["s2", "s1", "s3"], "Bags": ["b2"]},
        ),
    ],
)
def test_what_the_shop_keeps_apart_is_never_together(
    gateway: Gateway, sides: list[dict[str, Any]], expected: dict[str, list[str]]
) -> None:
    gateway.index.attributes_by_id |= {"t1": {"style": "formal"}, "s2": {"style": "sports"}, "b1": {"style": "x"}}
    put_rules(gateway, rules=[], apart=[{"id": "apart", "garments": sides}])
    assert products(look(gateway, categories="Shoes,Bags", diversity=0)) == expected


def test_the_rules_of_the_shop_hold_in_looks_too(gateway: Gateway) -> None:
    gateway.index.attributes_by_id |= {"s2": {"recalled": True}, "s3": {"sale": True}}
    put_rules(
        gateway,
        rules=[
            {"id": "recall", "action": "hide", "filter": {"recalled": True}},
            {"id": "sale", "action": "boost", "by": 0.5, "filter": {"sale": True}},
        ],
    )
    assert products(look(gateway, diversity=0)) == {"Shoes": ["s3", "s1"]}


def test_without_a_look_model_for_the_vectors_products_are_similar_in_style() -> None:
    with running_gateway() as gateway:
        gateway.index.model = "fashion/2"
        document = look(gateway)
        assert (document["basis"], document["look_model"]) == ("similarity", None)
        assert products(document) == {"Shoes": ["s1"], "Bags": ["b1"]}
        assert [query.vector for query in searches(gateway, 1)] == [[1, 0, 0, 0]]


def box(name: str, number: int, left: float, probability: float = 0.8) -> GarmentBox:
    return GarmentBox(
        box=Box(x=left, y=0, width=0.25, height=1), category=Category(id=number, name=name, probability=probability)
    )


def of_photo(gateway: Gateway, photo: bytes, **options: Any) -> dict[str, Any]:
    response = gateway.client.post("/v1/look", content=photo, headers={"Content-Type": "image/jpeg"}, params=options)
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def test_each_garment_of_a_photo_has_one_product_and_no_category_comes_twice(gateway: Gateway) -> None:
    gateway.embedding.garments = [SHOES, box("Shoes", 1, 0.5, 0.7)]
    document = of_photo(gateway, SHOE)
    (garment,) = document["garments"]
    assert (garment["category"], garment["garment"]["box"]["width"]) == ("Shoes", 0.5)
    assert garment["product"]["id"] == "s1"
    assert list(products(document)) == ["Topwear"]
    assert gateway.embedding.boxes == [SHOES.box]


@pytest.fixture
def outfit(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """A photo in which the network sees each garment that the detector finds: two pairs of shoes, a top and a bag."""
    actual = [SHOES, box("Topwear", 0, 0.1), box("Shoes", 1, 0.25, 0.7), box("Bags", 2, 0.75)]
    gateway.embedding.garments = actual
    embed = gateway.embedding.embed

    async def embed_part(data: bytes, model: str, box: Box | None = None, **more: Any) -> EmbeddingResponse:
        category = next(garment.category.id for garment in actual if garment.box == box)
        return await embed(bytes([category]) + data[1:], model, box, **more)

    monkeypatch.setattr(gateway.embedding, "embed", embed_part)
    return gateway


def test_an_editorial_photo_becomes_an_outfit_with_several_styles_of_each_garment(outfit: Gateway) -> None:
    gateway = outfit
    gateway.index.held[1] = ["s1", "s4", "s3", "s2"]
    gateway.index.vectors_by_id["s4"] = [1, 0, 0, 0]  # looks like s1
    gateway.index.groups_by_id |= {"b1": "STYLE", "b2": "STYLE"}
    document = of_photo(gateway, SHOE, k=2, diversity=0.9)
    kinds = [garment["category"] for garment in document["garments"]]
    assert sorted(kinds) == ["Bags", "Shoes", "Topwear"]
    results = {part["category"]: [result["id"] for result in part["results"]] for part in document["garments"]}
    assert results["Shoes"][0] == "s1"
    assert "s4" not in results["Shoes"]  # another style comes before one more of the same
    assert len(results["Shoes"]) == 2
    assert results["Bags"] == ["b1"]  # of a style's variants, one
    assert all(part["product"] == part["results"][0] for part in document["garments"])
    assert document["look"] == []  # the photo lacks no category


def test_the_outfit_of_a_photo_is_for_one_kind_of_people_meets_the_filter_and_follows_the_rules(
    outfit: Gateway,
) -> None:
    gateway = outfit
    gateway.index.attributes_by_id |= {"t1": {"gender": "Women"}, "t2": {"gender": "Women"}, "s1": {"gender": "Men"}}
    document = of_photo(gateway, SHOE, filter='{"price": {"lte": 50}}', diversity=0)
    shoes = next(garment for garment in document["garments"] if garment["category"] == "Shoes")
    assert shoes["product"]["id"] != "s1"
    assert {query.filter.source.get("price") is not None for query in searches(gateway, 1)} == {True}
    put_rules(gateway, rules=[{"id": "recall", "action": "hide", "filter": {"recalled": True}}])
    gateway.index.attributes_by_id = {"s1": {"recalled": True}}
    shoes = next(part for part in of_photo(gateway, SHOE)["garments"] if part["category"] == "Shoes")
    assert shoes["product"]["id"] != "s1"


def test_what_shoppers_bought_together_has_a_part_in_looks() -> None:
    vectors: dict[str, list[float]] = {"t1": [1, 0, 0, 0], "s1": [1, 0, 0, 0], "s2": [0, 1, 0, 0], "s3": [0, 0, 1, 0]}
    facts = {key: (int(key[0] == "s"), np.array(vector, np.float32)) for key, vector in vectors.items()}
    baskets = BasketBook({}, read_model, 90, weight=1.0)
    with running_gateway(baskets=baskets) as gateway:
        gateway.index.held[1] = ["s1", "s2", "s3"]
        gateway.index.vectors_by_id |= vectors
        before = look(gateway, diversity=0)
        assert (products(before)["Shoes"][0], before["look"][0]["baskets"]) == ("s2", 0)
        baskets.take("default", "fashion/1", BoughtTogether.of([["t1", "s3"]] * 180 + [["t1", "s1"]] * 20, facts))
        after = look(gateway, diversity=0)
        assert (products(after)["Shoes"][0], after["look"][0]["baskets"]) == ("s3", 0.909)
        baskets.take("default", "fashion/9", BoughtTogether.of([["t1", "s3"]] * 180, facts))
        assert look(gateway, diversity=0)["look"] == before["look"]  # the vectors of another model are not compared


async def read_model() -> str:
    return "fashion/1"


def test_a_photo_without_a_garment_in_it_is_looked_at_as_a_whole(gateway: Gateway) -> None:
    document = of_photo(gateway, TOP)
    assert [(part["category"], part["garment"]) for part in document["garments"]] == [("Topwear", None)]
    assert list(products(document)) == ["Shoes"]


def test_without_the_detector_the_whole_photo_is_the_garment(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unavailable(_: bytes) -> None:
        raise DetectorUnavailable("there is no detector")

    monkeypatch.setattr(gateway.embedding, "detect", unavailable)
    assert list(products(of_photo(gateway, TOP))) == ["Shoes"]


def test_the_people_of_a_photo_are_those_of_the_products_that_look_like_it(gateway: Gateway) -> None:
    gateway.index.attributes_by_id |= {"t1": {"gender": "Men"}, "t2": {"gender": "Men"}, "s2": {"gender": "Women"}}
    assert "s2" not in products(of_photo(gateway, TOP))["Shoes"]
    gateway.index.attributes_by_id["t2"] = {"gender": "Women"}
    assert "s2" in products(of_photo(gateway, TOP))["Shoes"]


def test_a_photo_in_json_takes_options_in_json(gateway: Gateway) -> None:
    body = {"image_base64": base64.b64encode(TOP).decode(), "categories": ["Bags"], "k": 1}
    assert products(gateway.client.post("/v1/look", json=body).json()) == {"Bags": ["b1"]}


def test_an_unknown_product_has_no_look(gateway: Gateway) -> None:
    assert gateway.problem("GET", "/v1/products/unknown/look")[:2] == (404, "unknown-product")
    assert gateway.problem("PUT", LOOK)[:2] == (405, "method-not-allowed")


def test_a_shoppers_key_opens_looks() -> None:
    key, secret = make_key("search")
    with running_gateway([key], access="keys") as gateway:
        assert gateway.client.get(LOOK).status_code == 401
        assert gateway.client.get(LOOK, headers=bearer(secret)).status_code == 200


def test_a_look_is_not_filtered_by_what_shoppers_do_not_see() -> None:
    with running_gateway(public_attributes=("gender",)) as gateway:
        answers = [
            gateway.client.get("/v1/products/t1/look", params={"filter": f'{{"{name}": "x"}}'})
            for name in ("cost", "gender")
        ]
    assert (answers[0].status_code, "cannot be filtered by cost" in answers[0].text) == (422, True)
    assert "cannot be filtered" not in answers[1].text
