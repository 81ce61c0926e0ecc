"""Keys, payloads and attributes of consecutive rows."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.filters import AnyOf, AttributeValue, Condition, Filter, Not, Term
from services.engine.columns import BoolArray, Column, RowArray, Values
from services.engine.payload import attributes_of

MAX_VALUES = 60  # an attribute with more is no choice but a description: a title, an article number


@dataclass(frozen=True)
class AttributeCounts:
    """What some rows hold of one attribute: how many have it, how many hold each text and boolean, all their numbers."""

    rows: int
    texts: Mapping[AttributeValue, int]
    numbers: NDArray[np.float64]


class Segment:
    """Rows are only ever added, and a reader looks at those it knows of. Any thread may ask.

    A column is made when a filter first asks for its attribute, or with all others when values are first counted, and
    grows with the rows. Attributes with very many different texts are not counted: that would only take memory.
    """

    def __init__(self, keys: list[str], payloads: list[bytes | None]) -> None:
        self.keys = keys
        self.payloads = payloads
        self._columns: dict[str, Column] = {}
        self._asked: set[str] = set()  # by a filter: these columns are kept, however large
        self._too_many: set[str] = set()
        self._surveyed: int | None = None
        self._lock = threading.Lock()

    def append(self, key: str, payload: bytes | None) -> None:
        """Add a row."""
        self.payloads.append(payload)
        self.keys.append(key)

    def matching(self, wanted: Filter, size: int) -> BoolArray:
        """Return which of the first `size` rows meet a filter."""
        met = (self._meeting(term, size) for term in wanted.terms)
        return reduce(np.logical_and, met, np.ones(size, dtype=np.bool_))

    def _meeting(self, term: Term, size: int) -> BoolArray:
        match term:
            case AnyOf(filters):
                return reduce(np.logical_or, (self.matching(one, size) for one in filters))
            case Not(unwanted):
                return ~self.matching(unwanted, size)
            case _:
                return self._holding(term, size)

    def _holding(self, condition: Condition, size: int) -> BoolArray:
        with self._lock:
            column = self._column(condition.attribute, size)
            rows = column.rows(condition)
            is_ahead = column.size > size  # a newer reader has seen more rows
        met = np.zeros(size, dtype=np.bool_)
        met[rows[rows < size] if is_ahead else rows] = True
        return met

    def tally(self, among: Callable[[str], BoolArray], size: int) -> dict[str, AttributeCounts]:
        """Return what the rows hold of each attribute, of those for which `among(attribute)`, shape (size,), is true."""
        with self._lock:
            self._survey(size)
            counted = [name for name in self._columns if name not in self._too_many]
            return {name: self._tally(self._columns[name], among(name)) for name in counted}

    @staticmethod
    def _tally(column: Column, among: BoolArray) -> AttributeCounts:
        wide = np.zeros(max(column.size, len(among)), dtype=np.bool_)  # a newer reader may have seen more rows
        wide[: len(among)] = among
        return AttributeCounts(column.holders(wide), column.counts(wide), column.numbers(wide))

    def _column(self, name: str, size: int) -> Column:
        self._asked.add(name)
        column = self._columns.setdefault(name, Column())
        for row, attributes in self._attributes(column.size, size):
            column.put(row, attributes.get(name))
        return column

    def _attributes(self, begin: int, end: int) -> Iterator[tuple[int, Mapping[str, Values]]]:
        """Yield rows with their attributes. Those of one product mostly follow each other: its payload is read once."""
        payload, attributes = None, attributes_of(None)
        for row in range(begin, end):
            if self.payloads[row] is not payload:
                payload = self.payloads[row]
                attributes = attributes_of(payload)
            yield row, attributes

    def _full(self, name: str) -> Column:
        """Return an attribute's column with all rows; of one that no row has, an empty one."""
        nobody_has_it = name not in self._columns and name not in self._too_many and self._surveyed == len(self.keys)
        return Column() if nobody_has_it else self._column(name, len(self.keys))

    def _survey(self, size: int) -> None:
        """Bring the columns of all attributes up to `size` rows, but for those with too many texts."""
        for row, attributes in self._attributes(self._surveyed or 0, size):
            for name, value in attributes.items():
                if name not in self._too_many:
                    self._put(name, row, value)
        self._surveyed = max(self._surveyed or 0, size)
        for name in self._columns.keys() - self._too_many:
            self._columns[name].size = max(self._columns[name].size, size)

    def _put(self, name: str, row: int, value: Values) -> None:
        column = self._columns.setdefault(name, Column())
        if column.size <= row:
            column.put(row, value)
        if column.texts > MAX_VALUES:
            self._too_many.add(name)
            if name not in self._asked:
                del self._columns[name]


def merged(base: Segment, tail: Segment, new_rows: RowArray, keys: list[str], payloads: list[bytes | None]) -> Segment:
    """Return a segment of these keys and payloads that has the columns of two others.

    Args:
        base, tail: their rows are numbered one after the other.
        new_rows: the new number of each of them, -1 for those that are gone.
    """
    segment = Segment(keys, payloads)
    count = len(base.keys)
    # The columns are brought up to the last row under the locks. No row comes after it, so that nobody changes them any
    # more, and they are moved without keeping searches waiting.
    with base._lock, tail._lock:
        if base._surveyed is not None or tail._surveyed is not None:
            base._survey(count)
            tail._survey(len(tail.keys))
            segment._surveyed = len(keys)
        segment._too_many = base._too_many | tail._too_many
        segment._asked = base._asked | tail._asked
        known = dict.fromkeys([*base._columns, *tail._columns])
        wanted = [name for name in known if name in segment._asked or name not in segment._too_many]
        columns = [(name, base._full(name), tail._full(name)) for name in wanted]
    for name, in_base, in_tail in columns:
        segment._columns[name] = in_base.moved(new_rows[:count], len(keys))
        segment._columns[name].extend(in_tail.moved(new_rows[count:], len(keys)))
    return segment
