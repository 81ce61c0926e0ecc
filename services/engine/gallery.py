"""The indexed products of one model: a partition for each category, searched one category at a time."""

import random
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, chain

import numpy as np

from services.catalogue.product import InvalidVector, unit_vector
from services.contracts.domain.errors import CategoryElsewhere, DimensionMismatch, UnknownCategory, UnknownProduct
from services.contracts.domain.filtering.facets import Facet
from services.contracts.domain.filtering.filters import EVERYTHING, Filter
from services.engine.category_view import CategoryView, FlatSearchFactory, Float32Array, Match
from services.engine.deadline import NO_DEADLINE, Deadline
from services.engine.facets import FacetCounts, build_facets
from services.engine.packed.rows import ImageArray, PackedRows
from services.engine.partition import MERGE_ROWS, Partition
from services.engine.revision import Revision


@dataclass(frozen=True)
class Query:
    """How many products to return, and which.

    Attributes:
        k: the number of products, at least 1.
        filter: the products to search.
        exclude: keys to leave out.
        min_score: the smallest cosine similarity of a match; any if None.
        deadline: of the search.
        group_by: of products with the same value of this attribute, the nearest only; `multi_search` applies it.
    """

    k: int = 10
    filter: Filter = EVERYTHING
    exclude: Collection[str] = frozenset()
    min_score: float | None = None
    deadline: Deadline = NO_DEADLINE
    group_by: str | None = None


class Gallery:
    """All indexed products of one model. One thread at a time may change it; any number of threads may search it."""

    def __init__(
        self,
        categories: int,
        dimension: int,
        build: FlatSearchFactory,
        merge_rows: int = MERGE_ROWS,
        held: Collection[int] | None = None,
        revision: Revision | None = None,
    ) -> None:
        """Make an empty gallery.

        Args:
            categories: the number of categories; their ids are 0 … categories - 1.
            dimension: numbers a vector.
            build: makes the flat index of a set of vectors.
            merge_rows: how many changed rows of a small category do not yet cause a new flat index.
            held: the categories that may be put and searched; all if None.
            revision: of what searches see; the gallery's own if None.
        """
        self.categories = categories
        self.dimension = dimension
        self.held = frozenset(range(categories) if held is None else held)
        self._partitions = [Partition(dimension, build, merge_rows) for _ in range(categories)]
        self._changed: set[Partition] = set()
        self._revision = revision or Revision()

    def __len__(self) -> int:
        return sum(self.counts())

    def __contains__(self, key: object) -> bool:
        return any(key in partition for partition in self._partitions)

    def counts(self) -> list[int]:
        """Return the number of searchable products of each category."""
        return [partition.view.size for partition in self._partitions]

    def rows(self, category: int) -> int:
        """Return how many rows a category has, those of deleted products included; 0 if there is no such category."""
        return len(self._partitions[category].view.live) if 0 <= category < self.categories else 0

    def __iter__(self) -> Iterator[str]:
        """Yield the writer's keys, published or not."""
        return chain.from_iterable(partition.keys() for partition in self._partitions)

    @property
    def views(self) -> tuple[CategoryView, ...]:
        """What searches see of each category."""
        return tuple(partition.view for partition in self._partitions)

    def restore(self, category: int, vectors: Float32Array, image_index: ImageArray, rows: PackedRows) -> None:
        """Set all products of an empty category. They are searchable at once.

        Args:
            category: its id.
            vectors: shape (rows, dimension), float32, unit length.
            image_index: shape (rows,), uint8; the place of each row's image among its product's images. Each product
                has a row with 0.
            rows: the key and the payload of each row.
        """
        self._partitions[category].restore(vectors, image_index, rows)

    def put(self, category: int, key: str, vectors: Float32Array, payload: bytes | None) -> None:
        """Add a product, or replace it in any category. Searches see it at the next `publish`.

        Args:
            category: its id.
            key: of the product.
            vectors: shape (dimension,), or (images, dimension) with the main image's first; float32, unit length.
            payload: what a result shows of the product.
        """
        for partition in self._partitions:
            if partition is not self._partitions[category] and partition.discard(key):
                self._changed.add(partition)
        self._partitions[category].put(key, vectors, payload)
        self._changed.add(self._partitions[category])

    def discard(self, key: str) -> None:
        """Delete a product if it is there. Searches see it at the next `publish`."""
        for partition in self._partitions:
            if partition.discard(key):
                self._changed.add(partition)

    def publish(self) -> None:
        """Make all changes visible to searches."""
        if not self._changed:
            return
        with self._revision.changing():
            while self._changed:
                self._changed.pop().publish()

    def current(self, key: str) -> tuple[int, Float32Array, bytes | None]:
        """Return a product's category, vectors of its images and payload, published or not.

        Raises:
            KeyError: the product is not there.
        """
        for category, partition in enumerate(self._partitions):
            if key in partition:
                return category, *partition.current(key)
        raise KeyError(key)

    def search(self, category: int, vector: Float32Array, query: Query) -> list[Match]:
        """Return the nearest products of a category, best first, equal scores by key; the search is exact.

        A product is returned once, with the score of its best image.

        Args:
            category: its id.
            vector: shape (dimension,), of any length but zero.
            query: how many products, and which.

        Raises:
            UnknownCategory: there is no such category.
            CategoryElsewhere: the category is not held here.
            DimensionMismatch: the vector has another dimension than the model's, or length zero.
            UpstreamTimeout: the query's deadline has passed.
        """
        check_category(category, self.categories, self.held)
        unit = unit_query(vector, self.dimension)
        matches = self._partitions[category].view.search(unit, query.k, query.filter, query.exclude, query.deadline)
        return [match for match in matches if query.min_score is None or match.score >= query.min_score]

    def named(self, category: int, vector: Float32Array, key: str) -> Match | None:
        """Return a product of a category as if a search found its main image; None if the category does not have it.

        Raises:
            DimensionMismatch: the vector has another dimension than the model's, or length zero.
        """
        location = self._partitions[category].find(key)
        if location is None:
            return None
        view, row = location
        score = float(view.vector(row).astype(np.float64) @ unit_query(vector, self.dimension).astype(np.float64))
        return Match(key, score, view.payload(row))

    def similar(self, key: str, query: Query) -> tuple[int, list[Match]]:
        """Return a product's category and the products nearest to its main image, without the product itself.

        All images of the other products are compared. The product's own additional images are not: they show details,
        backs and size charts, and a size chart is nearest to another product's size chart.

        Raises:
            UnknownProduct: the product is not indexed.
        """
        category, vector, _ = self.find(key)
        return category, self.search(category, vector, replace(query, exclude={*query.exclude, key}))

    def is_prepared(self, category: int, query_filter: Filter, *, facets: bool) -> bool:
        """Return whether a search of a category need not build columns of attributes; True if it is not held here."""
        return category not in self.held or self.views[category].is_prepared(query_filter, facets=facets)

    def prepare(self, category: int, query_filter: Filter, *, facets: bool) -> None:
        """Build the columns of a filter's attributes in a category, and of facets if wanted. It may take seconds."""
        if category in self.held:
            self.views[category].prepare(query_filter, facets=facets)

    def facet_counts(self, category: int, query_filter: Filter, deadline: Deadline = NO_DEADLINE) -> FacetCounts:
        """Return what the products of a category hold of each attribute; see `CategoryView.facet_counts`.

        Raises:
            UpstreamTimeout: the deadline has passed.
        """
        return self.views[category].facet_counts(query_filter, deadline)

    def facets(self, category: int, query_filter: Filter, deadline: Deadline = NO_DEADLINE) -> list[Facet]:
        """Return the facets of a category, with counts among the products that meet a filter.

        Raises:
            UpstreamTimeout: the deadline has passed.
        """
        return build_facets(self.facet_counts(category, query_filter, deadline))

    def count(self, category: int, query_filter: Filter, deadline: Deadline = NO_DEADLINE) -> int:
        """Return how many products of a category meet a filter.

        Raises:
            UpstreamTimeout: the deadline has passed.
        """
        return self.views[category].count(query_filter, deadline)

    def lacking(self, category: int, names: Iterable[str]) -> set[str]:
        """Return which of these attributes no product of a category has."""
        return self.views[category].lacking(names)

    def sample(self, count: int, category: int | None, rng: random.Random) -> list[tuple[int, str, bytes | None]]:
        """Return category, key and payload of random products; fewer than `count` if there are fewer.

        Args:
            count: the number of products.
            category: its id; all held categories if None.
            rng: the source of randomness.

        Raises:
            UnknownCategory: there is no such category.
            CategoryElsewhere: the category is not held here.
        """
        if category is not None:
            check_category(category, self.categories, self.held)
        categories = range(len(self._partitions)) if category is None else [category]
        views = [(number, self._partitions[number].view) for number in categories]
        ends = list(accumulate(view.size for _, view in views))
        products = []
        for place in rng.sample(range(ends[-1]), min(count, ends[-1])):
            position = bisect_right(ends, place)
            number, view = views[position]
            row = int(view.rows()[place - (ends[position] - view.size)])
            products.append((number, view.key(row), view.payload(row)))
        return products

    def find(self, key: str) -> tuple[int, Float32Array, bytes | None]:
        """Return a product's category, its main image's vector of unit length, shape (dimension,), and its payload.

        Raises:
            UnknownProduct: the product is not indexed.
        """
        for category, partition in enumerate(self._partitions):
            location = partition.find(key)
            if location is not None:
                view, row = location
                return category, view.vector(row), view.payload(row)
        raise UnknownProduct(f"there is no product {key!r} in the index")


def unit_query(vector: Float32Array, dimension: int) -> Float32Array:
    """Return a query's vector with unit length, shape (dimension,).

    Raises:
        DimensionMismatch: it has another dimension, or no length.
    """
    try:
        return unit_vector(vector, dimension)
    except InvalidVector as error:
        raise DimensionMismatch(str(error)) from None


def check_category(category: int, categories: int, held: Collection[int]) -> None:
    """Return if a node can search a category.

    Args:
        category: its id.
        categories: how many the model has.
        held: those that the node holds.

    Raises:
        UnknownCategory: the model has no such category.
        CategoryElsewhere: the node does not hold it.
    """
    if not 0 <= category < categories:
        raise UnknownCategory(f"there is no category {category}: the model has 0 to {categories - 1}")
    if category not in held:
        text = ", ".join(map(str, sorted(held)))
        raise CategoryElsewhere(f"category {category} is not held here; this node holds {text}")
