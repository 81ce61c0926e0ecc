import numpy as np
import pytest

from services.catalogue.learning.examples import TrainingExamples
from services.catalogue.learning.propensities import FLOOR, START, estimate
from services.catalogue.learning.signals import SIGNALS

PAGES, SHOWN = 6000, 10


def log(true: np.ndarray, *, slope: float, seed: int = 5) -> TrainingExamples:
    """Return pages in the plain order whose clicks follow the position-based model.

    Args:
        true: propensity of each position.
        slope: how much the logarithm of the appeal grows with similarity.
        seed: of the draws.
    """
    generator = np.random.default_rng(seed)
    similarity = -np.sort(-generator.normal(size=(PAGES, SHOWN)), axis=1)
    appeal = 0.15 * np.exp(slope * similarity) / np.exp(slope * similarity).mean()
    clicked = generator.random((PAGES, SHOWN)) < np.minimum(true * appeal, 1)
    signals = np.zeros((PAGES * SHOWN, len(SIGNALS)))
    signals[:, 0] = similarity.ravel()
    signals[:, 1] = np.nan  # a signal that no product has
    return TrainingExamples(
        signals=signals,
        positions=np.tile(np.arange(1, SHOWN + 1), PAGES),
        gains=clicked.ravel().astype(np.float64),
        starts=np.arange(0, PAGES * SHOWN + 1, SHOWN),
        visitors=("v",) * PAGES,
        days=np.zeros(PAGES, dtype=np.int64),
    )


@pytest.mark.parametrize("slope", [0.0, 0.3])
@pytest.mark.parametrize("steepness", [0.0, 0.5, 1.0])
def test_the_propensities_of_the_log_are_found_though_better_products_stand_higher(
    steepness: float, slope: float
) -> None:
    true = np.arange(1, SHOWN + 1) ** -steepness
    asarray = np.asarray(estimate(log(true, slope=slope)))[:SHOWN]
    assert asarray[0] == 1
    assert np.abs(asarray - true).max() < 0.2


def test_the_click_rate_alone_takes_better_products_for_bias() -> None:
    examples = log(np.ones(SHOWN), slope=0.3)
    rates = examples.gains.reshape(PAGES, SHOWN).mean(axis=0)
    assert rates[-1] / rates[0] < 0.6 < estimate(examples)[SHOWN - 1]


def test_no_propensity_is_below_the_floor_or_above_one() -> None:
    values = estimate(log(np.array([0.2, *[1.0] * 4, *[0.0] * 5]), slope=0.0))
    assert min(values) == FLOOR
    assert max(values) == 1.0
    assert values[SHOWN - 1 :] == (FLOOR,) * (len(values) - SHOWN + 1)


def test_a_log_without_clicks_keeps_the_assumption() -> None:
    assert estimate(log(np.zeros(SHOWN), slope=0.0)) == START
