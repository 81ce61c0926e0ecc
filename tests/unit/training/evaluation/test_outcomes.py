import numpy as np
import pytest

from services.engine.similarity import scale_from_threshold
from training.evaluation.outcomes import outcomes
from training.evaluation.search.retrieval import EmbeddedProducts

NAMES = np.array(["a", "b"])
GALLERY = EmbeddedProducts(NAMES, np.array([0, 1]), NAMES, NAMES, np.eye(4, dtype=np.float32)[:2])
SCALES = {0: scale_from_threshold({"no_close_match": 0.8}), 1: None}


def shares(probabilities: list[list[float]], vectors: list[list[float]]) -> dict[str, float]:
    return outcomes(np.array(probabilities, np.float32), np.array(vectors, np.float32), GALLERY, SCALES, 0.5)


def test_each_picture_has_the_outcome_of_its_search() -> None:
    close, far = [0.9, 0.0, 0.4359, 0.0], [0.1, 0.0, 0.995, 0.0]
    figures = shares([[0.9, 0.1], [0.8, 0.2], [0.45, 0.4]], [close, far, close])
    assert figures["count"] == 3
    for outcome in ("ok", "no_close_match", "no_clothing"):
        assert figures[outcome] == pytest.approx(1 / 3)


def test_a_category_without_a_scale_has_no_close_match() -> None:
    assert shares([[0.1, 0.9]], [[0.0, 1.0, 0.0, 0.0]])["no_close_match"] == 1
