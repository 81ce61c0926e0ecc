"""One attribute of many products, so that a filter is answered, and its values counted, without looking at each."""

from array import array
from collections.abc import Hashable, Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.filters import AttributeValue, Between, Condition
from services.contracts.domain.instants import instant

BoolArray = NDArray[np.bool_]
RowArray = NDArray[np.int64]
Kind = Literal["d", "q"]
Values = AttributeValue | list[AttributeValue] | None


class RowValues:
    """Numbers of one kind, each with the row that holds it."""

    def __init__(self, kind: Kind) -> None:
        """Hold none yet: floats ("d") or whole numbers ("q") of 64 bits."""
        self._kind = kind
        self._values: array[Any] = array(kind)
        self._rows = array("q")

    @property
    def values(self) -> NDArray[Any]:
        """The numbers. Neither this array nor `rows` may be kept while some are added."""
        return np.frombuffer(self._values, self._kind)

    @property
    def rows(self) -> RowArray:
        """The row of each."""
        return np.frombuffer(self._rows, np.int64)

    def add(self, value: float, row: int) -> None:
        """Take one more."""
        self._values.append(value)
        self._rows.append(row)

    def moved(self, new_rows: RowArray) -> "RowValues":
        """Return them with each row in its new place; those whose place is -1 are gone."""
        moved = RowValues(self._kind)
        places = new_rows[self.rows]
        moved._values.frombytes(self.values[places >= 0].tobytes())
        moved._rows.frombytes(places[places >= 0].tobytes())
        return moved

    def extend(self, other: "RowValues") -> None:
        """Take over others, with their rows."""
        self._values.extend(other._values)
        self._rows.extend(other._rows)


class Column:
    """An attribute's values in rows 0 … size - 1: the rows of each text and boolean, and the numbers with their rows.

    The dates among the texts are read when a range of dates is first asked for. It is not for several threads at once.
    """

    def __init__(self) -> None:
        self.size = 0
        self._rows_of: dict[Hashable, array[int]] = {}
        self._numbers = RowValues("d")
        self._instants: RowValues | None = None

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
            self._numbers.add(item, row)
            return
        rows = self._rows_of.get(item)
        if rows is None:
            rows = self._rows_of[item] = array("q")
        rows.append(row)
        if self._instants is not None:
            _note_instant(self._instants, item, [row])

    @property
    def texts(self) -> int:
        """How many different texts and booleans there are."""
        return len(self._rows_of)

    def rows(self, condition: Condition) -> RowArray:
        """Return the rows that meet a condition; one that meets it twice may be there twice."""
        if isinstance(condition, Between):
            measures = self._dated() if condition.dates else self._numbers
            return measures.rows[_within(measures.values, condition)]
        wanted = [_comparable(value) for value in condition.values]
        found = [np.frombuffer(self._rows_of.get(value, b""), np.int64) for value in wanted]
        sought = [value for value in wanted if isinstance(value, int | float)]
        if sought:
            found.append(self._numbers.rows[np.isin(self._numbers.values, np.array(sought, np.float64))])
        return np.concatenate(found) if found else np.empty(0, np.int64)

    def _dated(self) -> RowValues:
        """Return the points in time that the texts tell."""
        if self._instants is None:
            self._instants = RowValues("q")
            for text, rows in self._rows_of.items():
                _note_instant(self._instants, text, rows)
        return self._instants

    def holders(self, among: BoolArray) -> int:
        """Return how many of the rows for which `among` is true have the attribute."""
        holds = np.zeros(len(among), dtype=np.bool_)
        for rows in self._rows_of.values():
            holds[np.frombuffer(rows, np.int64)] = True
        holds[self._numbers.rows] = True
        return int((holds & among).sum())

    def counts(self, among: BoolArray) -> dict[AttributeValue, int]:
        """Return how many of the rows for which `among` is true hold each text and boolean."""
        counted = {
            _plain(value): int(among[np.frombuffer(rows, np.int64)].sum()) for value, rows in self._rows_of.items()
        }
        return {value: count for value, count in counted.items() if count}

    def numbers(self, among: BoolArray) -> NDArray[np.float64]:
        """Return the numbers that the rows hold for which `among` is true."""
        return self._numbers.values[among[self._numbers.rows]]

    def moved(self, new_rows: RowArray, size: int) -> "Column":
        """Return the column with each row in its new place; those whose place is -1 are gone."""
        column = Column()
        column.size = size
        for value, rows in self._rows_of.items():
            places = new_rows[np.frombuffer(rows, np.int64)]
            if (places >= 0).any():
                column._rows_of[value] = array("q", places[places >= 0].tobytes())
        column._numbers = self._numbers.moved(new_rows)
        column._instants = None if self._instants is None else self._instants.moved(new_rows)
        return column

    def extend(self, other: "Column") -> None:
        """Take over another column's values; their rows are this column's."""
        if self._instants is not None or other._instants is not None:
            self._dated().extend(other._dated())
        for value, rows in other._rows_of.items():
            self._rows_of.setdefault(value, array("q")).extend(rows)
        self._numbers.extend(other._numbers)


def _note_instant(instants: RowValues, item: Hashable, rows: Iterable[int]) -> None:
    moment = instant(item) if isinstance(item, str) else None
    if moment is not None:
        for row in rows:
            instants.add(moment, row)


def _comparable(value: AttributeValue) -> Hashable:
    return ("bool", value) if isinstance(value, bool) else value  # True == 1 in Python, not in a shop's data


def _plain(value: Hashable) -> AttributeValue:
    return bool(value[1]) if isinstance(value, tuple) else str(value)


def _within(values: NDArray[Any], bounds: Between) -> BoolArray:
    inside = np.ones(len(values), dtype=np.bool_)
    if bounds.gte is not None:
        inside &= values >= bounds.gte
    if bounds.gt is not None:
        inside &= values > bounds.gt
    if bounds.lte is not None:
        inside &= values <= bounds.lte
    if bounds.lt is not None:
        inside &= values < bounds.lt
    return inside
