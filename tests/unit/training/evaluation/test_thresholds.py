import numpy as np
import pytest

from training.data.split import Split
from training.evaluation.figures import EvaluationOutputs
from training.evaluation.search.retrieval import EmbeddedProducts, unit
from training.evaluation.thresholds import (
    REJECTED_SHARE,
    close_photo_threshold,
    keeping_threshold,
    rejecting_threshold,
    thresholds,
)


def test_the_thresholds_reject_the_least_certain_half_per_cent_of_the_validation_part() -> None:
    rng, count = np.random.default_rng(1), 4_000
    certainty = rng.uniform(0.5, 1, count).astype(np.float32)
    probabilities = np.stack([certainty, 1 - certainty], axis=1)
    text = np.array([str(i) for i in range(count)])
    vectors = unit(rng.normal(size=(count, 8)).astype(np.float32))
    products = EmbeddedProducts(text, np.zeros(count, np.int64), text, text, vectors)
    outputs = EvaluationOutputs(probabilities, products, 0)
    parts = Split(np.arange(2_000), np.arange(2_000, 4_000), np.arange(0))
    fitted = thresholds(outputs, parts)
    assert (certainty[2_000:] < fitted["no_clothing"]).mean() == pytest.approx(REJECTED_SHARE, abs=0.002)
    best = (vectors[2_000:] @ vectors[:2_000].T).max(axis=1)
    assert (best < fitted["no_close_match"]).mean() == pytest.approx(REJECTED_SHARE, abs=0.002)


def test_against_pictures_without_clothing_the_threshold_rejects_nine_in_ten() -> None:
    scores = np.linspace(0, 1, 1001, dtype=np.float32)
    assert rejecting_threshold({"drawn": scores}) == pytest.approx(0.9, abs=0.002)
    assert rejecting_threshold({"drawn": scores / np.float32(10), "photos": scores / np.float32(2)}) == pytest.approx(
        0.45, abs=0.002
    )


def test_the_threshold_keeps_nearly_all_photos_of_clothing() -> None:
    clothing, scores = np.linspace(0.4, 1, 1001, dtype=np.float32), np.linspace(0, 1, 1001, dtype=np.float32)
    assert (clothing >= keeping_threshold(clothing, {"pictures": scores})).mean() == pytest.approx(0.98, abs=0.003)


def test_the_threshold_is_not_higher_than_pictures_without_clothing_need() -> None:
    clothing, scores = np.linspace(0.8, 1, 101, dtype=np.float32), np.linspace(0, 0.3, 1001, dtype=np.float32)
    assert keeping_threshold(clothing, {"pictures": scores}) == pytest.approx(0.297, abs=0.002)
    assert keeping_threshold(clothing, {"drawn": scores}) > 0.8  # drawn patterns are below any threshold


def test_most_photos_reach_the_score_of_a_close_match() -> None:
    photos = np.linspace(0.5, 1, 1001, dtype=np.float32)
    assert close_photo_threshold(photos, np.zeros(50, np.float32)) == pytest.approx(0.54, abs=0.002)
    assert close_photo_threshold(photos, np.zeros(0, np.float32)) == pytest.approx(0.54, abs=0.002)


def test_few_products_of_other_categories_reach_it() -> None:
    photos, others = np.linspace(0.5, 1, 1001, dtype=np.float32), np.linspace(0, 0.8, 1001, dtype=np.float32)
    assert (others >= close_photo_threshold(photos, others)).mean() == pytest.approx(0.03, abs=0.003)
