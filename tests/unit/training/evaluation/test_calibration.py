import numpy as np
import pytest

from training.evaluation.calibration import BINS, best_temperature, calibration, softened


def drawn(count: int, certainty: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities of three classes and labels drawn from them before a sharpening by `certainty`."""
    rng = np.random.default_rng(seed)
    truth = rng.dirichlet(np.ones(3), count).astype(np.float32)
    labels = np.array([rng.choice(3, p=row / row.sum()) for row in truth.astype(float)])
    return softened(truth, 1 / certainty), labels


def test_probabilities_that_say_what_happens_have_a_small_error() -> None:
    figures = calibration(*drawn(4_000, 1.0))
    assert figures["ece"] < 0.03
    assert figures["confidence"] == pytest.approx(figures["accuracy"], abs=0.03)
    assert sum(one["count"] for one in figures["bins"]) == figures["count"] == 4_000
    assert all(0 <= one["from"] < 1 and one["count"] for one in figures["bins"])


def test_the_error_is_the_distance_of_confidence_and_accuracy() -> None:
    probabilities = np.array([[0.9, 0.1]] * 4 + [[1.0, 0.0]] * 4, np.float32)
    figures = calibration(probabilities, np.array([0, 0, 1, 1, 0, 0, 0, 0]))
    assert figures["ece"] == pytest.approx((4 * abs(0.9 - 0.5) + 0) / 8, abs=1e-6)
    assert [one["from"] for one in figures["bins"]] == [pytest.approx(13 / BINS), pytest.approx(14 / BINS)]


@pytest.mark.parametrize("certainty", [0.5, 1.0, 2.5])
def test_the_best_temperature_undoes_false_certainty(certainty: float) -> None:
    said, labels = drawn(4_000, certainty)
    found = best_temperature(said, labels)
    assert found == pytest.approx(certainty, rel=0.15)
    assert calibration(softened(said, found), labels)["ece"] < 0.04


def test_a_temperature_keeps_the_order_and_the_sum() -> None:
    said, _ = drawn(50, 1.0)
    warm = softened(said, 2.0)
    np.testing.assert_allclose(warm.sum(axis=1), 1, atol=1e-6)
    assert (warm.argmax(axis=1) == said.argmax(axis=1)).all()
    assert (warm.max(axis=1) <= said.max(axis=1) + 1e-6).all()
