import numpy as np
import pytest

from training.evaluation.calibration import BINS, best_temperature, calibration, with_temperature


def drawn(count: int, certainty: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities of three classes and labels drawn from them before a sharpening by `certainty`."""
    rng = np.random.default_rng(seed)
    truth = rng.dirichlet(np.ones(3), count).astype(np.float32)
    labels = np.array([rng.choice(3, p=row / row.sum()) for row in truth.astype(float)])
    return with_temperature(truth, 1 / certainty), labels


def test_calibrated_probabilities_have_a_small_error() -> None:
    figures = calibration(*drawn(4_000, 1.0))
    assert figures["ece"] < 0.03
    assert figures["confidence"] == pytest.approx(figures["accuracy"], abs=0.03)
    assert sum(bin_["count"] for bin_ in figures["bins"]) == figures["count"] == 4_000
    assert all(0 <= bin_["from"] < 1 and bin_["count"] for bin_ in figures["bins"])


def test_the_error_is_the_distance_of_confidence_and_accuracy() -> None:
    probabilities = np.array([[0.9, 0.1]] * 4 + [[1.0, 0.0]] * 4, np.float32)
    figures = calibration(probabilities, np.array([0, 0, 1, 1, 0, 0, 0, 0]))
    assert figures["ece"] == pytest.approx((4 * abs(0.9 - 0.5) + 0) / 8, abs=1e-6)
    assert [bin_["from"] for bin_ in figures["bins"]] == [pytest.approx(13 / BINS), pytest.approx(14 / BINS)]


@pytest.mark.parametrize("certainty", [0.5, 1.0, 2.5])
def test_the_best_temperature_undoes_false_certainty(certainty: float) -> None:
    probabilities, labels = drawn(4_000, certainty)
    best = best_temperature(probabilities, labels)
    assert best == pytest.approx(certainty, rel=0.15)
    assert calibration(with_temperature(probabilities, best), labels)["ece"] < 0.04


def test_a_temperature_keeps_the_order_and_the_sum() -> None:
    probabilities, _ = drawn(50, 1.0)
    warm = with_temperature(probabilities, 2.0)
    np.testing.assert_allclose(warm.sum(axis=1), 1, atol=1e-6)
    assert (warm.argmax(axis=1) == probabilities.argmax(axis=1)).all()
    assert (warm.max(axis=1) <= probabilities.max(axis=1) + 1e-6).all()
