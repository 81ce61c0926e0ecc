"""The similarity of a score among the products of its category."""

import numpy as np
import pytest

from services.contracts.domain.similarity import CLOSE
from services.engine.category_view import CategoryView, Float32Array
from services.engine.flat_search import FaissFlat
from services.engine.partition import Partition
from services.engine.similarity import (
    ISOLATED_SHARE,
    MAX_SAMPLE,
    MIN_PRODUCTS,
    SimilarityScale,
    calibrate,
    fit_scale,
    scale_from_threshold,
)

RNG = np.random.default_rng(7)
# Forty designs, each in several versions: nearest neighbours are near, any two products are not.
DESIGNS = RNG.standard_normal((40, 16))


def products(count: int, seed: int = 1) -> Float32Array:
    """Unit vectors, shape (count, 16)."""
    rng = np.random.default_rng(seed)
    vectors = DESIGNS[rng.integers(0, len(DESIGNS), count)] + 0.3 * rng.standard_normal((count, 16))
    units: Float32Array = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return units


def view_of(vectors: Float32Array, order: list[int] | None = None, merge_rows: int = 2048) -> CategoryView:
    """A category with products `p0`, `p1`, …, put in this order."""
    partition = Partition(16, FaissFlat, merge_rows)
    for number in order or range(len(vectors)):
        partition.put(f"p{number}", vectors[number], None)
        partition.publish()
    return partition.view


def scale_of(vectors: Float32Array) -> SimilarityScale:
    scale = calibrate(view_of(vectors))
    assert scale
    return scale


def test_a_models_threshold_is_where_a_close_match_begins() -> None:
    scale = scale_from_threshold({"no_close_match": 0.8})
    assert scale
    assert scale.similarities([-1, 0.2, 0.55, 0.8, 0.95, 0.998, 0.9999999, 1]) == [0, 0, 0.25, 0.5, 0.75, 0.95, 1, 1]
    assert scale.close_score == pytest.approx(0.8)


def test_photos_lower_the_score_at_which_a_close_match_begins() -> None:
    lower = scale_from_threshold({"no_close_match": 0.8, "close_photo": 0.7})
    higher = scale_from_threshold({"no_close_match": 0.8, "close_photo": 0.9})
    assert lower and lower.close_score == pytest.approx(0.7)
    assert higher and higher.close_score == pytest.approx(0.8)


@pytest.mark.parametrize(
    "thresholds", [{}, {"no_clothing": 0.5}, {"close_photo": 0.5}, {"no_close_match": -1.0}, {"no_close_match": 1.0}]
)
def test_without_a_usable_threshold_the_model_gives_no_scale(thresholds: dict[str, float]) -> None:
    assert scale_from_threshold(thresholds) is None


def test_a_threshold_may_be_below_0() -> None:
    scale = scale_from_threshold({"no_close_match": -0.5})
    assert scale and scale.close_score == pytest.approx(-0.5)


def test_products_that_are_all_equally_near_are_close_matches() -> None:
    scale = fit_scale(np.full(100, 0.7), np.linspace(0, 0.4, 100))
    assert scale
    assert scale.similarities([0.7, 1.0]) == [0.99, 1]


def test_the_scales_points_are_where_they_are_said_to_be() -> None:
    best, pairs = np.linspace(0.5, 0.9, 401), np.linspace(-0.5, 0.5, 1001)
    scale = fit_scale(best, pairs)
    assert scale
    assert scale.close_score == pytest.approx(0.504)
    assert scale.similarities([-0.9, -0.45, 0.504, 0.702, 0.9, 1]) == pytest.approx(
        [0, 0, 0.5, 0.745, 0.99, 1], abs=0.002
    )


def test_what_any_two_products_have_in_common_is_not_close() -> None:
    """Some products are further from their nearest neighbour than any two products from each other."""
    best = np.concatenate([np.full(10, 0.1), np.linspace(0.7, 0.9, 190)])
    scale = fit_scale(best, np.linspace(0, 0.8, 1001))
    assert scale
    assert scale.close_score == pytest.approx(0.4)


def test_a_close_match_begins_no_later_than_the_model_says_for_photos() -> None:
    best, pairs = np.linspace(0.5, 0.9, 401), np.linspace(-0.5, 0.5, 1001)
    scale, unlimited = fit_scale(best, pairs, 0.3), fit_scale(best, pairs)
    assert scale and unlimited
    assert scale.close_score == pytest.approx(0.3)
    similarities = scale.similarities([-0.6, -0.4, 0.1, 0.3, 0.7, 0.9, 1])
    assert similarities == sorted(similarities) and similarities[0] == 0 and similarities[3] == CLOSE
    higher = fit_scale(best, pairs, 0.9)
    assert higher and higher.close_score == unlimited.close_score
    assert fit_scale(best, pairs, -1.0).close_score == unlimited.close_score  # type: ignore[union-attr]


def test_a_limit_below_any_two_products_still_gives_a_scale() -> None:
    scale = fit_scale(np.linspace(0.9, 0.95, 100), np.linspace(0.7, 0.9, 1001), 0.6)
    assert scale
    assert scale.similarities([0.2, 0.6]) == [0, CLOSE]


def test_pictures_that_are_listed_twice_do_not_set_the_standard() -> None:
    best = np.concatenate([np.ones(1000), np.linspace(0.5, 0.9, 401)])
    pairs = np.linspace(-0.5, 0.5, 1001)
    once, twice = fit_scale(best[1000:], pairs), fit_scale(best, pairs)
    assert once
    assert twice
    assert (once.scores == twice.scores).all()


@pytest.mark.parametrize(
    ("best", "pairs"),
    [
        (np.linspace(0.5, 0.9, MIN_PRODUCTS - 1), np.linspace(0, 0.4, 100)),
        (np.ones(500), np.linspace(0, 0.4, 100)),
        (np.ones(500), np.ones(500)),
        (np.full(100, 0.7), np.full(100, 0.7)),
    ],
    ids=["too few", "only the same pictures", "one picture", "all equally far"],
)
def test_products_that_tell_nothing_give_no_scale(best: np.ndarray, pairs: np.ndarray) -> None:
    assert fit_scale(best, pairs) is None


def test_too_few_products_give_no_scale() -> None:
    assert calibrate(view_of(products(MIN_PRODUCTS - 1))) is None
    assert calibrate(view_of(products(MIN_PRODUCTS))) is not None


def test_the_close_score_is_that_of_brute_force() -> None:
    vectors = products(300)
    scores = vectors.astype(np.float64) @ vectors.T
    np.fill_diagonal(scores, -1)
    expected = max(np.quantile(scores.max(axis=1), ISOLATED_SHARE), np.median(scores[np.triu_indices(300, 1)]))
    assert scale_of(vectors).close_score == pytest.approx(expected, abs=1e-5)


def test_a_scale_does_not_depend_on_the_order_in_which_products_came() -> None:
    vectors = products(2 * MAX_SAMPLE + 200)
    order = np.random.default_rng(2).permutation(len(vectors)).tolist()
    first, other = (calibrate(view) for view in (view_of(vectors), view_of(vectors, order, merge_rows=64)))
    assert first
    assert other
    assert first.scores == pytest.approx(other.scores, abs=1e-9)


def test_the_shops_own_kind_is_close_the_same_picture_is_the_same_and_anything_else_is_not() -> None:
    gallery, alike = products(800, 1), products(200, 2)
    strange = np.random.default_rng(3).standard_normal((200, 16))
    strange = (strange / np.linalg.norm(strange, axis=1, keepdims=True)).astype(np.float32)
    scale = scale_of(gallery)

    def close(queries: Float32Array) -> float:
        return float(np.mean(np.array(scale.similarities((queries @ gallery.T).max(axis=1).tolist())) >= CLOSE))

    assert close(alike) > 0.95
    assert close(strange) < 0.2
    assert scale.similarities([1.0, 0.9999999]) == [1, 1]


def test_more_alike_is_never_worth_less() -> None:
    scale = scale_of(products(500))
    similarities = scale.similarities(np.linspace(-1, 1, 2001).tolist())
    assert similarities == sorted(similarities)
    assert (similarities[0], similarities[-1]) == (0, 1)
    assert similarities[-2] < 1


def test_a_products_own_further_images_are_not_its_neighbours() -> None:
    front, back = products(200, 1), products(200, 2)
    back = (3 * front + back) / np.linalg.norm(3 * front + back, axis=1, keepdims=True)
    partition = Partition(16, FaissFlat)
    for number, images in enumerate(np.stack([front, back], axis=1)):
        partition.put(f"p{number}", images, None)
    partition.publish()
    scores = np.maximum(front @ front.T, front @ back.T)
    np.fill_diagonal(scores, -1)
    scale = calibrate(partition.view)
    assert scale
    assert scale.close_score == pytest.approx(np.quantile(scores.max(axis=1), ISOLATED_SHARE), abs=1e-5)


def test_products_that_are_all_listed_twice_have_the_scale_of_those_listed_once() -> None:
    once = products(300)
    assert scale_of(np.concatenate([once, once])).close_score == pytest.approx(scale_of(once).close_score, abs=0.01)
