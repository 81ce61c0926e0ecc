"""What a search sees of one category: vectors, keys and payloads that never change once published.

A row is an image; the rows of a product's images share its key and payload. What is found and counted is products.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.contracts.domain.filters import Filter
from services.engine.columns import BoolArray, RowArray
from services.engine.facets import FacetCounts
from services.engine.segment import AttributeCounts, Segment

Float32Array = NDArray[np.float32]
ImageArray = NDArray[np.uint8]
# Sums of the same 64 products of float32 differ by less than this when they are added up in another order.
SCORE_NOISE = 1e-5
# Rows looked at for each product that is wanted, at first. FAISS gives 100 as fast as 10; a second look takes as long as
# the first, and is needed where the nearest products have more images than this, all of them near.
FIRST_LOOK = 8
# Of a large category so many more of the nearest are asked for than would do if those that may be found were spread
# evenly, and the others left out: FAISS takes up to 2.4 times as long when it has to look up each row's permission.
SPARE = 4
ROWS_A_SPARE = 500


class FlatSearch(Protocol):
    """Exact search over vectors that never change. It may be called from several threads at once."""

    vectors: Float32Array

    def nearest(self, query: Float32Array, k: int, allowed: BoolArray | None) -> tuple[RowArray, Float32Array]:
        """Return rows and cosine scores of the k nearest vectors among the allowed rows, best first."""

    def range_search(self, query: Float32Array, score: float, allowed: BoolArray | None) -> RowArray:
        """Return the allowed rows whose cosine score is above `score`, in no order."""


FlatSearchFactory = Callable[[Float32Array], FlatSearch]


@dataclass(frozen=True, slots=True)
class Match:
    """A product near the query.

    Attributes:
        key: the product's.
        score: cosine similarity of the image that is nearest to the query, about -1 to 1.
        payload: what a result shows of the product.
        image_index: which of its images that is: 0 the main one, n the n-th further one.
    """

    key: str
    score: float
    payload: bytes | None
    image_index: int = 0


@dataclass(frozen=True, slots=True)
class CategoryView:
    """Rows 0 … n - 1 are those of the base, then come those of the tail that were there at publication.

    Attributes:
        flat: the base's vectors, shape (n, dimension).
        base: keys and payloads of the base.
        tail: keys and payloads of the tail; it may hold more rows than this view knows of.
        tail_vectors: shape (m, dimension), float32.
        live: shape (n + m,); False where a product has gone or has come again with another vector.
        image_index: shape (n + m,), uint8; which of its product's images a row is: 0 the main one.
        max_images: no product has more of them.
        size: how many products are live.
        changes: products put and taken out so far.
    """

    flat: FlatSearch
    base: Segment
    tail: Segment
    tail_vectors: Float32Array
    live: BoolArray
    image_index: ImageArray
    max_images: int
    size: int
    changes: int

    def search(self, query: Float32Array, k: int, wanted: Filter, exclude: Collection[str]) -> list[Match]:
        """Return the k nearest products that meet a filter, best first, equal scores by key; each product once, with
        its best image.

        Args:
            query: shape (dimension,), float32, unit length.
            k: how many, at least 1; fewer come back when there are fewer.
            wanted: the filter.
            exclude: keys to leave out.
        """
        base = len(self.base.keys)
        want = k + len(exclude)
        allowed = self._allowed(wanted)
        in_base = self._base_candidates(query, want, allowed[:base])
        in_tail = self._tail_candidates(query, want, allowed[base:])
        rows = np.concatenate([in_base, in_tail + base])
        scores = self._scores(query, in_base, in_tail)
        found = (match for match in self._ranked(rows, scores) if match.key not in exclude)
        return list(islice(found, k))

    def facet_counts(self, wanted: Filter) -> FacetCounts:
        """Return what the products hold, and of each attribute what those hold that meet the filter, but for what it asks
        of that attribute.
        """
        among = {name: self._products(self._allowed(wanted.without(name))) for name in wanted.chosen}
        allowed = self._products(self._allowed(wanted))
        living = self._products(self.live)
        every = self._tallies(lambda _: living)
        chosen = self._tallies(lambda name: among.get(name, allowed)) if wanted else every
        return FacetCounts(every, chosen, self.size)

    def find(self, key: str, hint: int) -> int | None:
        """Return the row of a product's main image, or None. `hint` is that row as the writer has it, who may be ahead
        of this view.
        """
        if hint < len(self.live) and self._is_of(hint, key):
            return hint
        return next((row for row in reversed(range(len(self.live))) if self._is_of(row, key)), None)

    def _is_of(self, row: int, key: str) -> bool:
        return bool(self.live[row]) and self.image_index[row] == 0 and self.key(row) == key

    def rows(self) -> RowArray:
        """Return the rows of the main images of all live products."""
        rows: RowArray = np.flatnonzero(self._products(self.live))
        return rows

    def nth(self, place: int) -> int:
        """Return the row of the main image of the live product in this place, from 0."""
        return int(self.rows()[place])

    def key(self, row: int) -> str:
        """Return the key in a row."""
        base = len(self.base.keys)
        return self.base.keys[row] if row < base else self.tail.keys[row - base]

    def payload(self, row: int) -> bytes | None:
        """Return the payload in a row."""
        base = len(self.base.keys)
        return self.base.payloads[row] if row < base else self.tail.payloads[row - base]

    def vector(self, row: int) -> Float32Array:
        """Return the vector in a row, shape (dimension,), as a copy: the flat index's own memory goes with it."""
        base = len(self.base.keys)
        vector: Float32Array = self.flat.vectors[row] if row < base else self.tail_vectors[row - base]
        return vector.copy()

    def vectors(self, rows: RowArray) -> Float32Array:
        """Return the vectors in rows that ascend, shape (n, dimension), as a copy."""
        base = len(self.base.keys)
        return np.concatenate([self.flat.vectors[rows[rows < base]], self.tail_vectors[rows[rows >= base] - base]])

    def _products(self, rows: BoolArray) -> BoolArray:
        """Return which of the rows are main images: one row a product."""
        return rows if self.max_images == 1 else rows & (self.image_index == 0)

    def _allowed(self, wanted: Filter) -> BoolArray:
        return self.live & self._matching(wanted) if wanted else self.live

    def _tallies(self, among: Callable[[str], BoolArray]) -> list[dict[str, AttributeCounts]]:
        base, tail = len(self.base.keys), len(self.tail_vectors)
        in_base = self.base.tally(lambda name: among(name)[:base], base)
        return [in_base, self.tail.tally(lambda name: among(name)[base:], tail)]

    def _matching(self, wanted: Filter) -> BoolArray:
        in_base = self.base.matching(wanted, len(self.base.keys))
        return np.concatenate([in_base, self.tail.matching(wanted, len(self.tail_vectors))])

    def _base_candidates(self, query: Float32Array, want: int, allowed: BoolArray) -> RowArray:
        """Return the best rows of at least the `want` best products, and all that may score the same as the last."""
        count = want * min(self.max_images, FIRST_LOOK)
        rows, scores = self._nearest(query, count + 1, allowed)
        if len(rows) > count and self.max_images > FIRST_LOOK and self._count(rows[:count]) < want:
            count = want * self.max_images  # so many rows are of as many products as are wanted, whatever they are
            rows, scores = self._nearest(query, count + 1, allowed)
        if len(rows) <= count or scores[count] < scores[count - 1] - SCORE_NOISE:
            return rows
        return self.flat.range_search(query, float(scores[count - 1]) - SCORE_NOISE, None if allowed.all() else allowed)

    def _nearest(self, query: Float32Array, count: int, allowed: BoolArray) -> tuple[RowArray, Float32Array]:
        """Return the nearest allowed rows of the base, by the way that is likely to be the shorter one."""
        share = int(allowed.sum()) / max(1, len(allowed))
        if share == 1:
            return self.flat.nearest(query, count, None)
        wide = int(SPARE * count / share) if share else 0
        if 0 < wide * ROWS_A_SPARE < len(allowed):
            rows, scores = self.flat.nearest(query, wide, None)
            found = allowed[rows]
            if found.sum() >= count:
                return rows[found][:count], scores[found][:count]
        return self.flat.nearest(query, count, allowed)

    def _ranked(self, rows: RowArray, scores: NDArray[np.float64]) -> Iterator[Match]:
        """Yield the products of rows, each once, best first, equal scores by key and then by the image's place."""
        numbers, images = rows.tolist(), self.image_index[rows].tolist()
        found = zip((-scores).tolist(), map(self.key, numbers), images, numbers, strict=True)
        seen = set()
        for negative, key, image, row in sorted(found):
            if key not in seen:
                seen.add(key)
                yield Match(key, -negative, self.payload(row), image)

    def _count(self, in_base: RowArray) -> int:
        return len({self.base.keys[row] for row in in_base.tolist()})

    def _tail_candidates(self, query: Float32Array, want: int, allowed: BoolArray) -> RowArray:
        want *= self.max_images
        rows: RowArray = np.flatnonzero(allowed)
        if len(rows) <= want:
            return rows
        scores = (self.tail_vectors @ query)[rows]
        rows = rows[scores >= np.partition(scores, -want)[-want] - SCORE_NOISE]
        return rows

    def _scores(self, query: Float32Array, in_base: RowArray, in_tail: RowArray) -> NDArray[np.float64]:
        """Return the cosines of candidates, each added up in the same order, so that equal vectors score equally."""
        vectors = np.concatenate([self.flat.vectors[in_base], self.tail_vectors[in_tail]]).astype(np.float64)
        scores: NDArray[np.float64] = np.einsum("ij,j->i", vectors, query.astype(np.float64))
        return scores
