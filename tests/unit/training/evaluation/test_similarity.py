"""What the index's similarity says, on products of which it is known what is near what."""

import numpy as np
import pytest

from services.contracts.domain.similarity import CLOSE
from training.evaluation.retrieval import Embedded, of_nothing_known, unit
from training.evaluation.similarity import similarity
from training.report.sections import alike

DESIGNS = np.random.default_rng(1).normal(size=(2, 12, 32))  # of two categories


def products(count: int, seed: int, spread: float = 0.4, category: int | None = None) -> Embedded:
    """Versions of the designs: the design is the article type, its half the colour."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count) if category is None else np.full(count, category)
    designs = rng.integers(0, 12, count)
    vectors = DESIGNS[labels, designs] + spread * rng.normal(size=(count, 32))
    return Embedded(
        ids=np.array([f"{seed}-{number}" for number in range(count)]),
        labels=labels,
        article_types=np.array([f"design {design}" for design in designs]),
        base_colours=np.array([f"colour {design % 2}" for design in designs]),
        vectors=unit(vectors.astype(np.float32)),
    )


def test_products_are_close_to_their_like_and_not_to_another_category() -> None:
    gallery = products(600, 1)
    found = similarity(products(200, 2), gallery, None, ("a", "b", "c"))
    assert found and found["close"] == CLOSE
    assert [one["category"] for one in found["per_category"]] == ["a", "b"]  # c has no product to fit a scale on
    assert [one["products"] for one in found["per_category"]] == np.bincount(gallery.labels).tolist()
    assert found["all"]["queries"]["count"] == found["all"]["others"]["count"] == 200
    assert found["all"]["queries"]["close"] > 0.9 > 0.1 > found["all"]["others"]["close"]
    assert found["all"]["queries"]["first"] > found["all"]["queries"]["tenth"] > CLOSE
    assert "photos" not in found["all"]


def test_each_word_says_how_many_of_its_results_agree() -> None:
    found = similarity(products(200, 2, spread=0.9), products(600, 1), None, ("a", "b"))
    assert found
    words = {one["label"]: one for one in found["labels"]}
    assert list(words) == ["nearly the same", "very alike", "alike", "somewhat alike", "not alike"]
    assert sum(one["share"] for one in words.values()) == pytest.approx(1)
    assert words["nearly the same"]["article_type"] is None or words["nearly the same"]["article_type"] == 1
    assert words["alike"]["article_type"] > words["somewhat alike"]["article_type"]
    assert words["alike"]["both"] == words["alike"]["article_type"] <= words["alike"]["base_colour"]


def test_a_product_of_the_gallery_does_not_find_itself() -> None:
    gallery = products(300, 1)
    found = similarity(gallery, gallery, None, ("a", "b"))
    assert found and found["all"]["queries"]["first"] < 0.99


def test_photos_stand_in_a_column_of_their_own() -> None:
    photos = products(30, 3, spread=1.5, category=0)
    shown = of_nothing_known(photos.labels, photos.vectors)
    found = similarity(products(100, 2), products(600, 1), shown, ("a", "b"))
    assert found and found["all"]["photos"]["count"] == 30
    assert found["all"]["photos"]["close"] < found["all"]["queries"]["close"]
    assert found["per_category"][1]["photos"] is None
    told = alike({"similarity": found})
    assert "| category | fitted on | close from | products | people's photos | products of other categories |" in told
    assert "| nearly the same | 0.95 |" in told
    assert " of 30; " in told


def test_without_enough_products_there_is_nothing_to_say() -> None:
    assert similarity(products(20, 2), products(60, 1, category=1).take(np.arange(40)), None, ("a", "b")) is None
    assert alike({"similarity": None}) == ""
