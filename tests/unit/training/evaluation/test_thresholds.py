import numpy as np
import pytest

from training.data.split import Split
from training.evaluation.figures import NetworkOutputs
from training.evaluation.retrieval import EmbeddedProducts, unit
from training.evaluation.thresholds import REJECTED_SHARE, rejecting_threshold, thresholds


def test_the_thresholds_reject_the_least_certain_half_per_cent_of_the_validation_part() -> None:
    rng, count = np.random.default_rng(1), 4_000
    certainty = rng.uniform(0.5, 1, count).astype(np.float32)
    probabilities = np.stack([certainty, 1 - certainty], axis=1)
    text = np.array([str(i) for i in range(count)])
    vectors = unit(rng.normal(size=(count, 8)).astype(np.float32))
    products = EmbeddedProducts(text, np.zeros(count, np.int64), text, text, vectors)
    outputs = NetworkOutputs(probabilities, products, 0)
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
