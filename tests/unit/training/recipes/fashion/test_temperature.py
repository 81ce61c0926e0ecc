import numpy as np
import pytest

from training.evaluation.calibration import calibration
from training.networks.fashion import NONE_CLASSES
from training.recipes.fashion.temperature import fitted_temperature, probabilities


def drawn(certainty: float, count: int = 3_000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 2, (count, 9 + NONE_CLASSES)).astype(np.float32)
    predicted = probabilities(logits, 1.0).astype(float)
    labels = np.array([rng.choice(9, p=row / row.sum()) for row in predicted])
    return certainty * logits, labels


@pytest.mark.parametrize("certainty", [0.6, 1.8])
def test_a_wrong_certainty_is_corrected(certainty: float) -> None:
    temperature = fitted_temperature([drawn(certainty)])
    assert temperature == pytest.approx(certainty, rel=0.1)
    logits, labels = drawn(certainty)
    assert calibration(probabilities(logits, temperature), labels)["ece"] < 0.04


def test_without_a_smaller_error_the_temperature_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.recipes.fashion.temperature._error", lambda sets, temperature: 0.01)
    assert fitted_temperature([drawn(1.8)]) == 1


def test_nine_probabilities_add_up_to_one_at_any_temperature() -> None:
    logits, _ = drawn(1.0, 20)
    for temperature in (0.5, 1.0, 3.0):
        np.testing.assert_allclose(probabilities(logits, temperature).sum(axis=1), 1, atol=1e-5)
