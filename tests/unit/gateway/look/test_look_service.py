"""Looks at their edges: what a garment, a category or the whole answer has, and what it lacks."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from services.contracts.domain.box import Box
from services.contracts.wire.embedding import Category, GarmentBox
from services.contracts.wire.index import Hit, IndexVectors, ProductVector
from services.gateway.look.basket_book import BasketBook
from services.gateway.look.candidates import _one_of_each_style
from services.gateway.ranking.candidate import Candidate
from services.look.bought_together import BoughtTogether
from tests.support.fakes.gateway_fakes import Gateway, running_gateway
from tests.support.values.tastes import MODEL

LOOK = "/v1/products/t1/look"
VECTORS: dict[str, list[float]] = {"t1": [1, 0, 0, 0], "s1": [1, 0, 0, 0], "s2": [0, 1, 0, 0], "s3": [0, 0, 1, 0]}


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running_gateway() as gateway:
        gateway.index.held[1] = ["s1", "s2", "s3"]
        gateway.index.held[2] = ["b1", "b2"]
        gateway.index.vectors_by_id |= VECTORS
        yield gateway


def look(gateway: Gateway, **options: Any) -> dict[str, Any]:
    response = gateway.client.get(LOOK, params=options)
    assert response.status_code == 200, response.text
    return dict(response.json())


def of_photo(gateway: Gateway, photo: bytes, **options: Any) -> dict[str, Any]:
    response = gateway.client.post("/v1/look", content=photo, headers={"Content-Type": "image/jpeg"}, params=options)
    assert response.status_code == 200, response.text
    return dict(response.json())


def products(document: dict[str, Any]) -> dict[str, list[str]]:
    return {part["category"]: [result["id"] for result in part["results"]] for part in document["look"]}


def test_the_look_of_a_photo_is_not_filtered_by_what_shoppers_do_not_see() -> None:
    with running_gateway(public_attributes=("gender",)) as gateway:
        request: dict[str, Any] = {"content": b"\x00", "headers": {"Content-Type": "image/jpeg"}}
        problem = gateway.problem("POST", "/v1/look", params={"filter": '{"cost": 1}'}, **request)
    assert problem[0] == 422
    assert "cannot be filtered by cost" in problem[2]


def test_a_category_without_products_is_not_in_the_look(gateway: Gateway) -> None:
    gateway.index.held[1] = []
    assert products(look(gateway, categories="Shoes,Bags")) == {"Bags": ["b1", "b2"]}


def test_a_photo_without_clothing_is_said_to_have_none(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    assert of_photo(gateway, b"\x00")["warnings"] == []
    embed = gateway.embedding.embed

    async def unsure(data: bytes, model: str, box: Box | None = None, **more: Any) -> Any:
        response = await embed(data, model, box, **more)
        return response.model_copy(update={"category": Category(id=0, name="Topwear", probability=0.1)})

    monkeypatch.setattr(gateway.embedding, "embed", unsure)
    document = of_photo(gateway, b"\x00")
    assert (document["outcome"], document["garments"], document["look"]) == ("no_clothing", [], [])
    assert document["warnings"] == ["the photo shows no garment to complete a look with"]
    assert (document["model"], document["look_model"], document["basis"]) == (MODEL, "look/1", "learned")


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_a_category_has_at_most_k_products(gateway: Gateway, k: int) -> None:
    document = look(gateway, k=k, diversity=0)
    assert products(document) == {"Shoes": ["s2", "s1", "s3"][:k]}
    photo = of_photo(gateway, b"\x01", k=k, diversity=0)
    assert [result["id"] for result in photo["garments"][0]["results"]] == ["s1", "s2", "s3"][:k]


def test_a_garment_without_a_product_that_looks_like_it_is_still_named(gateway: Gateway) -> None:
    gateway.index.held[1] = []
    (garment,) = of_photo(gateway, b"\x01")["garments"]
    assert (garment["category"], garment["product"], garment["results"]) == ("Shoes", None, [])


def test_the_log_line_of_a_look_names_model_and_stages(gateway: Gateway) -> None:
    with capture_logs() as logs:
        document = look(gateway, k=3)
    (line,) = [line for line in logs if line["event"] == "request"]
    assert (line["model"], line["k"]) == (MODEL, 3)
    assert line["stages_ms"].keys() == document["timings_ms"].keys() == {"index", "total"}
    assert 0 <= document["timings_ms"]["index"] <= document["timings_ms"]["total"]
    assert document["request_id"]


def test_addresses_in_looks_may_be_absolute(gateway: Gateway) -> None:
    gateway.index.image_url = "/v1/products/s2/image"
    for absolute, begin in ((False, "/v1/"), (True, "http://testserver/v1/")):
        (first, *_) = look(gateway, absolute_urls=absolute)["look"][0]["results"]
        assert first["image_url"].startswith(begin)


def test_a_product_may_be_of_a_named_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_gateway(catalogues="outlet") as gateway:

        async def vectors(query: IndexVectors) -> list[ProductVector]:
            known = {"default": (0, VECTORS["t1"]), "outlet": (1, VECTORS["s3"])}
            name = query.catalogues[0]
            return [ProductVector(id="t1", catalogue=name, category=known[name][0], vector=known[name][1])]

        monkeypatch.setattr(gateway.index, "vectors", vectors)
        for options, category, name in (("", "Topwear", "default"), ("?catalogue=outlet", "Shoes", "outlet")):
            gateway.index.queries.clear()
            document = gateway.client.get(f"/catalogues/all{LOOK}{options}").json()
            assert document["garments"][0]["category"] == category
            itself = gateway.index.queries[0]
            assert (itself.pinned, itself.k, itself.catalogues) == (["t1"], 1, (name,))
        assert gateway.problem("GET", f"/catalogues/all{LOOK}?catalogue=hats")[:2] == (404, "unknown-catalogue")


def test_without_a_look_model_baskets_add_to_similarity() -> None:
    async def active() -> str:
        return "fashion/2"

    baskets = BasketBook({}, active, 90, weight=0.5)
    with running_gateway(baskets=baskets) as gateway:
        gateway.index.model = "fashion/2"
        gateway.index.held[1] = ["s1", "s2", "s3"]
        gateway.index.vectors_by_id |= VECTORS
        assert products(look(gateway, diversity=0, categories="Shoes")) == {"Shoes": ["s1", "s2", "s3"]}
        facts = {key: (int(key[0] == "s"), np.array(vector, np.float32)) for key, vector in VECTORS.items()}
        baskets.take("default", "fashion/2", BoughtTogether.of([["t1", "s3"]] * 2000, facts))
        document = look(gateway, diversity=0, categories="Shoes")
        (part,) = document["look"]
        assert (document["basis"], part["baskets"]) == ("similarity", 0.495)
        assert part["results"][0]["id"] == "s3"
        assert all(result["compatibility"] == round(result["compatibility"], 4) for result in part["results"])


def test_of_a_style_the_first_variant_of_each_catalogue_stays() -> None:
    def candidate(id: str, catalogue: str = "default", group: str | None = None) -> Candidate:
        return Candidate(Hit(id=id, category=1, catalogue=catalogue, group=group, score=0.5), 0, 1.0)

    a, b, c = candidate("a"), candidate("a", "b"), candidate("c")
    styled, other = candidate("d", group="a"), candidate("e", "b", group="a")
    variants = [candidate("f", group="a"), candidate("g", "b", group="a")]
    assert _one_of_each_style([a, styled, b, *variants[:1], c, other, *variants[1:]]) == [a, styled, b, c, other]


def test_only_garments_of_other_people_are_left_out(gateway: Gateway) -> None:
    gateway.embedding.garments = [
        GarmentBox(box=Box(x=0, y=0, width=0.5, height=1), category=Category(id=1, name="Shoes", probability=0.9))
    ]
    gateway.index.attributes_by_id |= {key: {"gender": "Men"} for key in ("s1", "s2", "s3")}
    gateway.index.attributes_by_id |= {"t1": {"gender": "Women"}, "t2": {"gender": "Unisex"}}
    document = of_photo(gateway, b"\x01", categories="Topwear")
    assert products(document) == {"Topwear": ["t2"]}


def test_the_people_of_the_garments_decide_whose_products_come(gateway: Gateway) -> None:
    gateway.index.attributes_by_id |= {"t1": {"gender": "Men"}, "s2": {"gender": " women "}, "s3": {"gender": "Male"}}
    assert products(look(gateway, diversity=0)) == {"Shoes": ["s1", "s3"]}


@pytest.mark.parametrize(
    ("genders", "shown"),
    [
        (("Men", "Women", "Unisex"), ["s1", "s2", "s3"]),  # they do not agree
        (("Men", "Men", "Men"), ["s1", "s2", "s3"]),
        (("Men", "Men", "Women"), ["s1", "s2", "s3"]),  # two of three are too few
        ((None, "Women", "Women"), ["s1", "s2", "s3"]),
    ],
)
def test_a_garment_shows_all_products_like_it_unless_it_is_known_for_whom_it_is(
    gateway: Gateway, genders: tuple[str | None, ...], shown: list[str]
) -> None:
    gateway.index.attributes_by_id |= {
        f"s{number}": {} if gender is None else {"gender": gender} for number, gender in enumerate(genders, 1)
    }
    (garment,) = of_photo(gateway, b"\x01", diversity=0)["garments"]
    assert [result["id"] for result in garment["results"]] == shown


def test_a_garment_shows_the_products_for_its_people_first_of_all(gateway: Gateway) -> None:
    gateway.index.held[1] = [f"s{number}" for number in range(10)]
    gateway.index.attributes_by_id |= {f"s{number}": {"gender": "Men"} for number in range(10)}
    gateway.index.attributes_by_id["s1"] = {"gender": "Women"}
    gateway.index.attributes_by_id["s2"] = {}
    (garment,) = of_photo(gateway, b"\x01", diversity=0, k=4)["garments"]
    assert [result["id"] for result in garment["results"]] == ["s0", "s2", "s3", "s4"]
