"""The log as tables of numbers: the signals of each product that was shown, as a search of that day has them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.catalogue.learning.click_table import ClickTable
from services.catalogue.learning.query_signals import Float64Array
from services.catalogue.learning.search_log import LoggedSearch, by_day
from services.catalogue.learning.signals import SIGNALS, click_signals

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class TrainingExamples:
    """First pages, one row for each product that was shown.

    Attributes:
        signals: shape (rows, len(SIGNALS)).
        positions: from 1, shape (rows,).
        gains: the worth of what the shopper did, shape (rows,).
        starts: the first row of each page, and the number of rows; shape (pages + 1,).
        visitors: of each page.
        days: of each page, shape (pages,).
    """

    signals: Float64Array
    positions: IntArray
    gains: Float64Array
    starts: IntArray
    visitors: tuple[str, ...]
    days: IntArray

    @property
    def pages(self) -> int:
        """The number of pages."""
        return len(self.starts) - 1

    def rows(self, page: int) -> slice:
        """Return the rows of a page."""
        return slice(int(self.starts[page]), int(self.starts[page + 1]))

    @classmethod
    def of(cls, searches: Sequence[LoggedSearch], table: ClickTable) -> "TrainingExamples":
        """Return the rows of first pages, each with what the table knows."""
        pages = [search for search in searches if search.is_first_page]
        return cls._of_rows(pages, [_signals(search, table) for search in pages])

    @classmethod
    def _of_rows(cls, searches: Sequence[LoggedSearch], rows: Sequence[Float64Array]) -> "TrainingExamples":
        shown = [shown for search in searches for shown in search.shown]
        return cls(
            signals=np.concatenate(rows) if rows else np.zeros((0, len(SIGNALS))),
            positions=np.asarray([product.position for product in shown], dtype=np.int64),
            gains=np.asarray([product.gain for product in shown], dtype=np.float64),
            starts=np.cumsum([0, *(len(search.shown) for search in searches)], dtype=np.int64),
            visitors=tuple(search.visitor or search.id for search in searches),
            days=np.asarray([search.day for search in searches], dtype=np.int64),
        )

    @classmethod
    def rolling(
        cls, searches: Sequence[LoggedSearch], table: ClickTable, propensities: Sequence[float]
    ) -> "TrainingExamples":
        """Return the rows of a log, each with what earlier days said; `table` then knows the whole log.

        The click rates of a page never contain its own clicks: a model would learn to repeat them, noise included.
        """
        kept: list[LoggedSearch] = []
        rows: list[Float64Array] = []
        for _, searches_of_day in by_day(searches):
            first_pages = [search for search in searches_of_day if search.is_first_page]
            kept += first_pages
            rows += [_signals(search, table) for search in first_pages]
            for search in searches_of_day:
                table.add(search, propensities)
        return cls._of_rows(kept, rows)


def _signals(search: LoggedSearch, table: ClickTable) -> Float64Array:
    keys = [shown.candidate.id for shown in search.shown]
    return np.hstack((search.signals, click_signals(keys, table, search.cluster, search.day)))
