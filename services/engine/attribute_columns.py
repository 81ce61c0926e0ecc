"""The columns of a segment's attributes: which are kept, and how they are built and extended."""

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping

import numpy as np

from services.contracts.domain.filtering.facets import MAX_VALUES
from services.engine.columns import Column, RowArray, Values
from services.engine.deadline import NO_DEADLINE, Deadline
from services.engine.packed.texts import Rows
from services.engine.payload import attributes_of

MAX_KEPT_TEXTS = 10_000  # columns with more distinct texts are built only for a filter
MAX_COUNTED = 200  # attributes whose values are counted for facets: those that most rows have
MAX_FILTERED = 100  # other attributes whose columns are kept: as many as a filter may name
TURN_ROWS = 256

Columns = Mapping[str, Column]


class AttributeColumns:
    """The columns of append-only rows. It is thread-safe.

    All columns that are kept cover the same rows. An attribute that no row has gets no column: the names of all
    attributes are known after one reading of the rows. The columns of a filter are built together, in one more reading.
    Beyond those for facets, the MAX_FILTERED least recently used ones are kept.

    Two locks: `_lock` is held for moments; `_building` while columns are built or extended. A search whose columns
    cover its rows does not wait for the second.
    """

    def __init__(self, payloads: Rows[bytes | None]) -> None:
        """Keep no columns yet. Rows are appended to `payloads`."""
        self._payloads = payloads
        self._lock = threading.Lock()
        self._building = threading.Lock()
        self._columns: OrderedDict[str, Column] = OrderedDict()  # the least recently used first
        self._names: Counter[str] | None = None  # how many rows have each attribute; None until the first use
        self._rows = 0  # covered by the names and the columns
        self._counted: tuple[str, ...] | None = None  # attributes for facets, None until values are first counted
        self._uncounted: set[str] = set()  # attributes with too many distinct texts for facets
        self._filtered: set[str] = set()  # attributes with a column that a filter has named

    @property
    def kept(self) -> tuple[str, ...]:
        """The attributes with a column."""
        with self._lock:
            return tuple(self._columns)

    @property
    def uncounted(self) -> frozenset[str]:
        """The attributes that have too many distinct texts for facets."""
        with self._lock:
            return frozenset(self._uncounted)

    def ready(self, names: Collection[str], size: int, *, counted: bool = False) -> Columns | None:
        """Return the columns of those attributes that a row has, or None if any does not cover `size` rows yet.

        Args:
            names: of the attributes.
            size: how many rows the search knows of.
            counted: whether to return the columns for facets as well.
        """
        with self._lock:
            if self._names is None or self._rows < size or (counted and self._counted is None):
                return None
            wanted = [name for name in names if name in self._names]
            if any(name not in self._columns for name in wanted):
                return None
            for name in wanted:
                self._columns.move_to_end(name)
                self._filtered.add(name)
            return {name: self._columns[name] for name in (*wanted, *(self._counted or () if counted else ()))}

    def get(
        self, names: Collection[str], size: int, *, counted: bool = False, deadline: Deadline = NO_DEADLINE
    ) -> Columns:
        """Return the columns as `ready`, after building or extending those that do not cover `size` rows.

        Raises:
            UpstreamTimeout: another thread builds columns until the deadline.
        """
        while (columns := self.ready(names, size, counted=counted)) is None:
            remaining = deadline.remaining_s
            if not self._building.acquire(timeout=-1 if remaining is None else remaining):
                deadline.check()
                continue
            try:
                if self.ready(names, size, counted=counted) is None:
                    self._build(names, size, counted=counted)
            finally:
                self._building.release()
        return columns

    def _build(self, names: Collection[str], size: int, *, counted: bool) -> None:
        self._extend(max(size, self._rows))
        assert self._names is not None
        known = [name for name in names if name in self._names]
        self._add([name for name in known if name not in self._columns])
        self._filtered.update(known)
        if counted or self._counted is not None:
            self._choose_counted()
        self._drop_unused(names)

    def _extend(self, size: int) -> None:
        """Let the names and the columns cover `size` rows."""
        if self._names is not None and size == self._rows:
            return
        names: Counter[str] = Counter()
        values: dict[str, list[tuple[int, Values]]] = {name: [] for name in self._columns}
        for row, attributes in self._attributes(self._rows, size):
            names.update(attributes.keys())
            for name in attributes.keys() & values.keys() if values else ():
                values[name].append((row, attributes[name]))
        for name, rows in values.items():
            self._columns[name].extend_to(size, rows)
        with self._lock:
            self._names = names if self._names is None else self._names + names
            self._rows = size

    def _add(self, names: Iterable[str], max_texts: int | None = None) -> None:
        """Build columns, all of them in one reading of the rows.

        With `max_texts`, those with more distinct texts are noted as uncounted, and those with very many are not kept.
        """
        columns = {name: Column() for name in names}
        if not columns:
            return
        for row, attributes in self._attributes(0, self._rows):
            for name, value in attributes.items():
                column = columns.get(name)
                if column is None:
                    continue
                column.put(row, value)
                if max_texts is not None and column.distinct_texts > max_texts:
                    self._uncounted.add(name)
                    if column.distinct_texts > MAX_KEPT_TEXTS:
                        del columns[name]
        for column in columns.values():
            column.size = self._rows
        with self._lock:
            self._columns.update(columns)

    def _choose_counted(self) -> None:
        """Choose the attributes for facets, and build their columns."""
        assert self._names is not None
        candidates = [name for name, _ in self._names.most_common(MAX_COUNTED + len(self._uncounted))]
        candidates = [name for name in candidates if name not in self._uncounted][:MAX_COUNTED]
        kept = [name for name in candidates if name in self._columns]
        self._uncounted |= {name for name in kept if self._columns[name].distinct_texts > MAX_VALUES}
        self._add([name for name in candidates if name not in self._columns], MAX_VALUES)
        chosen = set(candidates) - self._uncounted
        with self._lock:
            self._counted = tuple(name for name in self._names if name in chosen)
            for name in self._columns.keys() & self._uncounted - self._filtered:
                if self._columns[name].distinct_texts > MAX_KEPT_TEXTS:
                    del self._columns[name]

    def _drop_unused(self, names: Collection[str]) -> None:
        """Drop the columns that are neither for facets nor among the MAX_FILTERED last used."""
        with self._lock:
            others = [name for name in self._columns if name not in (self._counted or ())]
            unused = [name for name in others[: max(0, len(others) - MAX_FILTERED)] if name not in names]
            for name in unused:
                del self._columns[name]
                self._filtered.discard(name)

    def _attributes(self, begin: int, end: int) -> Iterator[tuple[int, Mapping[str, Values]]]:
        """Yield rows with their attributes. A payload that consecutive rows share is parsed once."""
        previous, attributes = None, attributes_of(None)
        for row in range(begin, end):
            if row % TURN_ROWS == 0:
                time.sleep(0)  # a search that waits for Python's lock takes it
            payload = self._payloads[row]
            if payload != previous:
                previous, attributes = payload, attributes_of(payload)
            yield row, attributes

    def merged(
        self, tail: "AttributeColumns", new_rows: RowArray, sizes: tuple[int, int], payloads: Rows[bytes | None]
    ) -> "AttributeColumns":
        """Return the columns of rows that are made of these and a tail's.

        Args:
            tail: the columns of the rows that follow these ones.
            new_rows: shape (all rows,); the new number of each row, -1 for a row that is left out.
            sizes: how many rows these columns and the tail's have; no row is appended any more.
            payloads: of the new rows.
        """
        merged = AttributeColumns(payloads)
        if self._names is None:  # no search has used the columns
            return merged
        # The columns are completed under the locks. Nothing changes them afterwards, and they are renumbered without
        # the locks: searches do not wait.
        with self._building, tail._building:
            self._extend(sizes[0])
            tail._extend(sizes[1])
            with self._lock, tail._lock:
                parts = (dict(self._columns), dict(tail._columns))
                merged._uncounted = self._uncounted | tail._uncounted
                merged._filtered = self._filtered | tail._filtered
        assert tail._names is not None
        gone: Counter[str] = Counter()
        for columns, begin, size in ((self, 0, sizes[0]), (tail, sizes[0], sizes[1])):
            for row in np.flatnonzero(new_rows[begin : begin + size] < 0).tolist():
                gone.update(attributes_of(columns._payloads[row]).keys())
        merged._names = self._names + tail._names - gone
        merged._rows = len(payloads)
        for name in merged._names:
            if name in parts[0] or (name not in self._names and name in parts[1]):
                merged._columns[name] = _joined(name, parts, new_rows, sizes[0], len(payloads), tail)
        return merged


def _joined(
    name: str, parts: tuple[Columns, Columns], new_rows: RowArray, base: int, size: int, tail: AttributeColumns
) -> Column:
    """Return the column of an attribute in merged rows."""
    in_base = parts[0].get(name, Column()).renumbered(new_rows[:base], size)
    in_tail = parts[1][name] if name in parts[1] else tail.get([name], len(new_rows) - base).get(name, Column())
    in_base.extend(in_tail.renumbered(new_rows[base:], size))
    return in_base
