"""The gallery on FAISS against brute force in NumPy, under random upserts, deletes, category moves and filters.

Products have one image or several. Of what is found each product comes once, with its best image.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.catalogue.product import Product, unit_vector
from services.contracts.wire.filter_json import parse_filter
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery, Query
from services.engine.packed import rows
from services.engine.payload import pack
from tests.support.values.filters import ATTRIBUTES, FILTERS, meets
from tests.support.values.products import additional_image, make_product

CATEGORIES, DIMENSION = 3, 4
KEYS = st.sampled_from([f"p{number}" for number in range(24)])
CATEGORY = st.integers(0, CATEGORIES - 1)
# Few different vectors, so that many products score exactly the same.
VECTORS = st.tuples(*[st.integers(-2, 2)] * DIMENSION).filter(any).map(lambda v: unit_vector(np.array(v, np.float32)))
# Several images, often alike, so that the nearest rows are of few products.
ADDITIONAL = st.lists(VECTORS, max_size=7).map(lambda vectors: tuple(map(additional_image, vectors)))


class GalleryAgainstBruteForce(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(rows, "COMPRESSED_TEXTS", 4)  # payloads of some categories are compressed
        self.gallery = Gallery(CATEGORIES, DIMENSION, FaissFlat, merge_rows=5)
        self.products: dict[str, Product] = {}

    def teardown(self) -> None:
        self.patch.undo()

    @rule(key=KEYS, category=CATEGORY, vector=VECTORS, additional=ADDITIONAL, attributes=ATTRIBUTES)
    def upsert(self, key: str, category: int, vector: Any, additional: Any, attributes: Any) -> None:
        product = make_product(key, category, vector, attributes=attributes, images=additional)
        self.products[key] = product
        self.gallery.put(category, key, product.vectors, pack(product))
        self.gallery.publish()

    @rule(key=KEYS, category=CATEGORY, vector=VECTORS)
    def upsert_one_image(self, key: str, category: int, vector: Any) -> None:
        self.products[key] = make_product(key, category, vector)
        self.gallery.put(category, key, vector, None)
        self.gallery.publish()

    @rule(keys=st.lists(KEYS, max_size=12), category=CATEGORY, vector=VECTORS, additional=ADDITIONAL)
    def upsert_many_in_one_go(self, keys: list[str], category: int, vector: Any, additional: Any) -> None:
        for key in keys:
            self.products[key] = make_product(key, category, vector, images=additional)
            self.gallery.put(category, key, self.products[key].vectors, pack(self.products[key]))
        self.gallery.publish()

    @rule(keys=st.lists(KEYS, max_size=8))
    def delete(self, keys: list[str]) -> None:
        for key in keys:
            self.products.pop(key, None)
            self.gallery.discard(key)
        self.gallery.publish()

    def expected(self, category: int, query: Any, wanted: Query) -> list[tuple[str, float, int]]:
        """Return key, score and image of the best products, by looking at every image of each."""
        among = [
            p
            for p in self.products.values()
            if p.category == category and p.key not in wanted.exclude and meets(p.attributes, wanted.filter.source)
        ]
        unit, ranked = unit_vector(query, DIMENSION).astype(np.float64), []
        for product in among:
            scores = np.einsum("ij,j->i", product.vectors.astype(np.float64), unit)
            best = int(np.argmax(scores))  # of equal ones the first
            ranked.append((-float(scores[best]), product.key, best))
        least = -2.0 if wanted.min_score is None else wanted.min_score
        return [(key, -score, image) for score, key, image in sorted(ranked)[: wanted.k] if -score >= least]

    @rule(
        category=CATEGORY,
        vector=VECTORS,
        k=st.integers(1, 30),
        wanted=FILTERS,
        exclude=st.frozensets(KEYS, max_size=4),
        min_score=st.none() | st.floats(-1, 1),
    )
    def search(self, category: int, vector: Any, k: int, wanted: Any, exclude: Any, min_score: Any) -> None:
        query = Query(k, parse_filter(wanted), exclude, min_score)
        matches = self.gallery.search(category, vector, query)
        assert [(match.key, match.score, match.image_index) for match in matches] == self.expected(
            category, vector, query
        )

    @rule(key=KEYS, k=st.integers(1, 5))
    def similar(self, key: str, k: int) -> None:
        if key not in self.products:
            assert key not in self.gallery
            return
        product = self.products[key]
        category, matches = self.gallery.similar(key, Query(k))
        assert category == product.category
        expected = self.expected(category, product.vector, Query(k, exclude=frozenset({key})))
        assert [match.key for match in matches] == [expected_key for expected_key, *_ in expected]

    @rule(key=KEYS)
    def what_the_writer_has_is_what_was_put(self, key: str) -> None:
        if key in self.products:
            category, vectors, payload = self.gallery.current(key)
            product = self.products[key]
            np.testing.assert_array_equal(vectors, product.vectors)
            assert (category, payload) == (product.category, pack(product))
            np.testing.assert_array_equal(self.gallery.find(key)[1], product.vector)

    @invariant()
    def the_writer_lists_the_keys_of_the_products(self) -> None:
        assert sorted(self.gallery) == sorted(self.products)

    @invariant()
    def counts_are_those_of_the_products(self) -> None:
        counts = [sum(p.category == category for p in self.products.values()) for category in range(CATEGORIES)]
        assert self.gallery.counts() == counts


GalleryAgainstBruteForce.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestGalleryAgainstBruteForce = GalleryAgainstBruteForce.TestCase


@settings(max_examples=100, deadline=None)
@given(
    counts=st.lists(st.integers(1, 20), min_size=1, max_size=25),
    seed=st.integers(0, 2**32 - 1),
    k=st.integers(1, 12),
    in_base=st.booleans(),
)
def test_the_nearest_images_may_all_be_of_few_products(counts: list[int], seed: int, k: int, in_base: bool) -> None:
    """Images of one product close together: the best rows are of fewer products than requested."""
    rng = np.random.default_rng(seed)
    gallery = Gallery(1, DIMENSION, FaissFlat, merge_rows=0 if in_base else 1000)
    best: dict[str, float] = {}
    query = unit_vector(rng.standard_normal(DIMENSION).astype(np.float32))
    for number, count in enumerate(counts):
        centre = rng.standard_normal(DIMENSION)
        images = [
            unit_vector((centre + 0.05 * rng.standard_normal(DIMENSION)).astype(np.float32)) for _ in range(count)
        ]
        gallery.put(0, str(number), np.stack(images), None)
        best[str(number)] = max(float(np.dot(image.astype(np.float64), query)) for image in images)
    gallery.publish()
    matches = gallery.search(0, query, Query(k))
    ranked = sorted(best.items(), key=lambda entry: -entry[1])[:k]
    assert [match.key for match in matches] == [key for key, _ in ranked]
    np.testing.assert_allclose([match.score for match in matches], [score for _, score in ranked], atol=1e-6)
