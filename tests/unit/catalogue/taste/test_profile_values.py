"""The numbers of a taste: shares of values, prices, interests, and what they add to a score."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from services.catalogue.product import ImageVector, Product, ProductEmbedding, ProductImage
from services.catalogue.taste.interests import Interests
from services.catalogue.taste.profile import (
    CONFIDENT,
    CategoryTaste,
    Preferences,
    Profile,
    TasteWeights,
    profile_of,
)
from tests.support.values.events import make_event

MODEL = "fashion/1"
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
EAST, NORTH = (1.0, 0.0), (0.0, 1.0)


def product(key: str, vector: Sequence[float] = EAST, category: int = 0, **attributes: Any) -> Product:
    embedding = ProductEmbedding((ImageVector("hash", np.asarray(vector, np.float32)),))
    return Product(key, category, {MODEL: embedding}, MODEL, (ProductImage(None, "hash"),), attributes=attributes)


def taste(*liked: tuple[float, dict[str, Any]]) -> Profile:
    rows = [(product(str(number), **attributes), weight) for number, (weight, attributes) in enumerate(liked)]
    return profile_of(rows, [], MODEL)


def in_category(profile: Profile) -> CategoryTaste:
    return profile.categories[0]


def test_the_interest_in_a_value_is_relative_to_the_favourite() -> None:
    profile = taste((3.0, {"size": "S"}), (1.0, {"size": ["M", "S"]}), (1.0, {"size": "L"}), (-9.0, {"size": "XL"}))
    size = in_category(profile).size
    assert dict(size.shares) == {"s": 1.0, "m": 0.25, "l": 0.25}
    assert [size.of({"size": value}) for value in ("S", "m", ["L", "s"], "XL")] == [1.0, 0.25, 1.0, 0.0]
    assert size.of({}) is size.of({"size": []}) is Preferences(("size",), {}).of({"size": "S"}) is None


def test_gender_and_brand_are_the_shared_preferences() -> None:
    gender, brand = taste((2.0, {"gender": "Women", "brand": "Acme"}), (1.0, {"gender": "Men"})).shared
    assert (dict(gender.shares), dict(brand.shares)) == ({"women": 1.0, "men": 0.5}, {"acme": 1.0})


@pytest.mark.parametrize(("weight", "interest", "shares"), [(0.5, 0.5, {"women": 1.0}), (-0.5, 0.0, {})])
def test_any_weight_above_zero_is_interest(weight: float, interest: float, shares: dict[str, float]) -> None:
    profile = taste((weight, {"gender": "Women"}))
    assert (profile.interest, dict(profile.shared[0].shares)) == (interest, shares)


@pytest.mark.parametrize(
    ("liked", "mean", "spread"),
    [
        ([(5.0, 50)], math.log(50), 0.25),
        ([(1.0, 10), (1.0, 40)], math.log(20), math.log(2)),
        ([(3.0, 10), (1.0, 160)], math.log(20), math.sqrt(3) * math.log(2)),
        ([(5.0, 50), (1.0, None), (-7.0, 900)], math.log(50), 0.25),
    ],
)
def test_liked_prices_have_a_mean_and_a_spread(liked: Any, mean: float, spread: float) -> None:
    own = in_category(taste(*((weight, {"price": price}) for weight, price in liked)))
    assert own.price == pytest.approx((mean, spread))
    prices = [math.exp(mean), math.exp(mean + spread), math.exp(mean - 2 * spread)]
    actual = [own.price_preference({"price": price}) for price in prices]
    assert actual == pytest.approx([1.0, math.exp(-0.5), math.exp(-2)])


@pytest.mark.parametrize("attributes", [{}, {"price": 0}, {"price": "50"}])
def test_an_unknown_price_is_neither_liked_nor_disliked(attributes: dict[str, Any]) -> None:
    assert in_category(taste((1.0, {"price": 50}))).price_preference(attributes) is None
    assert in_category(taste((1.0, attributes))).price is None
    assert in_category(taste((1.0, attributes))).price_preference({"price": 50}) is None


def test_what_is_disliked_counts_in_its_category_and_not_as_interest_in_attributes() -> None:
    rows = [(product("a"), 5.0), (product("b", NORTH), -3.0), (product("c", NORTH, 1), 2.0), (product("d"), 0.0)]
    profile = profile_of(rows, ["b"], MODEL)
    assert profile.interest == 7.0
    assert {number: own.interest for number, own in profile.categories.items()} == {0: 8.0, 1: 2.0}
    vector = profile.categories[0].vector
    assert vector is not None
    np.testing.assert_allclose(vector, np.array([5, -3]) / math.sqrt(34), rtol=1e-6)
    assert vector.dtype == np.float32


@pytest.mark.parametrize(
    ("profile", "is_empty"),
    [
        (Profile(), True),
        (Profile(hidden=("a",)), False),
        (taste((1.0, {})), False),
        (profile_of([(product("a"), 0.0)], [], MODEL), True),
    ],
)
def test_a_visitor_of_whom_nothing_is_known(profile: Profile, is_empty: bool) -> None:
    assert profile.is_empty is is_empty


def test_attributes_add_the_mean_of_what_is_known_of_a_product() -> None:
    profile = taste((CONFIDENT, {"gender": "Women", "brand": "Acme", "size": "S", "price": 50}))
    rows: list[dict[str, Any]] = [
        {"gender": "Women", "brand": "Acme", "size": "S", "price": 50},
        {"gender": "Women", "brand": "Other", "size": "S", "price": 50},
        {"gender": "Men", "size": "S"},
        {"gender": "Men"},
        {},
    ]
    likings = np.array([1.0, 0.75, 0.5, 0.0])
    expected = [*(0.04 * 0.5 * (likings - likings.mean())), 0.0]
    vectors = np.zeros((5, 2), np.float32)
    actual = profile.pulls(0, vectors, rows, TasteWeights(0.3, 0.04))
    np.testing.assert_allclose(actual, expected, atol=1e-9)
    other = profile.pulls(1, vectors, rows, TasteWeights(0.3, 0.04))  # neither size nor price of another category
    shared = np.array([1.0, 0.5, 0.0, 0.0])
    np.testing.assert_allclose(other, [*(0.04 * 0.5 * (shared - shared.mean())), 0.0], atol=1e-9)


def test_vectors_add_how_near_a_product_is_to_the_taste() -> None:
    profile = taste((CONFIDENT, {}))
    vectors = np.array([EAST, NORTH, (0.6, 0.8), (0.0, 0.0)], np.float32)
    cosines = np.array([1.0, 0.0, 0.6])
    actual = profile.pulls(0, vectors, [{}] * 4, TasteWeights(0.1, 0.1))
    np.testing.assert_allclose(actual, [*(0.1 * 0.5 * (cosines - cosines.mean())), 0.0], atol=1e-7)
    for category, of_products in ((1, vectors), (0, np.ones((4, 3), np.float32))):
        assert profile.pulls(category, of_products, [{}] * 4, TasteWeights(0.1, 0.1)).tolist() == [0.0] * 4


def test_the_products_hidden_last_stay_hidden() -> None:
    events = [make_event("hide", f"e{number:03}", NOW, product=f"p{number:03}") for number in range(201)]
    hidden = Interests.of(events, NOW).hidden
    assert (len(hidden), hidden[0], hidden[-1]) == (200, "p001", "p200")


def test_the_strongest_interests_come_first_in_either_direction() -> None:
    events = [make_event("click", "e1", NOW, product="b"), make_event("click", "e2", NOW, product="a")]
    events += [make_event("hide", "e3", NOW, product="c"), make_event("purchase", "e4", NOW, product="d")]
    assert [*Interests.of(events, NOW).products] == ["d", "c", "a", "b"]
