import numpy as np
import pytest

from training.data.split import Split
from training.evaluation.figures import Answers
from training.evaluation.retrieval import Embedded, unit
from training.evaluation.thresholds import TURNED_AWAY, against_nothing, thresholds


def test_the_thresholds_turn_away_the_least_certain_half_per_cent_of_the_validation_part() -> None:
    rng, count = np.random.default_rng(1), 4_000
    sure = rng.uniform(0.5, 1, count).astype(np.float32)
    probabilities = np.stack([sure, 1 - sure], axis=1)
    text = np.array([str(i) for i in range(count)])
    vectors = unit(rng.normal(size=(count, 8)).astype(np.float32))
    said = Answers(probabilities, Embedded(text, np.zeros(count, np.int64), text, text, vectors), 0)
    parts = Split(np.arange(2_000), np.arange(2_000, 4_000), np.arange(0))
    found = thresholds(said, parts)
    assert (sure[2_000:] < found["no_clothing"]).mean() == pytest.approx(TURNED_AWAY, abs=0.002)
    best = (vectors[2_000:] @ vectors[:2_000].T).max(axis=1)
    assert (best < found["no_close_match"]).mean() == pytest.approx(TURNED_AWAY, abs=0.002)


def test_against_pictures_without_clothing_the_threshold_refuses_nine_in_ten() -> None:
    scores = np.linspace(0, 1, 1001, dtype=np.float32)
    assert against_nothing({"drawn": scores}) == pytest.approx(0.9, abs=0.002)
    assert against_nothing({"drawn": scores / 10, "photos": scores / 2}) == pytest.approx(0.45, abs=0.002)
