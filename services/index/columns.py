"""Products' attributes by value, so that a filter is answered without looking at every product."""

import threading
from array import array
from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from services.contracts.wire import AttributeValue, Condition, Range
from services.index.facets import Summaries
from services.index.payload import attribute_of

BoolArray = NDArray[np.bool_]
RowArray = NDArray[np.int64]


class Column:
    """One attribute of rows 0 … size - 1: which rows hold each value, and every number with its row."""

    def __init__(self) -> None:
        self.size = 0
        self._rows_of: dict[Hashable, array[int]] = {}
        self._numbers = array("d")
        self._number_rows = array("q")

    def append(self, value: AttributeValue | list[AttributeValue] | None) -> None:
        """Take the next row's value; each one of a list counts."""
        items = value if isinstance(value, list) else () if value is None else (value,)
        for key, item in {_comparable(item): item for item in items}.items():
            self._rows_of.setdefault(key, array("q")).append(self.size)
            if isinstance(item, int | float) and not isinstance(item, bool):
                self._numbers.append(item)
                self._number_rows.append(self.size)
        self.size += 1

    def rows(self, condition: Condition) -> RowArray:
        """Return the rows that meet a condition: equal to a value, to any of a list, or in a range."""
        if isinstance(condition, Range):
            numbers = np.array(self._numbers)
            return np.array(self._number_rows, dtype=np.int64)[_in_range(numbers, condition)]
        values = condition if isinstance(condition, list) else [condition]
        found = [np.array(self._rows_of.get(_comparable(value), ()), dtype=np.int64) for value in values]
        return np.concatenate(found) if found else np.empty(0, np.int64)

    def counts(self, allowed: BoolArray) -> dict[Hashable, int]:
        """Return how many of the allowed rows hold each value. `allowed` may be shorter than the column."""
        counted = {}
        for value, rows in self._rows_of.items():
            known = np.array(rows, dtype=np.int64)
            counted[value] = int(allowed[known[known < len(allowed)]].sum())
        return counted


def plain(value: Hashable) -> AttributeValue:
    """Return the value as it stands in the documents, from its comparable form."""
    return value[1] if isinstance(value, tuple) else value  # type: ignore[return-value]


def _comparable(value: AttributeValue) -> Hashable:
    return ("bool", value) if isinstance(value, bool) else value  # True == 1 in Python, not in a shop's data


def _in_range(numbers: NDArray[np.float64], bounds: Range) -> BoolArray:
    inside = np.ones(len(numbers), dtype=np.bool_)
    if bounds.gte is not None:
        inside &= numbers >= bounds.gte
    if bounds.gt is not None:
        inside &= numbers > bounds.gt
    if bounds.lte is not None:
        inside &= numbers <= bounds.lte
    if bounds.lt is not None:
        inside &= numbers < bounds.lt
    return inside


class Segment:
    """Keys and payloads of consecutive rows; rows are only ever added, and a reader looks at those it knows of.

    A column is made when a filter first asks for its attribute, and grows with the rows.
    """

    def __init__(self, keys: list[str], payloads: list[bytes | None]) -> None:
        self.keys = keys
        self.payloads = payloads
        self.summaries = Summaries()
        self._columns: dict[str, Column] = {}
        self._lock = threading.Lock()

    def append(self, key: str, payload: bytes | None) -> None:
        """Add a row."""
        self.keys.append(key)
        self.payloads.append(payload)

    def matching(self, conditions: Mapping[str, Condition], size: int) -> BoolArray:
        """Return which of the first `size` rows meet all the conditions."""
        matches = np.ones(size, dtype=np.bool_)
        for name, condition in conditions.items():
            with self._lock:
                rows = self._column(name, self.payloads, size).rows(condition)
            met = np.zeros(size, dtype=np.bool_)
            met[rows[rows < size]] = True
            matches &= met
        return matches

    def counts(self, name: str, allowed: BoolArray) -> dict[Hashable, int]:
        """Return how many of the allowed first rows hold each value of an attribute."""
        with self._lock:
            return self._column(name, self.payloads, len(allowed)).counts(allowed)

    def _column(self, name: str, payloads: Sequence[bytes | None], size: int) -> Column:
        column = self._columns.setdefault(name, Column())
        for row in range(column.size, size):
            column.append(attribute_of(payloads[row], name))
        return column
