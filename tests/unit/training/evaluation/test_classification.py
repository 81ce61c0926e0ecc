import numpy as np
import pytest

from training.evaluation.classification import classification

NAMES = ("a", "b", "c")


def one_hot(*predicted: int) -> np.ndarray:
    return np.eye(3, dtype=np.float32)[list(predicted)]


def test_accuracy_precision_and_recall_are_those_counted_by_hand() -> None:
    figures = classification(np.array([0, 0, 0, 1, 1]), one_hot(0, 0, 1, 1, 0), NAMES)
    a, b, _ = figures["per_category"]
    assert figures["accuracy"] == pytest.approx(3 / 5)
    assert (a["precision"], a["recall"], a["support"]) == (pytest.approx(2 / 3), pytest.approx(2 / 3), 3)
    assert (b["precision"], b["recall"], b["support"]) == (pytest.approx(1 / 2), pytest.approx(1 / 2), 2)


def test_the_confusion_matrix_has_a_row_per_true_category() -> None:
    figures = classification(np.array([0, 0, 1]), one_hot(0, 2, 1), NAMES)
    assert figures["confusion"] == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_a_category_without_products_and_predictions_has_no_figures() -> None:
    figures = classification(np.array([0, 1]), one_hot(0, 1), NAMES)
    assert figures["per_category"][2] == {"category": "c", "precision": None, "recall": None, "f1": None, "support": 0}
