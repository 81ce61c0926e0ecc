"""Keys, payloads and attribute columns of consecutive rows."""

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.filtering.filters import AnyOf, Filter, Not, Term
from services.engine.attribute_columns import AttributeColumns, Columns
from services.engine.columns import AttributeCounts, BoolArray, RowArray
from services.engine.deadline import NO_DEADLINE, Deadline
from services.engine.packed.rows import PackedRows
from services.engine.packed.texts import Rows

__all__ = ["AttributeCounts", "Base", "Segment", "Tail", "merge_segments"]


class Segment:
    """Rows with a column for each attribute that is filtered by or counted. It is thread-safe.

    A reader passes the number of rows that it knows of.
    """

    keys: Rows[str]
    payloads: Rows[bytes | None]

    def __init__(self, keys: Rows[str], payloads: Rows[bytes | None], columns: AttributeColumns | None = None) -> None:
        """Hold rows. `columns` cover them; default: none are kept yet."""
        self.keys = keys
        self.payloads = payloads
        self.columns = AttributeColumns(payloads) if columns is None else columns

    def is_prepared(self, query_filter: Filter, size: int, *, facets: bool) -> bool:
        """Return whether all columns of a filter, and of facets if wanted, cover the first `size` rows."""
        return self.columns.ready(query_filter.attributes, size, counted=facets) is not None

    def prepare(self, query_filter: Filter, size: int, *, facets: bool) -> None:
        """Build the columns of a filter, and of facets if wanted."""
        self.columns.get(query_filter.attributes, size, counted=facets)

    def matching(self, query_filter: Filter, size: int, deadline: Deadline = NO_DEADLINE) -> BoolArray:
        """Return which of the first `size` rows meet a filter, shape (size,).

        Raises:
            UpstreamTimeout: it takes longer than the deadline.
        """
        columns = self.columns.get(query_filter.attributes, size, deadline=deadline)
        return _Matching(columns, size, deadline).all_of(query_filter)

    def count_values(
        self, query_filter: Filter, rows: BoolArray, deadline: Deadline = NO_DEADLINE
    ) -> dict[str, AttributeCounts]:
        """Return what rows that meet a filter hold of each attribute.

        Args:
            query_filter: the filter. Its conditions on an attribute alone do not apply to that attribute.
            rows: shape (size,); the rows to count.
            deadline: as in `matching`.

        Raises:
            UpstreamTimeout: it takes longer than the deadline.
        """
        size = len(rows)
        matching = _Matching(self.columns.get(query_filter.attributes, size, deadline=deadline), size, deadline)
        failed = matching.count_failed(query_filter.terms)
        allowed = rows & (failed == 0)
        counts = {}
        for name, column in self.columns.get((), size, counted=True, deadline=deadline).items():
            deadline.check()
            own = query_filter.choices_of(name)
            counts[name] = column.count(rows & (failed == matching.count_failed(own)) if own else allowed)
        return counts


class Tail(Segment):
    """A segment to which rows are appended."""

    keys: list[str]
    payloads: list[bytes | None]

    def __init__(self) -> None:
        """Make an empty segment."""
        super().__init__([], [])

    def append(self, key: str, payload: bytes | None) -> None:
        """Add a row."""
        self.payloads.append(payload)
        self.keys.append(key)


class Base(Segment):
    """A segment whose rows never change."""

    def __init__(self, rows: PackedRows, columns: AttributeColumns | None = None) -> None:
        """Hold rows, and columns that cover them; default: none are kept yet."""
        super().__init__(rows.keys, rows.payloads, columns)
        self.rows = rows


class _Matching:
    """Evaluates the terms of a filter on the first `size` rows. No row has an attribute without a column."""

    def __init__(self, columns: Columns, size: int, deadline: Deadline) -> None:
        self._columns = columns
        self._size = size
        self._deadline = deadline

    def all_of(self, query_filter: Filter) -> BoolArray:
        matches = (self.term(term) for term in query_filter.terms)
        return reduce(np.logical_and, matches, np.ones(self._size, dtype=np.bool_))

    def count_failed(self, terms: Sequence[Term]) -> NDArray[np.uint16]:
        """Return how many of the terms each row does not meet, shape (size,)."""
        failed = np.zeros(self._size, dtype=np.uint16)
        for term in terms:
            failed += ~self.term(term)
        return failed

    def term(self, term: Term) -> BoolArray:
        self._deadline.check()
        match term:
            case AnyOf(filters):
                return reduce(np.logical_or, (self.all_of(alternative) for alternative in filters))
            case Not(excluded):
                return ~self.all_of(excluded)
            case _:
                column = self._columns.get(term.attribute)
                return np.zeros(self._size, np.bool_) if column is None else column.matching(term, self._size)


def merge_segments(base: Segment, tail: Segment, new_rows: RowArray, rows: PackedRows) -> Base:
    """Return a segment of merged rows with the columns of two segments.

    Args:
        base, tail: the segments; the tail's row numbers follow those of the base.
        new_rows: shape (rows of base and tail,); the new number of each row, -1 for a row that is left out.
        rows: the new rows.
    """
    sizes = len(base.keys), len(tail.keys)
    return Base(rows, base.columns.merged(tail.columns, new_rows, sizes, rows.payloads))
