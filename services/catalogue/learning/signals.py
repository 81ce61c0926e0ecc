"""The numbers by which the learned order compares products. Training and searches compute them here."""

import math
from collections.abc import Sequence

import numpy as np

from services.catalogue.learning.candidates import NearProduct
from services.catalogue.learning.click_table import ClickTable
from services.catalogue.learning.query_signals import QUERY_SIGNALS, Float64Array, query_signals

CLICK_SIGNALS: dict[str, int] = {
    "click_rate": 1,
    "examinations": 0,
    "near_click_rate": 1,
    "near_examinations": 0,
    "age": 0,
}
# name → whether more of it may only raise (1) or only lower (-1) a product; 0: either
SIGNALS: dict[str, int] = QUERY_SIGNALS | CLICK_SIGNALS
MAX_AGE_DAYS = 90


def signals(candidates: Sequence[NearProduct], table: ClickTable, cluster: str, day: int) -> Float64Array:
    """Return the signals of a search's candidates, shape (candidates, len(SIGNALS)).

    Args:
        candidates: at least one.
        table: what clicks say.
        cluster: the search's neighbourhood.
        day: of the search.
    """
    keys = [candidate.id for candidate in candidates]
    return np.hstack((query_signals(candidates), click_signals(keys, table, cluster, day)))


def click_signals(keys: Sequence[str], table: ClickTable, cluster: str, day: int) -> Float64Array:
    """Return what clicks say about products, shape (keys, len(CLICK_SIGNALS)). The arguments are as for `signals`."""
    rows = []
    for key in keys:
        rate, views, near_rate, near_seen, age = table.of(key, cluster, day)
        rows.append((math.log(rate), math.log1p(views), math.log(near_rate), math.log1p(near_seen), age))
    matrix = np.asarray(rows, dtype=np.float64)
    return np.minimum(matrix, [np.inf] * 4 + [MAX_AGE_DAYS])
