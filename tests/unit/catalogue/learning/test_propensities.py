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
    values = estimate(rows((1, 0.5, 100, 20), (2, 0.5, 100, 40), (3, 0.5, 100, 2), (4, 0.5, 100, 0)))
    assert values[:4] == pytest.approx([1.0, 1.0, 0.1, FLOOR], rel=1e-4)
    assert values[4:] == (FLOOR,) * 16
    assert estimate(rows((1, 0.5, 1000, 500), (2, 0.5, 1000, 24)))[1] == 0.05


def test_a_log_without_clicks_keeps_the_assumption() -> None:
    assert estimate(log(np.zeros(SHOWN), slope=0.0)) == START


def rows(*groups: tuple[int, float, int, int]) -> TrainingExamples:
    """Return pages of one product each, from groups of (position, similarity, pages, clicks); NaN: not known."""
    count = sum(pages for _, _, pages, _ in groups)
    signals = np.zeros((count, len(SIGNALS)))
    signals[:, 0] = np.concatenate([np.full(pages, similarity) for _, similarity, pages, _ in groups])
    return TrainingExamples(
        signals=signals,
        positions=np.concatenate([np.full(pages, position) for position, _, pages, _ in groups]),
        gains=np.concatenate([np.arange(pages) < clicks for *_, pages, clicks in groups]) * 1.0,
        starts=np.arange(count + 1),
        visitors=("v",) * count,
        days=np.zeros(count, dtype=np.int64),
    )


def test_if_all_products_are_alike_the_propensities_are_the_click_rates_over_that_of_the_first_position() -> None:
    values = estimate(rows((1, 0.5, 100, 40), (2, 0.5, 100, 30), (3, 0.5, 200, 20), (6, 0.5, 100, 10)))
    expected = [1.0, 0.75, 0.25, 0.25, 0.25, 0.25]  # nobody saw positions 4 and 5: they have that of position 3
    assert values[:6] == pytest.approx(expected, rel=1e-4)


def test_positions_behind_the_twentieth_share_its_propensity() -> None:
    values = estimate(rows((1, 0.5, 100, 40), (20, 0.5, 100, 30), (21, 0.5, 50, 5), (40, 0.5, 50, 5)))
    assert len(values) == 20
    assert values[18:] == pytest.approx([1.0, 0.5], rel=1e-4)
    assert (START[0], START[3], len(START)) == (1.0, 0.5, 20)


def test_the_estimate_is_the_maximum_of_the_penalised_likelihood() -> None:
    groups = [
        (1, 3.0, 40, 18),
        (1, 1.0, 10, 2),
        (2, 3.0, 15, 4),
        (2, 1.0, 35, 3),
        (2, np.nan, 10, 2),
        (1, np.nan, 10, 1),
    ]
    position, similarity, pages, clicks = (np.array(column, float) for column in zip(*groups, strict=True))
    known = ~np.isnan(similarity)
    mean = np.average(similarity[known], weights=pages[known])
    deviation = np.sqrt(np.average((similarity[known] - mean) ** 2, weights=pages[known]))
    signal = np.where(known, (similarity - mean) / deviation, 0.0)

    def bias(place: int, slope: float) -> float:
        of_place = position == place
        return float(np.log(clicks[of_place].sum() / (pages * np.exp(slope * signal))[of_place].sum()))

    low, high = -5.0, 5.0  # the derivative by the slope falls from above zero to below
    for _ in range(60):
        slope = (low + high) / 2
        expected = pages * np.exp(np.where(position == 1, bias(1, slope), bias(2, slope)) + slope * signal)
        low, high = (slope, high) if ((clicks - expected) * signal).sum() - slope > 0 else (low, slope)
    actual = estimate(rows(*groups))[1]
    assert actual == pytest.approx(np.exp(bias(2, slope) - bias(1, slope)), rel=1e-4)
    assert actual != pytest.approx(9 / 60 / (21 / 60), rel=0.05)  # the ratio of the click rates


def test_the_latest_fifty_thousand_pages_count() -> None:
    old = (1, 0.5, 1, 1)
    assert estimate(rows(old, (1, 0.5, 50_000, 0))) == START
    assert estimate(rows(old, (1, 0.5, 49_999, 0))) != START
