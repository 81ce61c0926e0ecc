"""The indexed products: one partition a category, searched inside one of them."""

import random
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, chain

from services.catalogue.product import InvalidVector, unit_vector
from services.contracts.domain.errors import CategoryElsewhere, DimensionMismatch, UnknownCategory, UnknownProduct
from services.contracts.domain.facets import Facet
from services.contracts.domain.filters import EVERYTHING, Filter
from services.engine.category_view import CategoryView, FlatSearchFactory, Float32Array, ImageArray, Match
from services.engine.facets import facets_of
from services.engine.partition import MERGE_ROWS, Partition


@dataclass(frozen=True)
class Query:
    """What is looked for.

    Attributes:
        k: how many, at least 1.
        filter: which ones.
        exclude: keys to leave out.
        min_score: the least cosine similarity of a match; any when None.
    """

    k: int = 10
    filter: Filter = EVERYTHING
    exclude: Collection[str] = frozenset()
    min_score: float | None = None


class Gallery:
    """All indexed products of one model. One thread at a time may change it; any number may search meanwhile."""

    def __init__(
        self,
        categories: int,
        dimension: int,
        build: FlatSearchFactory,
        merge_rows: int = MERGE_ROWS,
        held: Collection[int] | None = None,
    ) -> None:
        """Make an empty gallery.

        Args:
            categories: how many there are; their ids are 0 … categories - 1.
            dimension: numbers a vector.
            build: makes the flat index of a set of vectors.
            merge_rows: how many changes of a small category are borne before its flat index is made anew.
            held: the categories that may be put and searched; all when None.
        """
        self.categories = categories
        self.dimension = dimension
        self.held = frozenset(range(categories) if held is None else held)
        self._partitions = [Partition(dimension, build, merge_rows) for _ in range(categories)]
        self._changed: set[Partition] = set()

    def __len__(self) -> int:
        return sum(self.counts())

    def __contains__(self, key: object) -> bool:
        return any(key in partition for partition in self._partitions)

    def counts(self) -> list[int]:
        """Return the number of searchable products of each category."""
        return [partition.view.size for partition in self._partitions]

    def __iter__(self) -> Iterator[str]:
        """Yield the keys that the writer has, published or not."""
        return chain.from_iterable(partition.keys() for partition in self._partitions)

    @property
    def views(self) -> tuple[CategoryView, ...]:
        """What searches see of each category."""
        return tuple(partition.view for partition in self._partitions)

    def restore(
        self, category: int, vectors: Float32Array, image: ImageArray, keys: list[str], payloads: list[bytes | None]
    ) -> None:
        """Take a whole category, which was empty; searchable at once.

        Args:
            category: its id.
            vectors: shape (rows, dimension), float32, unit length.
            image: shape (rows,), uint8; which of its product's images a row is: 0 the main one, which each product has.
            keys: of each row its product's.
            payloads: of each row; only those of main images count.
        """
        self._partitions[category].restore(vectors, image, keys, payloads)

    def put(self, category: int, key: str, vectors: Float32Array, payload: bytes | None) -> None:
        """Take a product or its new state, from whatever category it was in; searchable after `publish`.

        Args:
            category: its id.
            key: the product's.
            vectors: shape (dimension,), or (images, dimension) with the main image's first; float32, unit length.
            payload: what a result shows of it.
        """
        for partition in self._partitions:
            if partition is not self._partitions[category] and partition.discard(key):
                self._changed.add(partition)
        self._partitions[category].put(key, vectors, payload)
        self._changed.add(self._partitions[category])

    def discard(self, key: str) -> None:
        """Take a product out, as of `publish`."""
        for partition in self._partitions:
            if partition.discard(key):
                self._changed.add(partition)

    def publish(self) -> None:
        """Let searches see what has changed."""
        while self._changed:
            self._changed.pop().publish()

    def current(self, key: str) -> tuple[int, Float32Array, bytes | None]:
        """Return what the writer has of a product, published or not: category, vectors of its images, payload.

        Raises:
            KeyError: it has nothing.
        """
        for category, partition in enumerate(self._partitions):
            if key in partition:
                return category, *partition.current(key)
        raise KeyError(key)

    def search(self, category: int, vector: Float32Array, query: Query) -> list[Match]:
        """Return the nearest products of a category, best first, equal scores by key; exact. A product comes once,
        with the score of its best image.

        Args:
            category: its id.
            vector: shape (dimension,), any length but zero.
            query: how many, which ones.

        Raises:
            UnknownCategory, CategoryElsewhere: there is no such category, or it is not held.
            DimensionMismatch: the vector has another length than the model's, or no direction.
        """
        self._check(category)
        try:
            unit = unit_vector(vector, self.dimension)
        except InvalidVector as error:
            raise DimensionMismatch(str(error)) from None
        found = self._partitions[category].view.search(unit, query.k, query.filter, query.exclude)
        return [match for match in found if query.min_score is None or match.score >= query.min_score]

    def similar(self, key: str, query: Query) -> tuple[int, list[Match]]:
        """Return a product's category and the products nearest to its main image, itself left out.

        Of the others every image counts. Its own further images are not asked about: they are details, backs and size
        charts, and a size chart is most like another product's size chart.

        Raises:
            UnknownProduct: it is not indexed.
        """
        category, vector, _ = self.find(key)
        return category, self.search(category, vector, replace(query, exclude={*query.exclude, key}))

    def facets(self, category: int, wanted: Filter, others: Iterable["Gallery"] = ()) -> list[Facet]:
        """Return what the products of a category can be filtered by, with counts among those that meet a filter.

        The products of other galleries are counted as well.
        """
        facet_counts = [one.views[category].facet_counts(wanted) for one in (self, *others)]
        every = [part for one in facet_counts for part in one.every]
        chosen = [part for one in facet_counts for part in one.chosen]
        return facets_of(every, chosen, sum(one.size for one in facet_counts))

    def sample(self, count: int, category: int | None, rng: random.Random) -> list[tuple[int, str, bytes | None]]:
        """Return category, key and payload of products chosen by chance; fewer than `count` where there are fewer.

        Raises:
            UnknownCategory, CategoryElsewhere: there is no such category, or it is not held.
        """
        if category is not None:
            self._check(category)
        chosen = range(len(self._partitions)) if category is None else [category]
        views = [(number, self._partitions[number].view) for number in chosen]
        ends = list(accumulate(view.size for _, view in views))
        found = []
        for place in rng.sample(range(ends[-1]), min(count, ends[-1])):
            number, view = views[bisect_right(ends, place)]
            row = view.nth(place - (ends[bisect_right(ends, place)] - view.size))
            found.append((number, view.key(row), view.payload(row)))
        return found

    def find(self, key: str) -> tuple[int, Float32Array, bytes | None]:
        """Return a product's category, its main image's vector of unit length, and payload.

        Raises:
            UnknownProduct: it is not indexed.
        """
        for category, partition in enumerate(self._partitions):
            found = partition.find(key)
            if found is not None:
                view, row = found
                return category, view.vector(row), view.payload(row)
        raise UnknownProduct(f"there is no product {key!r} in the index")

    def _check(self, category: int) -> None:
        if not 0 <= category < self.categories:
            raise UnknownCategory(f"there is no category {category}: the model has 0 to {self.categories - 1}")
        if category not in self.held:
            raise CategoryElsewhere(
                f"category {category} is not held here, but {', '.join(map(str, sorted(self.held)))}"
            )
