"""Keys, payloads and attribute columns of consecutive rows."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.filters import AnyOf, AttributeValue, Condition, Filter, Not, Term
from services.engine.columns import BoolArray, Column, RowArray, Values
from services.engine.payload import attributes_of

MAX_VALUES = 60  # an attribute with more distinct texts is a description or a number, such as a title or an SKU


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


class Segment:
    """Append-only rows with a column for each attribute that is filtered by or counted. It is thread-safe.

    A reader passes the number of rows that it knows of. A column is built when a filter first names its attribute, or
    with all others when values are first counted; it grows with the rows. Attributes with more than `MAX_VALUES`
    distinct texts are not counted, and their columns are not kept unless a filter names them.
    """

    def __init__(self, keys: list[str], payloads: list[bytes | None]) -> None:
        self.keys = keys
        self.payloads = payloads
        self._columns: dict[str, Column] = {}
        self._filtered: set[str] = set()  # attributes that a filter has named: their columns are kept
        self._uncounted: set[str] = set()  # attributes with too many distinct texts
        self._counted_rows: int | None = None  # None until values are first counted
        self._lock = threading.Lock()

    def append(self, key: str, payload: bytes | None) -> None:
        """Add a row."""
        self.payloads.append(payload)
        self.keys.append(key)

    def matching(self, query_filter: Filter, size: int) -> BoolArray:
        """Return which of the first `size` rows meet a filter, shape (size,)."""
        matches = (self._meeting(term, size) for term in query_filter.terms)
        return reduce(np.logical_and, matches, np.ones(size, dtype=np.bool_))

    def _meeting(self, term: Term, size: int) -> BoolArray:
        match term:
            case AnyOf(filters):
                return reduce(np.logical_or, (self.matching(alternative, size) for alternative in filters))
            case Not(excluded):
                return ~self.matching(excluded, size)
            case _:
                return self._holding(term, size)

    def _holding(self, condition: Condition, size: int) -> BoolArray:
        with self._lock:
            column = self._column(condition.attribute, size)
            rows = column.rows(condition)
            is_ahead = column.size > size  # another reader knows of more rows
        mask = np.zeros(size, dtype=np.bool_)
        mask[rows[rows < size] if is_ahead else rows] = True
        return mask

    def count_values(self, mask_of: Callable[[str], BoolArray], size: int) -> dict[str, AttributeCounts]:
        """Return what the rows of `mask_of(attribute)`, shape (size,), hold of each attribute."""
        with self._lock:
            self._extend_columns(size)
            names = [name for name in self._columns if name not in self._uncounted]
            return {name: self._count(self._columns[name], mask_of(name)) for name in names}

    @staticmethod
    def _count(column: Column, mask: BoolArray) -> AttributeCounts:
        wide = np.zeros(max(column.size, len(mask)), dtype=np.bool_)  # another reader may know of more rows
        wide[: len(mask)] = mask
        return AttributeCounts(column.count_rows(wide), column.count_texts(wide), column.numbers(wide))

    def _column(self, name: str, size: int) -> Column:
        """Return the column of an attribute with at least `size` rows, and keep it from now on."""
        self._filtered.add(name)
        column = self._columns.setdefault(name, Column())
        for row, attributes in self._attributes(column.size, size):
            column.put(row, attributes.get(name))
        return column

    def _attributes(self, begin: int, end: int) -> Iterator[tuple[int, Mapping[str, Values]]]:
        """Yield rows with their attributes. A payload that consecutive rows share is parsed once."""
        payload, attributes = None, attributes_of(None)
        for row in range(begin, end):
            if self.payloads[row] is not payload:
                payload = self.payloads[row]
                attributes = attributes_of(payload)
            yield row, attributes

    def _complete_column(self, name: str) -> Column:
        """Return an attribute's column with all rows; an empty column if no row has the attribute."""
        is_unused = name not in self._columns and name not in self._uncounted and self._counted_rows == len(self.keys)
        return Column() if is_unused else self._column(name, len(self.keys))

    def _extend_columns(self, size: int) -> None:
        """Extend the columns of all counted attributes to `size` rows."""
        for row, attributes in self._attributes(self._counted_rows or 0, size):
            for name, value in attributes.items():
                if name not in self._uncounted:
                    self._put(name, row, value)
        self._counted_rows = max(self._counted_rows or 0, size)
        for name in self._columns.keys() - self._uncounted:
            self._columns[name].size = max(self._columns[name].size, size)

    def _put(self, name: str, row: int, value: Values) -> None:
        column = self._columns.setdefault(name, Column())
        if column.size <= row:
            column.put(row, value)
        if column.distinct_texts > MAX_VALUES:
            self._uncounted.add(name)
            if name not in self._filtered:
                del self._columns[name]


def merge_segments(
    base: Segment, tail: Segment, new_rows: RowArray, keys: list[str], payloads: list[bytes | None]
) -> Segment:
    """Return a segment of these keys and payloads with the columns of two segments.

    Args:
        base, tail: the segments; the tail's row numbers follow those of the base.
        new_rows: shape (rows of base and tail,); the new number of each row, -1 for a row that is left out.
        keys: of each new row.
        payloads: of each new row.
    """
    segment = Segment(keys, payloads)
    count = len(base.keys)
    # The columns are completed under the locks. No row is appended afterwards, so nothing changes them any more, and
    # they are renumbered without the locks: searches do not wait.
    with base._lock, tail._lock:
        if base._counted_rows is not None or tail._counted_rows is not None:
            base._extend_columns(count)
            tail._extend_columns(len(tail.keys))
            segment._counted_rows = len(keys)
        segment._uncounted = base._uncounted | tail._uncounted
        segment._filtered = base._filtered | tail._filtered
        names = dict.fromkeys([*base._columns, *tail._columns])
        kept = [name for name in names if name in segment._filtered or name not in segment._uncounted]
        columns = [(name, base._complete_column(name), tail._complete_column(name)) for name in kept]
    for name, in_base, in_tail in columns:
        segment._columns[name] = in_base.renumbered(new_rows[:count], len(keys))
        segment._columns[name].extend(in_tail.renumbered(new_rows[count:], len(keys)))
    return segment
