"""Facet counts against brute force, after products were put, replaced and deleted in any order."""

from collections import Counter
from typing import Any

import numpy as np
import orjson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.contracts.wire.filter_json import parse_filter
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery
from tests.support.values.filters import meets, without

COLOURS = ["Red", "Blue", "Navy Blue"]
attributes = st.fixed_dictionaries(
    {"colour": st.sampled_from(COLOURS)},
    optional={
        "sizes": st.lists(st.sampled_from(["S", "M", "L"]), min_size=1, max_size=4),
        "sale": st.booleans(),
        "price": st.integers(1, 90),
    },
)
# Which product, how many images it has, and its attributes; None when it goes.
steps = st.lists(st.tuples(st.integers(0, 15), st.integers(1, 4), st.one_of(st.none(), attributes)), max_size=40)
filters = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "colour": st.sampled_from(COLOURS),
            "sizes": st.just(["S", "L"]),
            "sale": st.booleans(),
            "price": st.just({"gte": 30}),
        },
    ),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "colour": st.sampled_from(COLOURS),
            "$or": st.lists(inner, min_size=1, max_size=3),
            "$and": st.lists(inner, min_size=1, max_size=3),
            "$not": inner,
        },
    ),
    max_leaves=5,
)


def values_of(product: dict[str, Any], name: str) -> list[Any]:
    value = product.get(name, [])
    return list(dict.fromkeys(value)) if isinstance(value, list) else [value]


@settings(max_examples=150, deadline=None)
@given(steps=steps, condition=filters)
@example(steps=[(0, 1, {"colour": "Red", "price": 1}), (0, 1, None)], condition={})
@example(steps=[(0, 4, {"colour": "Red"}), (1, 1, {"colour": "Blue"})], condition={})
def test_counts_are_of_the_living_products_that_meet_all_else_the_filter_asks(
    steps: list[tuple[int, int, dict[str, Any] | None]], condition: dict[str, Any]
) -> None:
    gallery = Gallery(1, 4, FaissFlat, merge_rows=8)
    living: dict[str, dict[str, Any]] = {}
    for number, images, product in steps:
        key = str(number)
        if product is None:
            gallery.discard(key)
            living.pop(key, None)
        else:
            vectors = np.full((images, 4), 0.5, np.float32)
            gallery.put(0, key, vectors, orjson.dumps({"attributes": product}))
            living[key] = product
        gallery.publish()
    for facet in gallery.facets(0, parse_filter(condition)):
        if facet.range is not None:
            prices = [product["price"] for product in living.values() if "price" in product]
            assert all(facet.range.min <= price <= facet.range.max for price in prices)
            continue
        others = without(condition, facet.attribute)
        fitting = [p for p in living.values() if meets(p, others)]
        by_hand = Counter(value for product in fitting for value in values_of(product, facet.attribute))
        assert {value.value: value.count for value in facet.values} == dict(by_hand)
        assert [value.count for value in facet.values] == sorted(by_hand.values(), reverse=True)


@settings(max_examples=50, deadline=None)
@given(keys=st.sets(st.integers(0, 30)), gone=st.sets(st.integers(0, 30)), count=st.integers(1, 40))
def test_a_sample_holds_living_products_each_once(keys: set[int], gone: set[int], count: int) -> None:
    import random

    gallery = Gallery(3, 4, FaissFlat, merge_rows=8)
    for key in keys:
        gallery.put(key % 3, str(key), np.full((1 + key % 4, 4), 0.5, np.float32), None)
    for key in gone:
        gallery.discard(str(key))
    gallery.publish()
    sample = gallery.sample(count, None, random.Random(1))
    assert len({key for _, key, _ in sample}) == len(sample) == min(count, len(keys - gone))
    assert all(int(key) in keys - gone and int(key) % 3 == category for category, key, _ in sample)
    assert all(category == 1 for category, _, _ in gallery.sample(count, 1, random.Random(1)))
