"""Searches through several catalogues against one gallery that has the products of all of them."""

import random
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.domain.errors import UnknownProduct
from services.contracts.domain.filtering.facets import Facet
from services.contracts.wire.filter_json import parse_filter
from services.engine import multi_search
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery, Query

DIMENSION, CATEGORIES = 6, 2
NAMES = ["default", "b", "a"]
products = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.integers(0, 8),  # the key: the same ones in every catalogue
        st.integers(0, CATEGORIES - 1),
        st.integers(0, 20),  # the vector: some are of several products
        st.sampled_from(["Red", "Blue", None]),
        st.integers(1, 3),  # images
    ),
    max_size=40,
)
VECTORS = np.random.default_rng(3).standard_normal((24, DIMENSION)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)
filters = st.sampled_from([{}, {"colour": "Red"}, {"colour": ["Red", "Blue"]}, {"$not": {"colour": "Blue"}}])


def both(drawn: list[tuple[Any, ...]]) -> tuple[dict[str, Gallery], Gallery]:
    """Return a gallery a catalogue, and one of all, whose keys end with the catalogue's name."""
    apart = {name: Gallery(CATEGORIES, DIMENSION, FaissFlat) for name in NAMES}
    union = Gallery(CATEGORIES, DIMENSION, FaissFlat)
    for name, number, category, vector, colour, images in drawn:
        rows = VECTORS[[(vector + step) % len(VECTORS) for step in range(images)]]
        payload = None if colour is None else orjson.dumps({"attributes": {"colour": colour}})
        apart[name].put(category, f"p{number}", rows, payload)
        union.put(category, f"p{number}/{name}", rows, payload)
    for each in (*apart.values(), union):
        each.publish()
    return apart, union


def listed(catalogue_matchs: list[multi_search.CatalogueMatch]) -> list[tuple[str, float, int]]:
    return [
        (f"{item.match.key}/{item.catalogue}", item.match.score, item.match.image_index) for item in catalogue_matchs
    ]


@settings(max_examples=80, deadline=None)
@given(products, st.integers(0, 23), st.integers(1, 30), filters, st.none() | st.floats(-0.5, 0.9))
def test_a_search_through_all_is_one_through_the_union(
    drawn: list[tuple[Any, ...]], query: int, k: int, wanted: dict[str, Any], least: float | None
) -> None:
    apart, union = both(drawn)
    asked = Query(k, parse_filter(wanted), min_score=least)
    for category in range(CATEGORIES):
        expected = union.search(category, VECTORS[query], asked)
        assert listed(multi_search.search(apart, category, VECTORS[query], asked)) == [
            (each.key, each.score, each.image_index) for each in expected
        ]


@settings(max_examples=50, deadline=None)
@given(products, filters)
def test_facets_of_all_are_those_of_the_union(drawn: list[tuple[Any, ...]], wanted: dict[str, Any]) -> None:
    apart, union = both(drawn)

    def by_name(facets: list[Facet]) -> dict[str, Facet]:
        return {facet.attribute: facet for facet in facets}

    for category in range(CATEGORIES):
        conditions = parse_filter(wanted)
        assert by_name(multi_search.facets(apart, category, conditions)) == by_name(union.facets(category, conditions))


@settings(max_examples=50, deadline=None)
@given(products, st.integers(0, 8), st.sampled_from([None, *NAMES]))
def test_what_is_like_a_product_comes_from_all_and_the_product_itself_is_left_out_of_its_own_only(
    drawn: list[tuple[Any, ...]], number: int, of: str | None
) -> None:
    apart, union = both(drawn)
    having = [name for name in NAMES if f"p{number}" in apart[name]]
    home = of if of is not None else next(iter(having), None)
    if home not in having:
        with pytest.raises(UnknownProduct):
            multi_search.similar(apart, f"p{number}", Query(30), of)
        return
    category, matches = union.similar(f"p{number}/{home}", Query(30))
    expected = [(match.key, match.score, match.image_index) for match in matches]
    similar = multi_search.similar(apart, f"p{number}", Query(30), of)
    assert (similar[0], listed(similar[1])) == (category, expected)


@settings(max_examples=40, deadline=None)
@given(products, st.integers(1, 50), st.none() | st.integers(0, CATEGORIES - 1), st.integers(0, 99))
def test_a_sample_of_all_has_each_product_once_and_as_many_as_there_are(
    drawn: list[tuple[Any, ...]], count: int, category: int | None, seed: int
) -> None:
    apart, union = both(drawn)
    chosen = multi_search.sample(apart, count, category, random.Random(seed))
    there = len(union) if category is None else union.counts()[category]
    assert len({(name, key) for name, _, key, _ in chosen}) == len(chosen) == min(count, there)
    for name, number, key, _ in chosen:
        assert apart[name].find(key)[0] == number
        assert category in (None, number)
