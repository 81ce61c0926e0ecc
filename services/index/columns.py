"""Products' attributes by value, so that a filter is answered without looking at every product."""

import threading
from array import array
from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from services.contracts.wire import AttributeValue, Condition, Range
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
        for item in value if isinstance(value, list) else () if value is None else (value,):
            self._rows_of.setdefault(_comparable(item), array("q")).append(self.size)
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

    def _column(self, name: str, payloads: Sequence[bytes | None], size: int) -> Column:
        column = self._columns.setdefault(name, Column())
        for row in range(column.size, size):
            column.append(attribute_of(payloads[row], name))
        return column
