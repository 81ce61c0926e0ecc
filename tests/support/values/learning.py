"""Searches of a log for tests of the learned order."""

from collections.abc import Sequence
from typing import Any

from services.catalogue.learning.candidates import LoggedCandidate
from services.catalogue.learning.click_table import ClickTable
from services.catalogue.learning.learned_order import LearnedOrder
from services.catalogue.learning.search_log import LoggedSearch, Shown
from services.catalogue.learning.signals import SIGNALS
from services.catalogue.learning.trees import Trees

DAY = 739_000


def candidate(key: str, score: float = 0.9, **attributes: Any) -> LoggedCandidate:
    """Return a product near a query."""
    return LoggedCandidate(key, score, attributes)


def search(
    keys: Sequence[str], clicked: Sequence[str] = (), *, day: int = DAY, cluster: str = "Topwear", first: int = 1
) -> LoggedSearch:
    """Return a page that shows products from position `first` on, and clicks on some of them."""
    shown = tuple(
        Shown(candidate(key, 1 - position / 100), position, float(key in clicked))
        for position, key in enumerate(keys, first)
    )
    return LoggedSearch("/".join((str(day), *keys)), day, None, cluster, shown)


def order_by(signal: str, clicked: str = "b") -> LearnedOrder:
    """Return an order of one tree: products with more than 0 of a signal come first. One product is always clicked."""
    table = ClickTable()
    for _ in range(30):
        table.add(search(["a", clicked, "c"], [clicked]), (1.0,))
    stump: dict[str, Any] = {
        "roots": [0],
        "signal": [list(SIGNALS).index(signal), 0, 0],
        "threshold": [0.0, 0.0, 0.0],
        "missing_left": [True] * 3,
        "left": [1, 1, 2],
        "right": [2, 1, 2],
        "value": [0.0, -1.0, 1.0],
        "depth": 1,
    }
    return LearnedOrder(Trees.from_dict(stump, len(SIGNALS)), table)
