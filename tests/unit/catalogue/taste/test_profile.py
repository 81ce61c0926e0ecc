from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from services.catalogue.product import ImageVector, Product, ProductEmbedding, ProductImage
from services.catalogue.taste.profile import CONFIDENT, MAX_BY, Profile, TasteWeights, profile_of

MODEL = "fashion/1"
EAST, NORTH = (1.0, 0.0), (0.0, 1.0)
VECTORS_ONLY, ATTRIBUTES_ONLY = TasteWeights(0.3, 0.0), TasteWeights(0.0, 0.1)


def product(key: str, vector: Any, category: int = 0, **attributes: Any) -> Product:
    row = np.asarray(vector, dtype=np.float32)
    embedding = ProductEmbedding((ImageVector("hash", row / np.linalg.norm(row)),))
    return Product(
        key, category, {MODEL: embedding}, MODEL, (ProductImage(None, "hash"),), attributes=attributes,
        category_source="feed",
    )  # fmt: skip


def pulls(profile: Profile, rows: Sequence[Product], weights: TasteWeights, category: int = 0) -> list[float]:
    vectors = np.stack([row.vector for row in rows])
    return [float(pull) for pull in profile.pulls(category, vectors, [row.attributes for row in rows], weights)]


def liking(*products: Product, weight: float = 5.0, hidden: Sequence[str] = ()) -> Profile:
    return profile_of([(product, weight) for product in products], hidden, MODEL)


def test_products_near_the_liked_ones_are_pulled_up_and_the_others_down() -> None:
    up, down = pulls(liking(product("a", EAST)), [product("b", EAST), product("c", NORTH)], VECTORS_ONLY)
    confidence = 5 / (5 + CONFIDENT)
    assert up == pytest.approx(min(0.3 * confidence * 0.5, MAX_BY))
    assert down == -up


def test_the_order_is_that_of_the_query_blended_with_the_taste() -> None:
    generator = np.random.default_rng(1)
    rows = [product(str(row), generator.normal(size=8)) for row in range(30)]
    query = generator.normal(size=8)
    query /= np.linalg.norm(query)
    liked = product("liked", query + 0.3 * generator.normal(size=8))
    weights = TasteWeights(0.05, 0.0)
    vectors = np.stack([row.vector for row in rows])
    sums = vectors @ query + np.asarray(pulls(liking(liked), rows, weights))
    blended = query + 0.05 * (5 / (5 + CONFIDENT)) * liked.vector.astype(np.float64)
    assert np.argsort(-sums).tolist() == np.argsort(-(vectors @ blended)).tolist()


def test_more_interest_counts_more() -> None:
    rows = [product("b", EAST), product("c", NORTH)]
    little, much = (pulls(liking(product("a", EAST), weight=weight), rows, VECTORS_ONLY)[0] for weight in (0.5, 5))
    assert 0 < little < much


def test_a_hidden_product_pushes_its_kind_down() -> None:
    profile = profile_of([(product("a", EAST), -3.0)], ["a"], MODEL)
    down, up = pulls(profile, [product("b", EAST), product("c", NORTH)], VECTORS_ONLY)
    assert down < 0 < up
    assert profile.hidden == ("a",)


def test_likes_and_dislikes_that_cancel_out_leave_no_vector() -> None:
    profile = profile_of([(product("a", EAST), 3.0), (product("b", EAST), -3.0)], [], MODEL)
    assert pulls(profile, [product("c", EAST), product("d", NORTH)], VECTORS_ONLY) == [0.0, 0.0]


@pytest.mark.parametrize(
    ("attribute", "liked", "other"),
    [("gender", "Women", "Men"), ("brand", "Acme", "Other"), ("size", ["S", "M"], "XL"), ("price", 50, 500)],
)
def test_a_product_with_the_liked_attribute_is_pulled_up(attribute: str, liked: object, other: object) -> None:
    profile = liking(product("a", EAST, 0, **{attribute: liked}))
    near, far, unknown = pulls(
        profile,
        [product("b", EAST, 0, **{attribute: liked}), product("c", EAST, 0, **{attribute: other}), product("d", EAST)],
        ATTRIBUTES_ONLY,
    )
    assert far < unknown == 0 < near


def test_gender_and_brand_are_liked_in_every_category_size_and_price_in_their_own() -> None:
    profile = liking(product("a", EAST, category=0, gender="Women", size="S", price=50))
    rows = [product("b", EAST, 1, gender="Women"), product("c", EAST, 1, gender="Men")]
    assert pulls(profile, rows, ATTRIBUTES_ONLY, category=1)[0] > 0
    rows = [product("b", EAST, 1, size="S", price=50), product("c", EAST, 1, size="XL", price=500)]
    assert pulls(profile, rows, ATTRIBUTES_ONLY, category=1) == [0.0, 0.0]


def test_no_pull_is_beyond_the_bound() -> None:
    profile = liking(product("a", EAST, gender="Women"), weight=1e6)
    rows = [product("b", EAST, gender="Women"), *[product(str(row), (-1, 0), gender="Men") for row in range(20)]]
    actual = pulls(profile, rows, TasteWeights(1.0, 0.1))
    assert max(map(abs, actual)) == pytest.approx(MAX_BY)


def test_equal_products_are_not_moved() -> None:
    rows = [product(str(row), EAST, gender="Women", price=10) for row in range(5)]
    assert pulls(liking(rows[0]), rows, TasteWeights(0.3, 0.1)) == pytest.approx([0.0] * 5)


def test_a_product_without_a_vector_of_the_model_does_not_count() -> None:
    profile = profile_of([(product("a", EAST), 5.0)], [], "fashion/9")
    assert profile.is_empty


def test_a_candidate_without_a_vector_is_not_pulled_by_the_vector() -> None:
    collected = liking(product("a", EAST)).pulls(0, np.zeros((2, 2), np.float32), [{}, {}], VECTORS_ONLY)
    assert collected.tolist() == [0.0, 0.0]


def test_no_candidates_have_no_pulls() -> None:
    assert liking(product("a", EAST)).pulls(0, np.zeros((0, 2), np.float32), [], TasteWeights(0.3, 0.1)).shape == (0,)
