import numpy as np
import pytest

from training.errors import TrainingError
from training.run.schedule import rate_share, refuse_not_finite


def test_the_rate_rises_then_falls_along_half_a_cosine() -> None:
    shares = [rate_share(step, 10, 100) for step in range(100)]
    assert shares[:10] == pytest.approx([(i + 1) / 10 for i in range(10)])
    assert shares[55] == pytest.approx(0.5)
    assert min(shares) == shares[-1] == 0.01


@pytest.mark.parametrize("loss", [np.nan, np.inf])
def test_a_loss_that_is_not_a_number_is_refused_with_its_place(loss: float) -> None:
    refuse_not_finite(np.array([0.5, 1.0]), "step 6")
    with pytest.raises(TrainingError, match="no longer a number in step 7: try another --seed"):
        refuse_not_finite(np.array([0.5, loss]), "step 7")
