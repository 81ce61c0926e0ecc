"""What searches and a replica need of a gallery, wherever its vectors are: in this process, or in another engine."""

import random
from collections.abc import Collection, Iterable, Iterator
from typing import Protocol

from services.contracts.domain.filtering.filters import Filter
from services.engine.category_view import CategoryView, Float32Array, Match
from services.engine.deadline import NO_DEADLINE, Deadline
from services.engine.facets import FacetCounts
from services.engine.gallery import Query


class ProductGallery(Protocol):
    """The indexed products of one catalogue and model; `Gallery` says what each method does.

    One thread at a time may change it; any number of threads may search it.
    """

    categories: int
    dimension: int
    held: frozenset[int]

    def __len__(self) -> int: ...

    def __contains__(self, key: object) -> bool: ...

    def __iter__(self) -> Iterator[str]: ...

    @property
    def views(self) -> tuple[CategoryView, ...]:
        """The views in memory of each category; empty if another engine holds the products."""

    def counts(self) -> list[int]: ...

    def rows(self, category: int) -> int: ...

    def put(self, category: int, key: str, vectors: Float32Array, payload: bytes | None) -> None: ...

    def discard(self, key: str) -> None: ...

    def publish(self) -> None: ...

    def current(self, key: str) -> tuple[int, Float32Array, bytes | None]: ...

    def search(self, category: int, vector: Float32Array, query: Query) -> list[Match]: ...

    def similar(self, key: str, query: Query) -> tuple[int, list[Match]]: ...

    def named(self, category: int, vector: Float32Array, key: str) -> Match | None: ...

    def find(self, key: str) -> tuple[int, Float32Array, bytes | None]: ...

    def is_prepared(self, category: int, query_filter: Filter, *, facets: bool) -> bool: ...

    def prepare(self, category: int, query_filter: Filter, *, facets: bool) -> None: ...

    def facet_counts(self, category: int, query_filter: Filter, deadline: Deadline = NO_DEADLINE) -> FacetCounts: ...

    def count(self, category: int, query_filter: Filter, deadline: Deadline = NO_DEADLINE) -> int: ...

    def lacking(self, category: int, names: Iterable[str]) -> Collection[str]: ...

    def sample(self, count: int, category: int | None, rng: random.Random) -> list[tuple[int, str, bytes | None]]: ...
