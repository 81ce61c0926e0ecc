"""Pages of the log as rows of numbers."""

import numpy as np

from services.catalogue.learning.click_table import ClickTable
from services.catalogue.learning.examples import TrainingExamples
from services.catalogue.learning.search_log import LoggedSearch, by_day
from services.catalogue.learning.signals import SIGNALS
from tests.support.values.learning import DAY, search

FIRST = search(["a", "b"], ["b"])
SECOND_PAGE = search(["c"], ["c"], first=11)
NEXT_DAY = search(["b", "a", "c"], ["a"], day=DAY + 1)
CLICK_RATE = list(SIGNALS).index("click_rate")


def test_the_first_pages_are_rows_one_for_each_product() -> None:
    examples = TrainingExamples.of([FIRST, SECOND_PAGE, NEXT_DAY], ClickTable())
    assert examples.pages == 2
    assert [examples.rows(page) for page in range(2)] == [slice(0, 2), slice(2, 5)]
    assert examples.positions.tolist() == [1, 2, 1, 2, 3]
    assert examples.gains.tolist() == [0, 1, 0, 1, 0]
    assert examples.days.tolist() == [DAY, DAY + 1]
    assert examples.signals.shape == (5, len(SIGNALS))
    assert examples.signals[:, 0].tolist() == [0.99, 0.98, 0.99, 0.98, 0.97]


def test_without_pages_there_are_no_rows() -> None:
    for examples in (TrainingExamples.of([], ClickTable()), TrainingExamples.rolling([], ClickTable(), (1.0,))):
        assert (examples.pages, examples.signals.shape, examples.visitors) == (0, (0, len(SIGNALS)), ())


def test_a_search_of_an_unknown_visitor_is_a_visitor_of_its_own() -> None:
    known = LoggedSearch("q1", DAY, "v-1", "Topwear", FIRST.shown)
    assert TrainingExamples.of([known, FIRST], ClickTable()).visitors == ("v-1", FIRST.id)


def test_a_page_has_the_click_rates_of_earlier_days_and_the_table_then_knows_the_whole_log() -> None:
    table = ClickTable()
    examples = TrainingExamples.rolling([NEXT_DAY, SECOND_PAGE, FIRST], table, (1.0,))
    assert examples.days.tolist() == [DAY, DAY + 1]
    of_first, of_next = examples.signals[:2, CLICK_RATE], examples.signals[2:, CLICK_RATE]
    assert of_first.tolist() == [0, 0]
    b, a, c = of_next
    assert a < 0 < b  # of the day before
    assert c > 0  # its click was on a second page
    assert table.total.clicks > 2 and {*table.products} == {"a", "b", "c"}


def test_a_page_begins_with_the_first_result_or_is_a_later_one() -> None:
    assert FIRST.is_first_page and not SECOND_PAGE.is_first_page
    assert not LoggedSearch("q1", DAY, None, "Topwear", ()).is_first_page
    assert LoggedSearch("q1", DAY, None, "Topwear", FIRST.shown[::-1]).is_first_page


def test_the_days_of_a_log_are_in_order_and_so_are_the_searches_of_a_day() -> None:
    later = search(["z"])
    assert list(by_day([NEXT_DAY, later, FIRST])) == [(DAY, [FIRST, later]), (DAY + 1, [NEXT_DAY])]
    assert np.isfinite(FIRST.signals[:, 0]).all()
    assert (FIRST.gain, later.gain) == (1, 0)
