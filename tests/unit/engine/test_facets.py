"""What a category can be filtered by, and how many products each choice would bring."""

import random
from collections import Counter
from typing import Any

import numpy as np
import pytest

from services.catalogue.product import unit_vector
from services.contracts.domain.filtering.facets import MAX_SHOWN_VALUES, MAX_VALUES, Facet
from services.contracts.wire.filter_json import parse_filter
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery
from services.engine.payload import pack
from tests.support.values.products import make_product

VECTOR = unit_vector(np.ones(4, np.float32))


def gallery_of(*attributes: dict[str, Any], merge_rows: int = 2048) -> Gallery:
    gallery = Gallery(1, 4, FaissFlat, merge_rows)
    for number, attribute in enumerate(attributes):
        put(gallery, str(number), attribute)
    gallery.publish()
    return gallery


def put(gallery: Gallery, key: str, attributes: dict[str, Any]) -> None:
    gallery.put(0, key, VECTOR, pack(make_product(key, 0, VECTOR, attributes=attributes)))


def facets(gallery: Gallery, **conditions: Any) -> dict[str, Any]:
    """Return attribute → its range as a pair, or its values with their counts, best first."""
    return {facet.attribute: shown(facet) for facet in gallery.facets(0, parse_filter(conditions))}


def shown(facet: Facet) -> Any:
    if facet.range is not None:
        return facet.range.min, facet.range.max
    return [(value.value, value.count) for value in facet.values]


def test_an_attribute_with_a_few_values_is_offered_with_the_most_frequent_first() -> None:
    assert facets(gallery_of({"c": "Red"}, {"c": "Blue"}, {"c": "Blue"})) == {"c": [("Blue", 2), ("Red", 1)]}


def test_each_value_of_a_list_counts_once_a_product() -> None:
    assert facets(gallery_of({"c": ["Red", "Blue", "Red"]}, {"c": "Red"})) == {"c": [("Red", 2), ("Blue", 1)]}


def test_one_value_is_no_choice() -> None:
    assert facets(gallery_of({"c": "Red", "n": 5}, {"c": "Red", "n": 5})) == {}


def test_numbers_are_offered_as_a_range() -> None:
    assert facets(gallery_of({"price": 9.5}, {"price": [20, 30]})) == {"price": (9.5, 30.0)}


def test_numbers_among_texts_are_values() -> None:
    assert facets(gallery_of({"size": "M"}, {"size": 38}, {"size": 38}, {"size": 39.5})) == {
        "size": [(38, 2), (39.5, 1), ("M", 1)]
    }


def test_true_and_one_are_two_values() -> None:
    ((_, values),) = facets(gallery_of({"sale": True}, {"sale": 1}, {"sale": False})).items()
    assert {repr(value) for value, _ in values} == {"True", "False", "1"}


@pytest.mark.parametrize("merge_rows", [10, 5000])
def test_an_attribute_with_very_many_values_is_not_offered_and_can_be_filtered_by(merge_rows: int) -> None:
    gallery = gallery_of(*({"sku": f"A{n}", "c": "ab"[n % 2]} for n in range(MAX_VALUES + 1)), merge_rows=merge_rows)
    for _ in range(2):
        assert list(facets(gallery)) == ["c"]
        assert facets(gallery, sku=["A1", "A2", "A3"])["c"] == [("b", 2), ("a", 1)]


def test_at_most_thirty_values_are_shown() -> None:
    ((_, values),) = facets(gallery_of(*({"c": str(n % 40)} for n in range(90)))).items()
    assert len(values) == MAX_SHOWN_VALUES
    assert [count for _, count in values] == [3] * 10 + [2] * 20


def test_an_attribute_that_hardly_any_product_has_is_not_offered() -> None:
    rare = [{"c": "Red"}, {"c": "Blue"}]
    assert "c" not in facets(gallery_of(*rare, *({"x": "y"} for _ in range(60))))
    assert "c" in facets(gallery_of(*rare, *({"x": "y"} for _ in range(30))))


def test_an_attribute_that_a_twentieth_of_the_products_have_is_offered() -> None:
    some, others = [{"c": "Red"}, {"c": "Blue"}], [{"x": "y"} for _ in range(38)]
    assert "c" in facets(gallery_of(*some, *others))
    assert "c" not in facets(gallery_of(*some, *others, {"x": "y"}))


def test_counts_heed_the_conditions_on_all_other_attributes() -> None:
    gallery = gallery_of({"c": "Red", "s": "M"}, {"c": "Red", "s": "L"}, {"c": "Blue", "s": "L"})
    actual = facets(gallery, c="Red")
    assert actual == {"c": [("Red", 2), ("Blue", 1)], "s": [("L", 1), ("M", 1)]}
    assert facets(gallery, c="Red", s="M") == {"c": [("Red", 1)], "s": [("L", 1), ("M", 1)]}


def test_counts_heed_all_but_what_is_asked_of_the_attribute_alone() -> None:
    gallery = gallery_of({"c": "Red", "s": "M"}, {"c": "Red", "s": "L"}, {"c": "Blue", "s": "L"}, {"s": "M"})
    assert facets(gallery, **{"$not": {"c": "Red"}}) == {"c": [("Red", 2), ("Blue", 1)], "s": [("L", 1), ("M", 1)]}
    assert facets(gallery, **{"$or": [{"c": "Blue"}, {"s": "M"}]}) == {
        "c": [("Blue", 1), ("Red", 1)],
        "s": [("M", 2), ("L", 1)],
    }
    assert facets(gallery, **{"$and": [{"c": "Red"}, {"s": "L"}]}) == {
        "c": [("Blue", 1), ("Red", 1)],
        "s": [("L", 1), ("M", 1)],
    }


def test_an_empty_category_offers_nothing() -> None:
    assert facets(gallery_of()) == {}


def brute_force(products: dict[str, dict[str, Any]], color: str | None, most: float | None) -> dict[str, Any]:
    by_price = [product for product in products.values() if most is None or product["price"] <= most]
    both = [product for product in by_price if color is None or product["c"] == color]
    colors = Counter(product["c"] for product in by_price)
    sizes = Counter(size for side in both for size in side["s"])
    prices = [product["price"] for product in products.values()]
    return {"c": dict(colors), "s": dict(sizes), "price": (min(prices), max(prices))}


@pytest.mark.parametrize("merge_rows", [7, 5000])
def test_counts_are_those_of_brute_force_while_products_come_go_and_change(merge_rows: int) -> None:
    draw = random.Random(4)
    gallery, products = Gallery(1, 4, FaissFlat, merge_rows), dict[str, dict[str, Any]]()
    for step in range(250):
        key = str(draw.randrange(60))
        if draw.random() < 0.25:
            gallery.discard(key)
            products.pop(key, None)
        else:
            products[key] = {"c": draw.choice("abc"), "s": draw.sample("xyz", 2), "price": draw.randrange(50) / 2}
            put(gallery, key, products[key])
        gallery.publish()
        if step < 20:
            continue
        color, most = draw.choice([None, "a"]), draw.choice([None, 20.0])
        conditions = {} if color is None else {"c": color}
        collected = facets(gallery, **conditions, **({} if most is None else {"price": {"lte": most}}))
        expected = brute_force(products, color, most)
        assert {**collected, "c": dict(collected["c"]), "s": dict(collected["s"])} == expected
