"""What a search sees of one category: vectors, keys and payloads that never change once they are published.

A row is an image. The rows of a product's images share its key and payload. Results and counts are of products.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.filtering.filters import EVERYTHING, Filter
from services.engine.columns import BoolArray, RowArray
from services.engine.deadline import NO_DEADLINE, Deadline
from services.engine.facets import FacetCounts
from services.engine.packed.rows import ImageArray, encoded
from services.engine.packed.texts import PackedTexts
from services.engine.segment import Base, Segment, Tail

Float32Array = NDArray[np.float32]
# Sums of the same 64 float32 products differ by less than this if they are added in another order.
SCORE_NOISE = 1e-5
# Rows of the first FAISS search for each product wanted. FAISS returns 100 as fast as 10. A second search takes as
# long as the first; it is needed if the nearest products have more images than this, all of them near.
ROWS_PER_PRODUCT = 8
# A filtered search of a large category asks FAISS for the nearest rows without the filter and drops those that do not
# match: FAISS takes up to 2.4 times as long if it looks up each row in a bitmap. This many times as many rows are
# requested as would do if the matching rows were spread evenly, provided that the category has at least
# `ROWS_PER_CANDIDATE` rows for each.
OVERSAMPLING = 4
ROWS_PER_CANDIDATE = 500


class FlatSearch(Protocol):
    """Exact search over vectors that never change. It is thread-safe."""

    vectors: Float32Array

    def nearest(self, query: Float32Array, k: int, allowed: BoolArray | None) -> tuple[RowArray, Float32Array]:
        """Return rows and cosine scores of the k nearest vectors, best first.

        Args:
            query: shape (dimension,), unit length.
            k: the number of rows, at least 1; fewer are returned if there are fewer.
            allowed: shape (n,); the rows to search, all if None.
        """

    def range_search(self, query: Float32Array, min_score: float, allowed: BoolArray | None) -> RowArray:
        """Return the allowed rows whose cosine score is above `min_score`, unordered."""


FlatSearchFactory = Callable[[Float32Array], FlatSearch]


class Match(NamedTuple):
    """A product that a search returns. A frozen data class takes a microsecond longer to make.

    Attributes:
        key: of the product.
        score: cosine similarity of the product's image that is nearest to the query, about -1 to 1.
        payload: what a result shows of the product.
        image_index: the place of that image among the product's images; 0 is the main image.
    """

    key: str
    score: float
    payload: bytes | None
    image_index: int = 0


@dataclass(frozen=True, slots=True)
class CategoryView:
    """An immutable view of a category. Rows 0 … n - 1 are those of the base, rows n … n + m - 1 those of the tail.

    Attributes:
        flat: the base's vectors, shape (n, dimension).
        base: keys and payloads of the base.
        tail: keys and payloads of the tail, which may have grown since the view was published.
        tail_vectors: shape (m, dimension), float32.
        live: shape (n + m,); False for a row whose product was deleted or replaced.
        image_index: shape (n + m,), uint8; the place of each row's image among its product's images.
        max_images: no product has more images than this.
        size: the number of live products.
        is_whole: whether every row is live.
        changes: how many products have been put or discarded so far.
    """

    flat: FlatSearch
    base: Base
    tail: Tail
    tail_vectors: Float32Array
    live: BoolArray
    image_index: ImageArray
    max_images: int
    size: int
    is_whole: bool
    changes: int

    def is_prepared(self, query_filter: Filter, *, facets: bool) -> bool:
        """Return whether the base has the columns; those of the short tail are built or extended by a search itself."""
        return self.base.is_prepared(query_filter, len(self.base.keys), facets=facets)

    def prepare(self, query_filter: Filter, *, facets: bool) -> None:
        """Build the columns of a filter, and of facets if wanted."""
        for part, size in self._parts():
            part.prepare(query_filter, size, facets=facets)

    def lacking(self, names: Iterable[str]) -> set[str]:
        """Return which of these attributes no product has. Their columns are built if they are not yet."""
        wanted = set(names)
        present = (part.columns.get(wanted, size).keys() for part, size in self._parts())
        return wanted.difference(*present)

    def search(
        self,
        query: Float32Array,
        k: int,
        query_filter: Filter,
        exclude: Collection[str],
        deadline: Deadline = NO_DEADLINE,
    ) -> list[Match]:
        """Return the k nearest products that meet a filter, best first, equal scores by key.

        A product is returned once, with its best image.

        Args:
            query: shape (dimension,), float32, unit length.
            k: the number of products, at least 1; fewer are returned if there are fewer.
            query_filter: the filter.
            exclude: keys to leave out.
            deadline: of the filter.

        Raises:
            UpstreamTimeout: the deadline has passed.
        """
        base = len(self.base.keys)
        wanted = k + len(exclude)
        allowed = self._allowed(query_filter, deadline) if query_filter or not self.is_whole else None
        rows = self._base_candidates(query, wanted, None if allowed is None else allowed[:base])
        vectors = self.flat.vectors[rows]
        if len(self.tail_vectors):
            in_tail = self._tail_candidates(query, wanted, None if allowed is None else allowed[base:])
            rows, vectors = (
                np.concatenate([rows, in_tail + base]),
                np.concatenate([vectors, self.tail_vectors[in_tail]]),
            )
        matches = (match for match in self._ranked(rows, _scores(query, vectors)) if match.key not in exclude)
        return list(islice(matches, k))

    def facet_counts(self, query_filter: Filter, deadline: Deadline = NO_DEADLINE) -> FacetCounts:
        """Return what the products hold of each attribute, in total and among those that meet the filter.

        The conditions on an attribute itself are left out for that attribute: its other values stay choices.

        Raises:
            UpstreamTimeout: the deadline has passed.
        """
        live = self._main_rows(self.live)
        base = len(self.base.keys)
        parts = ((self.base, live[:base]), (self.tail, live[base:]))
        total = [part.count_values(EVERYTHING, rows, deadline) for part, rows in parts]
        matching = [part.count_values(query_filter, rows, deadline) for part, rows in parts] if query_filter else total
        uncounted = self.base.columns.uncounted | self.tail.columns.uncounted
        return FacetCounts(total, matching, self.size, uncounted)

    def count(self, query_filter: Filter, deadline: Deadline = NO_DEADLINE) -> int:
        """Return how many products meet a filter.

        Raises:
            UpstreamTimeout: the deadline has passed.
        """
        return int(self._main_rows(self._allowed(query_filter, deadline)).sum()) if query_filter else self.size

    def find(self, key: str, hint: int | None) -> int | None:
        """Return the row of a product's main image, or None.

        Args:
            key: of the product.
            hint: the writer's row of the image in the tail; None if the writer's tail does not have it. The writer may
                be ahead of this view.
        """
        base = len(self.base.keys)
        for row in self.base.rows.keys.rows_of(key):
            if self._is_main_row(row):
                return row
        if hint is None:
            return None
        total = len(self.live)
        rows = chain((hint,) if base <= hint < total else (), reversed(range(base, total)))
        return next((row for row in rows if self._is_main_row(row) and self.key(row) == key), None)

    def _is_main_row(self, row: int) -> bool:
        return bool(self.live[row]) and self.image_index[row] == 0

    def rows(self) -> RowArray:
        """Return the rows of the main images of all live products, ascending."""
        rows: RowArray = np.flatnonzero(self._main_rows(self.live))
        return rows

    def key(self, row: int) -> str:
        """Return the key in a row."""
        base = len(self.base.keys)
        return self.base.keys[row] if row < base else self.tail.keys[row - base]

    def payload(self, row: int) -> bytes | None:
        """Return the payload in a row."""
        base = len(self.base.keys)
        return self.base.payloads[row] if row < base else self.tail.payloads[row - base]

    def vector(self, row: int) -> Float32Array:
        """Return a copy of the vector in a row, shape (dimension,): the flat index frees its memory when it goes."""
        base = len(self.base.keys)
        vector: Float32Array = self.flat.vectors[row] if row < base else self.tail_vectors[row - base]
        return vector.copy()

    def vectors(self, rows: RowArray) -> Float32Array:
        """Return a copy of the vectors in ascending rows, shape (rows, dimension)."""
        base = len(self.base.keys)
        return np.concatenate([self.flat.vectors[rows[rows < base]], self.tail_vectors[rows[rows >= base] - base]])

    def packed_keys(self, rows: RowArray) -> PackedTexts:
        """Return the keys in ascending rows."""
        base = len(self.base.keys)
        of_tail = PackedTexts.of(encoded(self.tail.keys[row]) for row in (rows[rows >= base] - base).tolist())
        return self.base.rows.keys.take(rows[rows < base]).followed_by(of_tail)

    def packed_payloads(self, rows: RowArray) -> PackedTexts:
        """Return the payloads in ascending rows, compressed if the base's are. Only those of main images are set."""
        base, payloads, is_main = len(self.base.keys), self.base.rows.payloads, self.image_index[rows] == 0
        main_rows = rows[is_main]
        in_tail = (main_rows[main_rows >= base] - base).tolist()
        of_tail = payloads.packed(self.tail.payloads[row] for row in in_tail)
        packed = payloads.take(main_rows[main_rows < base]).followed_by(of_tail)
        lengths = np.zeros(len(rows), np.uint32)
        lengths[is_main] = packed.lengths
        return PackedTexts(packed.joined, lengths)

    def _main_rows(self, mask: BoolArray) -> BoolArray:
        """Return the mask without additional images, which leaves one row a product."""
        return mask if self.max_images == 1 else mask & (self.image_index == 0)

    def _parts(self) -> tuple[tuple[Segment, int], tuple[Segment, int]]:
        """Return base and tail, each with the number of its rows in this view."""
        return (self.base, len(self.base.keys)), (self.tail, len(self.tail_vectors))

    def _allowed(self, query_filter: Filter, deadline: Deadline) -> BoolArray:
        if not query_filter:
            return self.live
        matching = [part.matching(query_filter, size, deadline) for part, size in self._parts()]
        allowed: BoolArray = self.live & np.concatenate(matching)
        return allowed

    def _base_candidates(self, query: Float32Array, wanted: int, allowed: BoolArray | None) -> RowArray:
        """Return the best rows of at least the `wanted` best products, and all rows that may score like the last.

        `allowed` is None for all rows of the base.
        """
        count = wanted * min(self.max_images, ROWS_PER_PRODUCT)
        rows, scores = self._nearest(query, count + 1, allowed)
        if len(rows) > count and self.max_images > ROWS_PER_PRODUCT and self._count_products(rows[:count]) < wanted:
            count = wanted * self.max_images  # enough for the wanted products, even if each has the most images
            rows, scores = self._nearest(query, count + 1, allowed)
        if len(rows) <= count or scores[count] < scores[count - 1] - SCORE_NOISE:
            return rows
        min_score = float(scores[count - 1]) - SCORE_NOISE
        return self.flat.range_search(query, min_score, None if allowed is None or allowed.all() else allowed)

    def _nearest(self, query: Float32Array, count: int, allowed: BoolArray | None) -> tuple[RowArray, Float32Array]:
        """Return the nearest allowed rows of the base, by the way that is likely to be faster."""
        if allowed is None:
            return self.flat.nearest(query, count, None)
        share = np.count_nonzero(allowed) / max(1, len(allowed))  # `sum` takes twenty times as long
        if share == 1:
            return self.flat.nearest(query, count, None)
        candidates = int(OVERSAMPLING * count / share) if share else 0
        if 0 < candidates * ROWS_PER_CANDIDATE < len(allowed):
            rows, scores = self.flat.nearest(query, candidates, None)
            is_allowed = allowed[rows]
            if is_allowed.sum() >= count:
                return rows[is_allowed][:count], scores[is_allowed][:count]
        return self.flat.nearest(query, count, allowed)

    def _ranked(self, rows: RowArray, scores: NDArray[np.float64]) -> Iterator[Match]:
        """Yield the products of rows, each once, best first, equal scores by key and then by image."""
        numbers, images = rows.tolist(), self.image_index[rows].tolist()
        ranking = sorted(zip((-scores).tolist(), map(self.key, numbers), images, numbers, strict=True))
        yielded = set()
        for negative_score, key, image_index, row in ranking:
            if key not in yielded:
                yielded.add(key)
                yield Match(key, -negative_score, self.payload(row), image_index)

    def _count_products(self, in_base: RowArray) -> int:
        return len({self.base.keys[row] for row in in_base.tolist()})

    def _tail_candidates(self, query: Float32Array, wanted: int, allowed: BoolArray | None) -> RowArray:
        count = wanted * self.max_images
        rows: RowArray = np.arange(len(self.tail_vectors)) if allowed is None else np.flatnonzero(allowed)
        if len(rows) <= count:
            return rows
        scores = (self.tail_vectors @ query)[rows]
        rows = rows[scores >= np.partition(scores, -count)[-count] - SCORE_NOISE]
        return rows


def _scores(query: Float32Array, vectors: Float32Array) -> NDArray[np.float64]:
    """Return the cosines of candidates, each added up in the same order, so that equal vectors score equally."""
    scores: NDArray[np.float64] = np.einsum("ij,j->i", vectors.astype(np.float64), query.astype(np.float64))
    return scores
