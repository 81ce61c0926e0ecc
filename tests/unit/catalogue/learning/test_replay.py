import numpy as np
import pytest

from services.catalogue.learning.examples import TrainingExamples
from services.catalogue.learning.replay import Interval, OrderComparison, compare, dcg, intervals, ndcg
from services.catalogue.learning.signals import SIGNALS

HALF = (1.0, 0.5, 0.5)


def pages(*gains: tuple[float, ...], scores: tuple[float, ...] = (0.9, 0.8, 0.7)) -> TrainingExamples:
    """Return pages of three products each, with these gains; the signal `age` marks the third one."""
    signals = np.zeros((3 * len(gains), len(SIGNALS)))
    signals[:, 0] = scores * len(gains)
    signals[2::3, list(SIGNALS).index("age")] = 1
    return TrainingExamples(
        signals=signals,
        positions=np.asarray([1, 2, 3] * len(gains)),
        gains=np.asarray(gains).ravel(),
        starts=np.arange(0, 3 * len(gains) + 1, 3),
        visitors=tuple(str(number) for number in range(len(gains))),
        days=np.zeros(len(gains), dtype=np.int64),
    )


def by_age(rows: np.ndarray) -> np.ndarray:
    """Put the third product first."""
    return rows[:, list(SIGNALS).index("age")]


def compared(examples: TrainingExamples, *, bound: float = 1.0) -> OrderComparison:
    result = compare(examples, by_age, HALF, bound, seed=1)
    assert result is not None
    return result


def test_dcg_discounts_by_the_logarithm_of_the_rank() -> None:
    assert dcg(np.array([3.0, 0.0, 1.0])) == 3 + 1 / 2
    assert dcg(np.array([0.0] * 9 + [5.0, 7.0])) == pytest.approx(5 / np.log2(11))


def test_ndcg_is_one_in_the_best_order_and_zero_without_gains() -> None:
    assert ndcg(np.array([2.0, 1.0, 0.0])) == 1
    assert ndcg(np.array([0.0, 1.0])) == pytest.approx(1 / np.log2(3))
    assert ndcg(np.zeros(3)) == 0
    assert ndcg(np.array([1.0]), np.array([2.0, 1.0])) == pytest.approx(1 / (2 + 1 / np.log2(3)))


def test_an_order_gains_where_clicks_are_on_the_products_that_it_puts_first() -> None:
    result = compared(pages((0, 0, 1), (0, 0, 1)))
    assert (result.searches, result.clicked) == (2, 2)
    assert (result.plain.mean, result.learned.mean) == (0.5, 1.0)
    assert (result.gain.mean, result.gain.is_gain) == (0.5, True)


def test_clicks_a_search_are_those_that_positions_let_expect() -> None:
    result = compared(pages((0, 0, 1), (0, 0, 0)))
    assert (result.plain_clicks.mean, result.learned_clicks.mean, result.clicks_gain.mean) == (0.5, 1.0, 0.5)
    assert (result.searches, result.clicked) == (2, 1)


def test_a_click_where_few_look_stands_for_those_who_did_not() -> None:
    top, low = (1, 0, 0), (0, 0, 1)
    result = compared(pages(top, low))
    # The click at position 3 counts twice: plain (1 + 2 · 0.5) / 3, learned (0.63 + 2) / 3.
    assert result.plain.mean == pytest.approx(2 / 3, abs=1e-5)
    assert result.learned.mean == pytest.approx((1 / np.log2(3) + 2) / 3, abs=1e-5)


def test_the_bound_holds_in_the_report_too() -> None:
    assert compared(pages((0, 0, 1)), bound=0.0).gain.mean == 0


def test_there_is_no_comparison_without_clicks() -> None:
    assert compare(pages((0, 0, 0)), by_age, HALF, 1.0, seed=1) is None
    empty = TrainingExamples(
        np.zeros((0, len(SIGNALS))), np.zeros(0, int), np.zeros(0), np.zeros(1, int), (), np.zeros(0, int)
    )
    assert compare(empty, by_age, HALF, 1.0, seed=1) is None


def test_an_interval_contains_the_mean_and_is_wider_if_units_are_drawn_together() -> None:
    generator = np.random.default_rng(1)
    of_visitor = np.repeat(generator.normal(size=50), 20)
    values = (of_visitor + generator.normal(size=1000))[:, None]
    alone = intervals(values, np.ones_like(values), [str(row) for row in range(1000)], 1)[0]
    together = intervals(values, np.ones_like(values), [str(row // 20) for row in range(1000)], 1)[0]
    assert alone.low < alone.mean < alone.high
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_nine_of_ten_intervals_or_more_contain_the_true_mean() -> None:
    generator = np.random.default_rng(2)
    units = [str(row) for row in range(200)]
    held = 0
    for seed in range(40):
        values = generator.normal(size=(200, 1))
        interval = intervals(values, np.ones_like(values), units, seed, resamples=300)[0]
        held += interval.low <= 0 <= interval.high
    assert held >= 36


def test_an_interval_is_as_wide_as_the_errors_of_the_mean_let_expect() -> None:
    values = np.random.default_rng(3).normal(2, 1, (400, 1))
    (interval,) = intervals(values, np.ones_like(values), [str(row) for row in range(400)], 1)
    half = 1.96 * values.std() / 20
    assert interval.mean == round(float(values.mean()), 5)
    assert [interval.low, interval.high] == pytest.approx([values.mean() - half, values.mean() + half], abs=half / 10)


def test_a_mean_is_weighted_and_without_a_spread_its_interval_is_a_point() -> None:
    figures, weights = np.array([[1.0, 2.0], [3.0, 2.0]]), np.array([[1.0, 3.0], [3.0, 3.0]])
    actual = intervals(figures, weights, ["a", "b"], 1)
    assert [(each.mean, each.low, each.high) for each in actual] == [(1.0, 1.0, 1.0), (0.66667, 0.66667, 0.66667)]


def test_a_draw_without_any_weight_does_not_count() -> None:
    figures, weights = np.array([[0.0], [1.0]]), np.array([[0.0], [2.0]])
    (interval,) = intervals(figures, weights, ["a", "b"], 1, resamples=50)
    assert (interval.mean, interval.low, interval.high) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(("low", "is_gain"), [(0.001, True), (0.0, False), (-0.1, False)])
def test_a_gain_lies_above_zero_with_its_whole_interval(low: float, is_gain: bool) -> None:
    assert Interval(0.5, low, 1.0).is_gain is is_gain


def test_a_comparison_as_json_has_a_mean_and_an_interval_of_each_figure() -> None:
    document = compared(pages((0, 0, 1), (0, 0, 1))).to_dict()
    assert document["gain"] == {"mean": 0.5, "low": 0.5, "high": 0.5}
    assert document["plain_clicks"] == {"mean": 1.0, "low": 1.0, "high": 1.0}
    assert document["learned_clicks"] == {"mean": 2.0, "low": 2.0, "high": 2.0}


def test_the_best_order_of_a_page_has_all_its_clicks_first() -> None:
    result = compared(pages((2, 0, 1), (0, 0, 0)))
    # The click at position 3 counts twice: the gains are 2, 0 and 2.
    best = 2 + 2 / np.log2(3)
    assert result.plain.mean == pytest.approx(3 / best, abs=1e-5)
    assert result.learned.mean == pytest.approx(1, abs=1e-5)
    assert (result.searches, result.clicked) == (2, 1)


def test_a_search_whose_click_moves_down_counts_as_one_with_a_click() -> None:
    result = compared(pages((1, 0, 0), (1, 0, 0)))
    assert (result.clicked, result.clicks_gain.mean, result.gain.is_gain) == (2, -0.5, False)
