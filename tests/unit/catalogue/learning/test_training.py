"""Learning on the simulated shop, whose shoppers' wishes are known."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pytest

from services.catalogue.learning.learned_order import LearnedOrder
from services.catalogue.learning.replay import Interval, intervals, ndcg
from services.catalogue.learning.search_log import LoggedSearch
from services.catalogue.learning.training import (
    LearningOptions,
    LearningReport,
    NotEnoughEvents,
    learn,
    propensities_of,
)
from tests.simulated_shop.catalogue import NAMES
from tests.simulated_shop.shop import PAGE, Behaviour, Search, SimulatedShop
from tests.support.values.learning import search

BOUND = 0.1
OPTIONS = LearningOptions(held_out_days=5, bound=BOUND)
Learned = tuple[LearnedOrder, LearningReport, list[Search]]


def learned(behaviour: Behaviour, options: LearningOptions = OPTIONS) -> Learned:
    """Return an order that is learned from a shop's log, its report, and searches of the next days."""
    shop = SimulatedShop(seed=3, products=200, shoppers=100, behaviour=behaviour)
    log = [search.logged() for search in shop.days(20, 150)]
    order, report = learn(log, options)
    return order, report, list(shop.days(2, 150))


@pytest.fixture(scope="module")
def with_tastes() -> Learned:
    return learned(Behaviour(appeal=1.6))


def true_gain(order: LearnedOrder, searches: Sequence[Search]) -> Interval:
    """Return the gain in NDCG@10 by the probabilities with which shoppers like the products."""
    gains = []
    for each in searches:
        places = order.order(each.products, NAMES[each.category], each.day, BOUND)
        new, plain = (ndcg(each.appeal[list(page[:PAGE])], each.appeal) for page in (places, range(PAGE)))
        gains.append((new - plain,))
    values = np.asarray(gains)
    return intervals(values, np.ones_like(values), [search.shopper.name for search in searches], seed=1)[0]


def test_the_learned_order_shows_more_products_that_shoppers_like(with_tastes: Learned) -> None:
    order, report, searches = with_tastes
    assert true_gain(order, searches).low > 0.03
    assert report.comparison.gain.is_gain
    assert report.comparison.clicks_gain.is_gain


def test_the_report_names_the_days_and_the_searches(with_tastes: Learned) -> None:
    _, report, _ = with_tastes
    assert (report.first_day, report.held_out_from, report.last_day) == ("2026-03-01", "2026-03-16", "2026-03-20")
    assert (report.searches, report.comparison.searches) == (20 * 150, 5 * 150)
    assert 0 < report.comparison.clicked < report.clicked < report.searches
    assert report.propensities[0] == 1
    assert 0.05 <= report.propensities[9] < report.propensities[1] < 1


def test_the_table_that_searches_use_knows_the_whole_log(with_tastes: Learned) -> None:
    order, _, _ = with_tastes
    assert order.table.last_day - order.table.first_day == 19


def test_random_clicks_teach_nothing() -> None:
    order, report, searches = learned(Behaviour(random=True))
    assert not report.comparison.gain.is_gain
    assert true_gain(order, searches).mean == 0  # to these shoppers, all orders are the same


def test_without_debiasing_shoppers_look_at_all_positions_alike() -> None:
    pages = [search(["a", "b"], ["a"], day=739_000 + number) for number in range(20)]
    assert propensities_of(pages, LearningOptions(debias=False)) == (1.0,)
    assert len(propensities_of(pages, LearningOptions())) > 1


def test_the_same_log_gives_the_same_order() -> None:
    small = [
        search(["a", "b", "c"], ["b" if number % 3 else "c"], day=739_000 + number // 60) for number in range(1200)
    ]
    first, second = (learn(small, OPTIONS)[0].to_bytes() for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("log", "text"),
    [
        ([], "nothing to learn from"),
        ([search(["a", "b"])], "0 searches with a click before the held-out days"),
        ([search(["a", "b"], ["a"], day=739_000 + n % 2 * 9) for n in range(150)], "75 searches"),
        ([search(["a"], ["a"], day=739_000 + n % 2 * 9) for n in range(300)], "nothing to compare"),
        ([search(["a", "b"], ["a"], day=739_000 + n % 2 * 9, first=11) for n in range(300)], "0 searches"),
    ],
)
def test_a_log_that_is_too_small_is_refused(log: list[LoggedSearch], text: str) -> None:
    with pytest.raises(NotEnoughEvents, match=text):
        learn(log, OPTIONS)


def test_the_trees_are_those_of_the_page_about_learning(with_tastes: Learned) -> None:
    trees = with_tastes[0].trees
    is_leaf = trees.left == np.arange(len(trees.left))
    sizes = np.diff([*trees.roots, len(is_leaf)])
    leaves = [int(is_leaf[root : root + size].sum()) for root, size in zip(trees.roots, sizes, strict=True)]
    assert (len(leaves), max(leaves), trees.depth) == (100, 15, 5)


@pytest.mark.parametrize(("clicked", "is_enough"), [(99, False), (100, True)])
@pytest.mark.parametrize("part", ["before the held-out days", "in the last 5 days"])
def test_a_hundred_searches_with_clicks_are_needed_before_and_in_the_held_out_days(
    part: str, clicked: int, is_enough: bool
) -> None:
    of_parts = {"before the held-out days": (0, 4), "in the last 5 days": (5, 9)}
    log = [
        search(["a", "b", str(n)], ["a"], day=739_000 + day)
        for name, days in of_parts.items()
        for day in days
        for n in range((clicked if name == part else 200) // 2 + (day == 4 or day == 9) * (clicked % 2))
    ]
    if is_enough:
        _, report = learn(log, OPTIONS)
        assert (report.searches, report.clicked, report.held_out_from) == (300, 300, _day(5))
    else:
        with pytest.raises(NotEnoughEvents, match=f"99 searches with a click {part}: at least 100 are needed"):
            learn(log, OPTIONS)


def _day(number: int) -> str:
    return date.fromordinal(739_000 + number).isoformat()
