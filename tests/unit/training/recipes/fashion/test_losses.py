import numpy as np
import pytest

from training.recipes.fashion.losses import (
    ShownProducts,
    aligned,
    allowed_cross_entropy,
    masked_cross_entropy,
    same_product,
)


def _products(ids: list[int], categories: list[int] | None = None) -> ShownProducts:
    return ShownProducts(np.array(ids), np.array(categories or [0] * len(ids)))


LOGITS = np.log(np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]], np.float32))


def test_the_cross_entropy_is_the_mean_over_known_classes() -> None:
    assert float(masked_cross_entropy(LOGITS, np.array([0, 1]))) == pytest.approx(-np.log([0.7, 0.6]).mean(), rel=1e-5)
    assert float(masked_cross_entropy(LOGITS, np.array([-1, 2]))) == pytest.approx(-np.log(0.3), rel=1e-5)
    assert float(masked_cross_entropy(LOGITS, np.array([-1, -1]))) == 0


def test_smoothing_spreads_a_share_of_the_target_over_all_classes() -> None:
    expected = -(0.9 * np.log(0.7) + 0.1 * np.log([0.7, 0.2, 0.1]).mean())
    assert float(masked_cross_entropy(LOGITS[:1], np.array([0]), 0.1)) == pytest.approx(expected, rel=1e-5)


ALLOWED = np.array([[True, False, False], [False, True, True]])  # the class itself, and a label that allows two


def test_a_label_that_allows_several_classes_has_the_sum_of_their_probabilities() -> None:
    loss = float(allowed_cross_entropy(LOGITS, np.array([1, 1]), ALLOWED))
    assert loss == pytest.approx(-np.log([0.3, 0.9]).mean(), rel=1e-5)
    assert float(allowed_cross_entropy(LOGITS, np.array([-1, 1]), ALLOWED)) == pytest.approx(-np.log(0.9), rel=1e-5)
    assert float(allowed_cross_entropy(LOGITS, np.array([-1, -1]), ALLOWED)) == 0


def test_only_labels_of_one_class_are_smoothed() -> None:
    expected = -(0.9 * np.log(0.7) + 0.1 * np.log([0.7, 0.2, 0.1]).mean())
    assert float(allowed_cross_entropy(LOGITS[:1], np.array([0]), ALLOWED, 0.1)) == pytest.approx(expected, rel=1e-5)
    assert float(allowed_cross_entropy(LOGITS[:1], np.array([1]), ALLOWED, 0.1)) == pytest.approx(
        -np.log(0.3), rel=1e-5
    )


def test_queries_are_aligned_with_their_own_place_in_the_gallery() -> None:
    gallery = np.eye(3, dtype=np.float32)
    assert float(aligned(gallery[:2], gallery)) == pytest.approx(0)
    assert float(aligned(gallery[1:], gallery)) == pytest.approx(1)


def test_the_same_product_is_found_among_others() -> None:
    gallery = np.eye(4, dtype=np.float32)
    queries = np.array([[0.8, 0.6, 0, 0], [0, 1, 0, 0]], np.float32)
    query_products, gallery_products = _products([10, 11]), _products([10, 11, 12, 13])
    logits = queries @ gallery.T / 0.5
    expected = np.mean([np.log(np.exp(row).sum()) - row[i] for i, row in enumerate(logits)])
    assert float(same_product(queries, gallery, query_products, gallery_products, 0.5)) == pytest.approx(
        expected, rel=1e-5
    )


def test_other_vectors_of_the_same_product_and_empty_places_do_not_count_against_it() -> None:
    gallery = np.eye(4, dtype=np.float32)
    queries, query_products = gallery[:1], _products([10])
    alone = float(same_product(queries, gallery[:2], query_products, _products([10, 11]), 0.5))
    with_more = float(same_product(queries, gallery, query_products, _products([10, 11, 10, -1]), 0.5))
    assert with_more == pytest.approx(alone, rel=1e-5)


def test_products_of_another_category_do_not_count_against_it() -> None:
    gallery = np.eye(3, dtype=np.float32)
    alone = float(same_product(gallery[:1], gallery[:2], _products([10]), _products([10, 11]), 0.5))
    with_others = float(same_product(gallery[:1], gallery, _products([10]), _products([10, 11, 12], [0, 0, 4]), 0.5))
    assert with_others == pytest.approx(alone, rel=1e-5)
