import numpy as np
import pytest

from training.evaluation.search.retrieval import EmbeddedProducts, unlabelled_products
from training.evaluation.search.type_agreement import type_agreement

TYPES = {"coat": ("Jackets", "Blazers"), "skirt": ("Skirts",)}


def gallery() -> EmbeddedProducts:
    """Thirty products of two categories: directions 0 to 2 have the types of category 0, 3 that of category 1."""
    kinds = ["Jackets"] * 10 + ["Blazers"] * 5 + ["Tshirts"] * 10 + ["Skirts"] * 5
    directions = np.repeat([0, 1, 2, 3], [10, 5, 10, 5])
    labels = np.where(directions == 3, 1, 0)
    ids = np.array([str(place) for place in range(30)])
    return EmbeddedProducts(ids, labels, np.array(kinds), ids, np.eye(4, dtype=np.float32)[directions])


def test_the_share_of_allowed_types_is_the_mean_of_the_labels() -> None:
    directions = [0, 2, 3]
    photos = unlabelled_products(np.array([0, 0, 1]), np.eye(4, dtype=np.float32)[directions])
    figures = type_agreement(np.array(["coat", "coat", "skirt"]), photos, gallery(), TYPES)
    assert figures
    coat, skirt = figures["per_label"]
    assert (coat["label"], coat["count"], coat["agreement"]) == ("coat", 2, pytest.approx((1.0 + 0.0) / 2))
    assert coat["chance"] == pytest.approx(15 / 25)
    assert (skirt["agreement"], skirt["chance"]) == (1.0, 1.0)
    assert figures["mean"] == pytest.approx((0.5 + 1) / 2)
    assert (figures["overall"], figures["count"]) == (pytest.approx(2 / 3), 3)


def test_a_photo_in_a_wrong_or_empty_category_finds_nothing_that_agrees() -> None:
    photos = unlabelled_products(np.array([1, 7]), np.eye(4, dtype=np.float32)[[0, 0]])
    figures = type_agreement(np.array(["coat", "coat"]), photos, gallery(), TYPES)
    assert figures and figures["mean"] == 0


def test_labels_without_types_are_left_out() -> None:
    photos = unlabelled_products(np.array([0]), np.eye(4, dtype=np.float32)[[0]])
    assert type_agreement(np.array(["scarf"]), photos, gallery(), TYPES) is None
