import numpy as np
import pytest

from training.evaluation.calibration import calibration
from training.recipes.fashion.temperature import fitted_temperature, probabilities


def drawn(certainty: float, count: int = 3_000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    ten = rng.normal(0, 2, (count, 10)).astype(np.float32)
    said = probabilities(ten, 1.0).astype(float)
    labels = np.array([rng.choice(9, p=row / row.sum()) for row in said])
    return certainty * ten, labels


@pytest.mark.parametrize("certainty", [0.6, 1.8])
def test_false_certainty_is_undone(certainty: float) -> None:
    found = fitted_temperature([drawn(certainty)])
    assert found == pytest.approx(certainty, rel=0.1)
    ten, labels = drawn(certainty)
    assert calibration(probabilities(ten, found), labels)["ece"] < 0.03


def test_a_temperature_that_mends_nothing_is_left_at_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.recipes.fashion.temperature._error", lambda sets, temperature: 0.01)
    assert fitted_temperature([drawn(1.8)]) == 1


def test_nine_probabilities_add_up_to_one_at_any_temperature() -> None:
    ten, _ = drawn(1.0, 20)
    for temperature in (0.5, 1.0, 3.0):
        np.testing.assert_allclose(probabilities(ten, temperature).sum(axis=1), 1, atol=1e-5)
