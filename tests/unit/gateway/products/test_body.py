"""The bounds of a product in a request, and what a patch makes of a stored product."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel, ValidationError

from services.catalogue.product import Prediction, Product
from services.contracts.domain.errors import InvalidRequest
from services.gateway.products.body import ProductBody, ProductPatch, split_patch
from services.gateway.products.images import ImageBody
from services.gateway.products.listing import ListOptions
from services.gateway.products.responses import DeleteBody
from tests.support.values.products import make_product

NAMES = ["Topwear", "Shoes", "Bags"]
URL = "https://shop.example/a.jpg"
ADDRESS = "https://shop.example/"


def values(count: int) -> dict[str, int]:
    return {f"a{number}": number for number in range(count)}


@pytest.mark.parametrize(
    ("model", "longest", "too_long"),
    [
        (ProductBody, {"title": "x" * 1000}, {"title": "x" * 1001}),
        (ProductBody, {"url": ADDRESS.ljust(2048, "x")}, {"url": ADDRESS.ljust(2049, "x")}),
        (ProductBody, {"image_url": ADDRESS.ljust(2048, "x")}, {"image_url": ADDRESS.ljust(2049, "x")}),
        (ProductBody, {"group": "x" * 256}, {"group": "x" * 257}),
        (ProductBody, {"group": "x"}, {"group": ""}),
        (ProductBody, {"images": [{"url": "u"}] * 19}, {"images": [{"url": "u"}] * 20}),
        (ProductBody, {"attributes": values(100)}, {"attributes": values(101)}),
        (ProductBody, {"attributes": {"a": "x" * 1000}}, {"attributes": {"a": "x" * 1001}}),
        (ProductBody, {"attributes": {"a": ["x" * 1000]}}, {"attributes": {"a": ["x" * 1001]}}),
        (ProductBody, {"attributes": {"a": [1] * 100}}, {"attributes": {"a": [1] * 101}}),
        (ProductBody, {"attributes": {"x" * 128: 1}}, {"attributes": {"x" * 129: 1}}),
        (ProductBody, {"attributes": {"x": 1}}, {"attributes": {"": 1}}),
        (ImageBody, {"url": "u" * 2048}, {"url": "u" * 2049}),
        (ImageBody, {"url": "u"}, {"url": ""}),
        (ListOptions, {"limit": 1}, {"limit": 0}),
        (ListOptions, {"limit": 1000}, {"limit": 1001}),
        (DeleteBody, {"ids": ["a"]}, {"ids": []}),
        (DeleteBody, {"ids": ["a"] * 1000}, {"ids": ["a"] * 1001}),
    ],
)
def test_a_value_at_its_bound_is_taken_and_one_beyond_it_is_not(
    model: type[BaseModel], longest: dict[str, Any], too_long: dict[str, Any]
) -> None:
    (name,) = longest
    assert getattr(model.model_validate(longest), name) is not None
    with pytest.raises(ValidationError) as caught:
        model.model_validate(too_long)
    assert {error["loc"][0] for error in caught.value.errors()} == {name}


def test_an_address_is_as_long_as_its_percent_encoded_text() -> None:
    umlauts = ADDRESS + "ü" * 337  # six characters each
    assert len(ADDRESS) + 6 * 337 <= 2048 < len(ADDRESS) + 6 * 338
    assert ProductBody(url=umlauts).url == ADDRESS + "%C3%BC" * 337
    with pytest.raises(ValidationError, match="more than 2048 characters when it is percent-encoded"):
        ProductBody(url=umlauts + "ü")


def test_the_number_of_attributes_is_refused_before_their_values() -> None:
    with pytest.raises(ValidationError) as caught:
        ProductBody.model_validate({"attributes": {f"a{number}": {} for number in range(101)}})
    (error,) = caught.value.errors()
    assert error["msg"].endswith("a product has at most 100 attributes, not 101")


def test_what_a_product_leaves_out_has_no_value() -> None:
    body = ProductBody()
    assert body.model_dump() == {
        **dict.fromkeys(("title", "url", "image_url", "image_base64", "images", "category", "group")),
        "attributes": {},
    }
    defaults = ListOptions()
    assert (defaults.limit, defaults.cursor, defaults.category, defaults.absolute_urls) == (100, None, None, False)
    assert defaults.wanted.is_all


def product(**changes: Any) -> Product:
    made = make_product("a", 1, np.array([1, 0], np.float32), "fashion/1", image_url=URL, category_source="network")
    return dataclasses.replace(made, title="T", url="/a", group="G", attributes={"price": 5, "sale": True}, **changes)


def applied(old: Product, patch: dict[str, Any], *, has_new_image: bool = False) -> ProductBody:
    kept, removed, gone = split_patch(patch)
    changes = ProductPatch(ProductBody.model_validate(kept), removed, gone)
    return changes.applied(old, NAMES, has_new_image=has_new_image)


@pytest.mark.parametrize(
    ("patch", "changed"),
    [
        ({}, {}),
        ({"title": "U"}, {"title": "U"}),
        ({"title": None}, {"title": None}),
        ({"url": "/b"}, {"url": "/b"}),
        ({"url": None}, {"url": None}),
        ({"group": "H"}, {"group": "H"}),
        ({"group": None}, {"group": None}),
        ({"attributes": {"price": 6}}, {"attributes": {"price": 6, "sale": True}}),
        ({"attributes": {"price": None, "size": "M"}}, {"attributes": {"sale": True, "size": "M"}}),
        ({"attributes": None}, {"attributes": {}}),
        ({"images": None}, {"images": []}),
        ({"images": [{"url": "u"}]}, {"images": [{"url": "u", "base64": None}]}),
        ({"category": "Bags"}, {"category": "Bags"}),
        ({"image_url": URL}, {"image_url": URL}),
    ],
)
def test_a_patch_changes_only_what_it_names(patch: dict[str, Any], changed: dict[str, Any]) -> None:
    stays = {"title": "T", "url": "/a", "group": "G", "attributes": {"price": 5, "sale": True}}
    unnamed = dict.fromkeys(("image_url", "image_base64", "images", "category"))
    assert applied(product(), patch).model_dump() == {**unnamed, **stays, **changed}


@pytest.mark.parametrize(
    ("source", "patch", "has_new_image", "category"),
    [
        ("feed", {}, False, None),
        ("feed", {}, True, "Shoes"),
        ("mapping", {"image_base64": "AA=="}, False, "Shoes"),
        ("feed", {"image_url": URL + "?2"}, False, "Shoes"),
        ("feed", {"image_url": URL}, False, None),
        ("network", {}, True, None),
        ("unknown", {"image_base64": "AA=="}, False, None),
    ],
)
def test_the_shops_category_stays_with_a_new_image(
    source: str, patch: dict[str, Any], has_new_image: bool, category: str | None
) -> None:
    assert applied(product(category_source=source), patch, has_new_image=has_new_image).category == category


def test_a_category_that_is_removed_is_the_predicted_one_again() -> None:
    unpredicted = product()
    embedded = dataclasses.replace(unpredicted.embedding, prediction=Prediction(2, 0.9))
    predicted = dataclasses.replace(unpredicted, embeddings={"fashion/1": embedded})
    assert applied(predicted, {"category": None}).category == "Bags"
    for old in (predicted, unpredicted):  # the network will predict it
        assert applied(old, {"category": None}, has_new_image=True).category is None
    with pytest.raises(InvalidRequest, match="name a category"):
        applied(unpredicted, {"category": None})


def test_a_patch_may_bring_a_product_to_the_number_of_attributes_but_not_beyond() -> None:
    assert len(applied(product(), {"attributes": values(98)}).attributes) == 100
    with pytest.raises(InvalidRequest, match="at most 100"):
        applied(product(), {"attributes": values(99)})
    crowded = dataclasses.replace(product(), attributes=values(120))  # of an import of an earlier version
    assert len(applied(crowded, {"attributes": {"a7": 1}}).attributes) == 120
    with pytest.raises(InvalidRequest, match="at most 100"):
        applied(crowded, {"attributes": {"b": 1}})


@pytest.mark.parametrize("name", ["image_url", "image_base64"])
def test_a_patch_cannot_remove_the_main_image(name: str) -> None:
    with pytest.raises(InvalidRequest, match="needs a main image"):
        applied(product(), {name: None})


def test_a_patch_is_split_into_values_and_nulls() -> None:
    patch = {"title": None, "colour": None, "url": "/a", "attributes": {"price": None, "size": "M"}}
    expected = {"colour": None, "url": "/a", "attributes": {"size": "M"}}, frozenset({"title"}), frozenset({"price"})
    assert split_patch(patch) == expected
    assert split_patch({"attributes": [1]}) == ({"attributes": [1]}, frozenset(), frozenset())
