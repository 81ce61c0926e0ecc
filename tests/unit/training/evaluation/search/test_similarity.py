"""The index's similarity, for products whose neighbours are known."""

import numpy as np
import pytest

from services.contracts.domain.similarity import CLOSE
from training.evaluation.search.retrieval import EmbeddedProducts, unit, unlabelled_products
from training.evaluation.search.similarity import similarity
from training.report.sections import similarity_section

DESIGNS = np.random.default_rng(1).normal(size=(2, 12, 32))  # of two categories


def products(count: int, seed: int, spread: float = 0.4, category: int | None = None) -> EmbeddedProducts:
    """Versions of the designs: the design is the article type, its half the colour."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count) if category is None else np.full(count, category)
    designs = rng.integers(0, 12, count)
    vectors = DESIGNS[labels, designs] + spread * rng.normal(size=(count, 32))
    return EmbeddedProducts(
        ids=np.array([f"{seed}-{number}" for number in range(count)]),
        labels=labels,
        article_types=np.array([f"design {design}" for design in designs]),
        base_colours=np.array([f"colour {design % 2}" for design in designs]),
        vectors=unit(vectors.astype(np.float32)),
    )


def test_products_are_close_to_their_like_and_not_to_another_category() -> None:
    gallery = products(600, 1)
    figures = similarity(products(200, 2), gallery, None, ("a", "b", "c"))
    assert figures and figures["close"] == CLOSE
    assert [row["category"] for row in figures["per_category"]] == ["a", "b"]  # c has no product to fit a scale on
    assert [row["products"] for row in figures["per_category"]] == np.bincount(gallery.labels).tolist()
    assert figures["all"]["queries"]["count"] == figures["all"]["others"]["count"] == 200
    assert figures["all"]["queries"]["close"] > 0.9 > 0.1 > figures["all"]["others"]["close"]
    assert figures["all"]["queries"]["first"] > figures["all"]["queries"]["tenth"] > CLOSE
    assert "photos" not in figures["all"]


def test_each_label_has_the_share_of_its_results_that_agree() -> None:
    figures = similarity(products(200, 2, spread=0.9), products(600, 1), None, ("a", "b"))
    assert figures
    labels = {row["label"]: row for row in figures["labels"]}
    assert list(labels) == ["nearly the same", "very alike", "alike", "somewhat alike", "not alike"]
    assert sum(row["share"] for row in labels.values()) == pytest.approx(1)
    assert labels["nearly the same"]["article_type"] is None or labels["nearly the same"]["article_type"] == 1
    assert labels["alike"]["article_type"] > labels["somewhat alike"]["article_type"]
    assert labels["alike"]["both"] == labels["alike"]["article_type"] <= labels["alike"]["base_colour"]


def test_a_product_of_the_gallery_does_not_find_itself() -> None:
    gallery = products(300, 1)
    figures = similarity(gallery, gallery, None, ("a", "b"))
    assert figures and figures["all"]["queries"]["first"] < 0.99


def test_photos_have_a_column_of_their_own() -> None:
    photos = products(30, 3, spread=1.5, category=0)
    unlabelled = unlabelled_products(photos.labels, photos.vectors)
    figures = similarity(products(100, 2), products(600, 1), unlabelled, ("a", "b"))
    assert figures and figures["all"]["photos"]["count"] == 30
    assert figures["all"]["photos"]["close"] < figures["all"]["queries"]["close"]
    assert figures["per_category"][1]["photos"] is None
    section = similarity_section({"similarity": figures})
    assert (
        "| category | fitted on | close from | products | people's photos | products of other categories |" in section
    )
    assert "| nearly the same | 0.95 |" in section
    assert " of 30; " in section


def test_without_enough_products_there_are_no_figures() -> None:
    assert similarity(products(20, 2), products(60, 1, category=1).take(np.arange(40)), None, ("a", "b")) is None
    assert similarity_section({"similarity": None}) == ""
