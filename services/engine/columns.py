"""The values of one attribute, by row: filters and facet counts read a column instead of every product."""

import threading
from array import array
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.filtering.filters import AttributeValue, Between, Condition
from services.contracts.domain.filtering.instants import instant

BoolArray = NDArray[np.bool_]
RowArray = NDArray[np.int64]
ColumnRows = NDArray[np.uint32]  # of four bytes: a column of texts has little else
_ROWS: Literal["I"] = "I"
TypeCode = Literal["d", "q"]  # of the `array` module: float64 or int64
Values = AttributeValue | list[AttributeValue] | None


@dataclass(frozen=True)
class AttributeCounts:
    """What a set of rows holds of one attribute.

    Attributes:
        rows: how many rows have the attribute.
        texts: how many rows hold each text and boolean.
        numbers: all numbers that the rows hold, shape (n,).
    """

    rows: int
    texts: Mapping[AttributeValue, int]
    numbers: NDArray[np.float64]


class RowValues:
    """Numbers of one type, each with the row that holds it."""

    def __init__(self, type_code: TypeCode) -> None:
        """Hold no numbers yet; they are floats ("d") or integers ("q") of 64 bits."""
        self._type_code = type_code
        self._values: array[Any] = array(type_code)
        self._rows = array(_ROWS)

    @property
    def values(self) -> NDArray[Any]:
        """The numbers, shape (n,). Neither this array nor `rows` may be held while numbers are added."""
        return np.frombuffer(self._values, self._type_code)

    @property
    def rows(self) -> ColumnRows:
        """The row of each number, shape (n,)."""
        return _as_rows(self._rows)

    def add(self, value: float, row: int) -> None:
        """Add a number."""
        self._values.append(value)
        self._rows.append(row)

    def renumbered(self, new_rows: RowArray) -> "RowValues":
        """Return a copy in which row `r` is `new_rows[r]`; rows whose new number is -1 are left out."""
        copy = RowValues(self._type_code)
        numbers = new_rows[self.rows]
        copy._values.frombytes(self.values[numbers >= 0].tobytes())
        copy._rows.frombytes(_row_bytes(numbers[numbers >= 0]))
        return copy

    def extend(self, other: "RowValues") -> None:
        """Add the numbers of another object, with their rows."""
        self._values.extend(other._values)
        self._rows.extend(other._rows)


class Column:
    """The values of one attribute in rows 0 … size - 1: for each text and boolean its rows, and the numbers by row.

    Dates are parsed from the texts when a filter first names a range of dates. One thread may extend a column while
    others read it.
    """

    def __init__(self) -> None:
        self.size = 0
        self._lock = threading.Lock()  # arrays cannot grow while they are read
        self._rows_of: dict[Hashable, array[int]] = {}
        self._numbers = RowValues("d")
        self._instants: RowValues | None = None

    def put(self, row: int, value: Values) -> None:
        """Set the value of a row at or after `size`. A value that a list repeats counts once.

        Rows between the last one and this one have no value.
        """
        self.size = row + 1
        if isinstance(value, str):  # the usual case
            self._add(value, row)
        elif value is not None:
            for item in dict.fromkeys(map(_hashable, value if isinstance(value, list) else [value])):
                self._add(item, row)

    def extend_to(self, size: int, values: Iterable[tuple[int, Values]]) -> None:
        """Add the values of rows at or after `size`, and set the new size."""
        with self._lock:
            for row, value in values:
                self.put(row, value)
            self.size = size

    def matching(self, condition: Condition, size: int) -> BoolArray:
        """Return which of the first `size` rows meet a condition, shape (size,)."""
        mask = np.zeros(size, dtype=np.bool_)
        with self._lock:
            rows = self.rows(condition)
            is_ahead = self.size > size  # another reader knows of more rows
            mask[rows[rows < size] if is_ahead else rows] = True
        return mask

    def count(self, mask: BoolArray) -> "AttributeCounts":
        """Return what the rows of a mask, shape (rows,), hold; another reader may know of more rows."""
        with self._lock:
            wide = np.zeros(max(self.size, len(mask)), dtype=np.bool_)
            wide[: len(mask)] = mask
            return AttributeCounts(self.count_rows(wide), self.count_texts(wide), self.numbers(wide))

    def _add(self, item: Hashable, row: int) -> None:
        if isinstance(item, int | float):
            self._numbers.add(item, row)
            return
        rows = self._rows_of.get(item)
        if rows is None:
            rows = self._rows_of[item] = array(_ROWS)
        rows.append(row)
        if self._instants is not None:
            _add_instant(self._instants, item, [row])

    @property
    def distinct_texts(self) -> int:
        """The number of different texts and booleans."""
        return len(self._rows_of)

    def rows(self, condition: Condition) -> ColumnRows:
        """Return the rows that meet a condition. A row with two values that meet it may be listed twice."""
        if isinstance(condition, Between):
            values = self._parsed_instants() if condition.dates else self._numbers
            return values.rows[_in_range(values.values, condition)]
        items = [_hashable(value) for value in condition.values]
        matches = [_as_rows(self._rows_of.get(item, b"")) for item in items]
        numbers = [item for item in items if isinstance(item, int | float)]
        if numbers:
            matches.append(self._numbers.rows[np.isin(self._numbers.values, np.array(numbers, np.float64))])
        return np.concatenate(matches) if matches else np.empty(0, np.uint32)

    def _parsed_instants(self) -> RowValues:
        """Return the points in time that the texts name."""
        if self._instants is None:
            instants = RowValues("q")
            for text, rows in self._rows_of.items():
                _add_instant(instants, text, rows)
            self._instants = instants  # complete: the writer may copy it at any time
        return self._instants

    def count_rows(self, mask: BoolArray) -> int:
        """Return how many rows of a mask, shape (rows,), have the attribute."""
        has_value = np.zeros(len(mask), dtype=np.bool_)
        for rows in self._rows_of.values():
            has_value[_as_rows(rows)] = True
        has_value[self._numbers.rows] = True
        return int((has_value & mask).sum())

    def count_texts(self, mask: BoolArray) -> dict[AttributeValue, int]:
        """Return how many rows of a mask, shape (rows,), hold each text and boolean."""
        counts = {_plain(item): int(mask[_as_rows(rows)].sum()) for item, rows in self._rows_of.items()}
        return {value: count for value, count in counts.items() if count}

    def numbers(self, mask: BoolArray) -> NDArray[np.float64]:
        """Return the numbers that the rows of a mask, shape (rows,), hold."""
        return self._numbers.values[mask[self._numbers.rows]]

    def renumbered(self, new_rows: RowArray, size: int) -> "Column":
        """Return a copy of `size` rows in which row `r` is `new_rows[r]`; rows whose new number is -1 are left out."""
        column = Column()
        column.size = size
        for item, rows in self._rows_of.items():
            numbers = new_rows[_as_rows(rows)]
            if (numbers >= 0).any():
                column._rows_of[item] = array(_ROWS, _row_bytes(numbers[numbers >= 0]))
        column._numbers = self._numbers.renumbered(new_rows)
        column._instants = None if self._instants is None else self._instants.renumbered(new_rows)
        return column

    def extend(self, other: "Column") -> None:
        """Add the values of another column, whose rows are rows of this one."""
        if self._instants is not None or other._instants is not None:
            self._parsed_instants().extend(other._parsed_instants())
        for item, rows in other._rows_of.items():
            self._rows_of.setdefault(item, array(_ROWS)).extend(rows)
        self._numbers.extend(other._numbers)


def _as_rows(rows: "array[int] | bytes") -> ColumnRows:
    return np.frombuffer(rows, np.uint32)


def _row_bytes(rows: RowArray) -> bytes:
    return rows.astype(np.uint32).tobytes()


def _add_instant(instants: RowValues, item: Hashable, rows: Iterable[int]) -> None:
    moment = instant(item) if isinstance(item, str) else None
    if moment is not None:
        for row in rows:
            instants.add(moment, row)


def _hashable(value: AttributeValue) -> Hashable:
    return ("bool", value) if isinstance(value, bool) else value  # True == 1 in Python, but not in a shop's data


def _plain(item: Hashable) -> AttributeValue:
    return bool(item[1]) if isinstance(item, tuple) else str(item)


def _in_range(values: NDArray[Any], bounds: Between) -> BoolArray:
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
