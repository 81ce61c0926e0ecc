"""The attributes by which results are put in order: their names, and what counts as unknown."""

import math
from typing import Any

import pytest

from services.catalogue.attributes import BRAND, COLOUR, TYPE, available, price_of, words


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"articleType": " Dress ", "type": "Shirt"}, {"dress"}),
        ({"articleType": None, "product_type": [], "product_category": "Shirt"}, {"shirt"}),
        ({"type": ["A", "b", 3]}, {"a", "b", "3"}),
        ({"type": 0}, {"0"}),
        ({"type": ""}, {""}),
        ({"colour": "red"}, set()),
        ({}, set()),
    ],
)
def test_the_first_attribute_that_a_product_has_counts(attributes: dict[str, Any], expected: set[str]) -> None:
    assert words(attributes, TYPE) == expected


def test_names_of_feeds_and_of_the_archive_are_known() -> None:
    assert [words({name: "Red"}, COLOUR) for name in ("baseColour", "color", "colour")] == [{"red"}] * 3
    assert words({"brand": "Acme"}, BRAND) == {"acme"}


@pytest.mark.parametrize(("value", "price"), [(50, 50.0), (0.01, 0.01), (1, 1.0)])
def test_a_price_is_a_number_above_0(value: float, price: float) -> None:
    assert price_of({"price": value}) == price


@pytest.mark.parametrize("value", [None, 0, -1, -0.5, True, "50", [50], math.nan, math.inf])
def test_any_other_price_is_unknown(value: Any) -> None:
    assert math.isnan(price_of({"price": value}))
    assert math.isnan(price_of({}))


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"availability": "in_stock"}, 1.0),
        ({"availability": "preorder"}, 1.0),
        ({"availability": "backorder"}, 1.0),
        ({"availability": "out_of_stock"}, 0.0),
        ({"in_stock": True}, 1.0),
        ({"in_stock": False}, 0.0),
        ({"availability": "out_of_stock", "in_stock": True}, 0.0),
    ],
)
def test_a_product_can_be_bought_or_not(attributes: dict[str, Any], expected: float) -> None:
    assert available(attributes) == expected


@pytest.mark.parametrize("attributes", [{}, {"availability": "soon"}, {"availability": None}])
def test_a_shop_may_not_say_whether_a_product_can_be_bought(attributes: dict[str, Any]) -> None:
    assert math.isnan(available(attributes))
