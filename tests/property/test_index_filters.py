"""Filtered searches and facet counts against brute force, with random nested filters."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from services.catalogue.product import unit_vector
from services.contracts.wire.filter_json import parse_filter
from services.engine import category_view
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery, Query
from services.engine.payload import pack
from tests.support.values.filters import ATTRIBUTES, filters, kind_of, meets, without
from tests.support.values.products import make_product

CATALOGUES = st.lists(ATTRIBUTES, min_size=4, max_size=40)
VECTORS = np.random.default_rng(7).integers(-2, 3, (40, 4)).astype(np.float32) + np.float32(0.25)


def gallery_of(catalogue: list[dict[str, Any]], wanted: dict[str, Any]) -> Gallery:
    """Return a gallery of products with one to three images, some in the base and some in the tail.

    Searches between the changes build the columns early.
    """
    gallery = Gallery(1, 4, FaissFlat, merge_rows=12)
    for number, attributes in enumerate(catalogue):
        vector = unit_vector(VECTORS[number])
        gallery.put(
            0,
            f"p{number}",
            np.tile(vector, (1 + number % 3, 1)),
            pack(make_product(f"p{number}", 0, vector, attributes=attributes)),
        )
        if number % 5 == 0:
            gallery.publish()
            gallery.search(0, VECTORS[0], Query(1, parse_filter(wanted)))
    gallery.publish()
    return gallery


def by_hand(catalogue: list[dict[str, Any]], wanted: dict[str, Any], k: int) -> list[str]:
    query = unit_vector(VECTORS[0]).astype(np.float64)
    scored = [
        (-float(np.einsum("ij,j->i", unit_vector(VECTORS[number])[None].astype(np.float64), query)[0]), f"p{number}")
        for number, attributes in enumerate(catalogue)
        if meets(attributes, wanted)
    ]
    return [key for _, key in sorted(scored)[:k]]


@settings(max_examples=200, deadline=None)
@given(catalogue=CATALOGUES, wanted=filters(), k=st.integers(1, 45), is_large=st.booleans())
@example(catalogue=[{"a": 1}, {"a": True}, {"a": "1"}, {}], wanted={"$not": {"a": 1}}, k=4, is_large=True)
@example(
    catalogue=[{"a": ["2026-05-01", 2]}, {"a": 2}],
    wanted={"a": {"gte": 1}, "$not": {"a": {"gte": "2026-05-01"}}},
    k=4,
    is_large=True,
)
def test_a_filtered_search_finds_the_nearest_among_those_that_match(
    catalogue: list[dict[str, Any]], wanted: dict[str, Any], k: int, is_large: bool
) -> None:
    expected = by_hand(catalogue, wanted, k)
    event(f"products that match: {'none' if not expected else 'all' if len(expected) == len(catalogue) else 'some'}")
    event(f"nested: {any(name.startswith('$') for name in wanted)}")
    with pytest.MonkeyPatch.context() as patch:
        if is_large:  # as a category is with millions of products
            patch.setattr(category_view, "ROWS_PER_CANDIDATE", 0)
        matches = gallery_of(catalogue, wanted).search(0, VECTORS[0], Query(k, parse_filter(wanted)))
    assert [match.key for match in matches] == expected


def counted(catalogue: list[dict[str, Any]], attribute: str) -> Counter[tuple[str, Any]]:
    """Return how many products hold each value."""
    collected: Counter[tuple[str, Any]] = Counter()
    for product in catalogue:
        held = product.get(attribute, [])
        collected.update({(kind_of(value), value) for value in (held if isinstance(held, list) else [held])})
    return collected


@settings(max_examples=150, deadline=None)
@given(catalogue=CATALOGUES, wanted=filters())
def test_facet_counts_are_of_the_products_that_meet_the_other_conditions(
    catalogue: list[dict[str, Any]], wanted: dict[str, Any]
) -> None:
    facets = {facet.attribute: facet for facet in gallery_of(catalogue, wanted).facets(0, parse_filter(wanted))}
    for attribute in "abc":
        every = counted(catalogue, attribute)
        fitting = [product for product in catalogue if meets(product, without(wanted, attribute))]
        facet = facets.get(attribute)
        if facet is None:
            is_rare = sum(bool(counted([product], attribute)) for product in catalogue) < 0.05 * len(catalogue)
            assert is_rare or len(every) < 2 or not counted(fitting, attribute)
        elif facet.range is not None:
            assert (facet.range.min, facet.range.max) == (min(v for _, v in every), max(v for _, v in every))
        else:
            shown = {(kind_of(value.value), value.value): value.count for value in facet.values}
            assert shown == dict(counted(fitting, attribute))
