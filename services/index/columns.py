"""One attribute of many products, so that a filter is answered, and its values counted, without looking at each."""

from array import array
from collections.abc import Hashable

import numpy as np
from numpy.typing import NDArray

from services.contracts.wire import AttributeValue, Condition, Range

BoolArray = NDArray[np.bool_]
RowArray = NDArray[np.int64]
Values = AttributeValue | list[AttributeValue] | None


class Column:
    """An attribute's values in rows 0 … size - 1: the rows of each text and boolean, and the numbers with their rows.

    It is not for several threads at once.
    """

    def __init__(self) -> None:
        self.size = 0
        self._rows_of: dict[Hashable, array[int]] = {}
        self._numbers = array("d")
        self._number_rows = array("q")

    def put(self, row: int, value: Values) -> None:
        """Take the next row's value; each one of a list counts, once. Rows that are passed over have none."""
        self.size = row + 1
        if isinstance(value, str):  # most are
            self._hold(value, row)
        elif value is not None:
            for item in dict.fromkeys(map(_comparable, value if isinstance(value, list) else [value])):
                self._hold(item, row)

    def _hold(self, item: Hashable, row: int) -> None:
        if isinstance(item, int | float):
            self._numbers.append(item)
            self._number_rows.append(row)
            return
        rows = self._rows_of.get(item)
        if rows is None:
            rows = self._rows_of[item] = array("q")
        rows.append(row)

    @property
    def texts(self) -> int:
        """How many different texts and booleans there are."""
        return len(self._rows_of)

    def rows(self, condition: Condition) -> RowArray:
        """Return the rows that meet a condition: equal to a value, to any of a list, or in a range."""
        numbers, number_rows = np.frombuffer(self._numbers), np.frombuffer(self._number_rows, np.int64)
        if isinstance(condition, Range):
            return number_rows[_in_range(numbers, condition)]
        wanted = [_comparable(value) for value in (condition if isinstance(condition, list) else [condition])]
        found = [np.frombuffer(self._rows_of.get(value, b""), np.int64) for value in wanted]
        sought = [value for value in wanted if isinstance(value, int | float)]
        return np.concatenate([*found, number_rows[np.isin(numbers, sought)] if sought else number_rows[:0]])

    def holders(self, among: BoolArray) -> int:
        """Return how many of the rows for which `among` is true have the attribute."""
        holds = np.zeros(len(among), dtype=np.bool_)
        for rows in (*self._rows_of.values(), self._number_rows):
            holds[np.frombuffer(rows, np.int64)] = True
        return int((holds & among).sum())

    def counts(self, among: BoolArray) -> dict[AttributeValue, int]:
        """Return how many of the rows for which `among` is true hold each text and boolean."""
        counted = {
            _plain(value): int(among[np.frombuffer(rows, np.int64)].sum()) for value, rows in self._rows_of.items()
        }
        return {value: count for value, count in counted.items() if count}

    def numbers(self, among: BoolArray) -> NDArray[np.float64]:
        """Return the numbers that the rows hold for which `among` is true."""
        return np.frombuffer(self._numbers)[among[np.frombuffer(self._number_rows, np.int64)]]

    def moved(self, new_rows: RowArray, size: int) -> "Column":
        """Return the column with each row in its new place; those whose place is -1 are gone."""
        column = Column()
        column.size = size
        for value, rows in self._rows_of.items():
            places = new_rows[np.frombuffer(rows, np.int64)]
            if (places >= 0).any():
                column._rows_of[value] = array("q", places[places >= 0].tobytes())
        places = new_rows[np.frombuffer(self._number_rows, np.int64)]
        column._numbers = array("d", np.frombuffer(self._numbers)[places >= 0].tobytes())
        column._number_rows = array("q", places[places >= 0].tobytes())
        return column

    def extend(self, other: "Column") -> None:
        """Take over another column's values; their rows are this column's."""
        for value, rows in other._rows_of.items():
            self._rows_of.setdefault(value, array("q")).extend(rows)
        self._numbers.extend(other._numbers)
        self._number_rows.extend(other._number_rows)


def _comparable(value: AttributeValue) -> Hashable:
    return ("bool", value) if isinstance(value, bool) else value  # True == 1 in Python, not in a shop's data


def _plain(value: Hashable) -> AttributeValue:
    return bool(value[1]) if isinstance(value, tuple) else str(value)


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
