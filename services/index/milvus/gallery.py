"""The products of one catalogue by one model in Milvus, searched as a `Gallery` is. It holds no vectors in memory."""

import random
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from services.catalogue.product import Float32Array
from services.contracts.domain.errors import UnknownProduct, UpstreamTimeout
from services.contracts.domain.filtering.facets import Facet
from services.contracts.domain.filtering.filters import EVERYTHING, Filter
from services.engine.category_view import SCORE_NOISE, CategoryView, Match
from services.engine.deadline import NO_DEADLINE, Deadline
from services.engine.facets import FacetCounts, build_facets
from services.engine.gallery import Query, check_category, unit_query
from services.engine.segment import Segment
from services.index.milvus.catalogue_rows import MAIN, CatalogueRows
from services.index.milvus.collection import MAX_HITS, MilvusCollection, RowHit
from services.index.milvus.expressions import expression, token
from services.index.milvus.pending_changes import PendingChanges
from services.index.milvus.rows import MilvusEntry, key_and_payload

GROWTH = 4  # how many times more rows the next search asks for, if the first ones were not enough


@dataclass(frozen=True)
class _Segments:
    """The attributes of a category, for facets, and the state of the category that they were read at."""

    changes: int
    segment: Segment


class MilvusGallery:
    """A catalogue's products in a collection. One thread at a time may change it; any number may search it.

    Changes are collected, and written by `publish`, which returns when searches see them.

    Attributes:
        stored: the rows of the catalogue.
        pending: the changes that `publish` writes.
    """

    def __init__(self, collection: MilvusCollection, catalogue: str, categories: int, dimension: int) -> None:
        """Open nothing yet; see `CatalogueRows.open`.

        Args:
            collection: of the model.
            catalogue: its name.
            categories: the number of categories; their ids are 0 … categories - 1.
            dimension: numbers a vector.
        """
        self.collection = collection
        self.categories = categories
        self.dimension = dimension
        self.held = frozenset(range(categories))
        self.stored = CatalogueRows(collection, catalogue, categories)
        self.pending = PendingChanges(self.stored)
        self._segments: dict[int, _Segments] = {}
        self._lock = threading.Lock()

    # --- what a replica does

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.pending.has(key)

    def __iter__(self) -> Iterator[str]:
        """Yield the keys of all products."""
        return self.stored.keys()

    def put(self, category: int, key: str, vectors: Float32Array, payload: bytes | None) -> None:
        """Add a product, or replace it in any category; see `Gallery.put`."""
        self.pending.put(key, MilvusEntry(category, np.atleast_2d(vectors), payload))

    def discard(self, key: str) -> None:
        """Delete a product if it is there. Searches see it at the next `publish`."""
        self.pending.discard(key)

    def current(self, key: str) -> tuple[int, Float32Array, bytes | None]:
        """Return a product's category, vectors of its images and payload, published or not.

        Raises:
            KeyError: the product is not there.
        """
        entry = self.pending.current(key)
        return entry.category, entry.vectors, entry.payload

    def publish(self) -> None:
        """Write all changes, and wait until searches see them; see `PendingChanges.publish`."""
        self.pending.publish()

    # --- what a search does

    def __len__(self) -> int:
        return sum(self.stored.counts)

    @property
    def views(self) -> tuple[CategoryView, ...]:
        """None: there is nothing in memory to build columns or scales of."""
        return ()

    def counts(self) -> list[int]:
        """Return the number of products of each category."""
        return list(self.stored.counts)

    def rows(self, category: int) -> int:
        """Return a number that lets every search run in a thread: it waits for Milvus."""
        return sys.maxsize if 0 <= category < self.categories else 0

    def search(self, category: int, vector: Float32Array, query: Query) -> list[Match]:
        """Return the nearest products of a category, best first, equal scores by key; see `Gallery.search`.

        The rows that Milvus returns are scored again as `CategoryView` scores them, so that both engines agree to the
        last digit. With an exact index, the result is exact unless more than 16,384 images score the same.
        """
        check_category(category, self.categories, self.held)
        unit = unit_query(vector, self.dimension)
        wanted = query.k + len(query.exclude)
        condition = self._expression(query.filter, query.deadline) if query.filter else ""
        limit = min(wanted + 1, MAX_HITS)
        while True:
            hits = self.collection.search(
                self.stored.partitions[category], unit, limit, condition, _remaining(query.deadline)
            )
            ranked = _ranked(hits, unit)
            if len(hits) < limit or limit == MAX_HITS or _is_settled(ranked, hits, wanted):
                break
            limit = min(GROWTH * limit, MAX_HITS)
        matches = (match for match in ranked if match.key not in query.exclude)
        return [
            match for match in islice(matches, query.k) if query.min_score is None or match.score >= query.min_score
        ]

    def similar(self, key: str, query: Query) -> tuple[int, list[Match]]:
        """Return a product's category and the products nearest to its main image; see `Gallery.similar`.

        Raises:
            UnknownProduct: the product is not indexed.
        """
        category, vector, _ = self.find(key)
        return category, self.search(category, vector, replace(query, exclude={*query.exclude, key}))

    def named(self, category: int, vector: Float32Array, key: str) -> Match | None:
        """Return a product of a category as if a search found its main image; None if the category does not have it."""
        try:
            home, own, payload = self.find(key)
        except UnknownProduct:
            return None
        score = float(own.astype(np.float64) @ unit_query(vector, self.dimension).astype(np.float64))
        return Match(key, score, payload) if home == category else None

    def find(self, key: str) -> tuple[int, Float32Array, bytes | None]:
        """Return a product's category, its main image's vector, shape (dimension,), and its payload.

        Raises:
            UnknownProduct: the product is not indexed.
        """
        rows = self.stored.of_product(key, ["category", "image", "content", "vector"])
        rows = [row for row in rows if row["image"] == 0]
        if not rows:
            raise UnknownProduct(f"there is no product {key!r} in the index")
        _, payload, _ = key_and_payload(str(rows[0]["content"]))
        return int(str(rows[0]["category"])), np.array(rows[0]["vector"], np.float32), payload

    def is_prepared(self, category: int, query_filter: Filter, *, facets: bool) -> bool:
        """Return whether a search need not build anything: it never does."""
        return True

    def prepare(self, category: int, query_filter: Filter, *, facets: bool) -> None:
        """Do nothing: Milvus evaluates filters."""

    def facet_counts(self, category: int, query_filter: Filter, deadline: Deadline = NO_DEADLINE) -> FacetCounts:
        """Return what the products of a category hold of each attribute; see `CategoryView.facet_counts`.

        Milvus cannot group, so all products of the category are read, unless nothing has changed since the last time.

        Raises:
            UpstreamTimeout: the deadline has passed.
        """
        segment = self._attributes(category, deadline)
        rows = np.ones(len(segment.keys), np.bool_)
        total = [segment.count_values(EVERYTHING, rows, deadline)]
        matching = [segment.count_values(query_filter, rows, deadline)] if query_filter else total
        return FacetCounts(total, matching, len(rows), segment.columns.uncounted)

    def facets(self, category: int, query_filter: Filter, deadline: Deadline = NO_DEADLINE) -> list[Facet]:
        """Return the facets of a category; see `Gallery.facets`."""
        return build_facets(self.facet_counts(category, query_filter, deadline))

    def _attributes(self, category: int, deadline: Deadline) -> Segment:
        """Return the attributes of a category's products. Those of one category are kept."""
        changes = self.stored.changes[category]
        with self._lock:
            kept = self._segments.get(category)
        if kept is not None and kept.changes == changes:
            return kept.segment
        keys: list[str] = []
        payloads: list[bytes | None] = []
        for page in self.collection.scan(MAIN, ["content"], [self.stored.partitions[category]]):
            if deadline.remaining_s == 0:
                raise UpstreamTimeout(
                    f"facets of a category of {self.stored.counts[category]:,} products take longer than "
                    f"{deadline.seconds:g} s with Milvus: raise INDEX_SEARCH_TIMEOUT_S, or search without facets"
                )
            for row in page:
                key, payload, _ = key_and_payload(row["content"])
                keys.append(key)
                payloads.append(payload)
        segment = Segment(keys, payloads)
        with self._lock:
            self._segments = {category: _Segments(changes, segment)}
        return segment

    def count(self, category: int, query_filter: Filter, deadline: Deadline = NO_DEADLINE) -> int:
        """Return how many products of a category meet a filter.

        Raises:
            UpstreamTimeout: the deadline has passed.
        """
        condition = self._expression(query_filter, deadline)
        return self.collection.count(
            f"{MAIN} and ({condition})", self.stored.partitions[category], timeout_s=_remaining(deadline)
        )

    def lacking(self, category: int, names: Iterable[str]) -> set[str]:
        """Return which of these attributes no product of a category has."""
        return {
            name for name in names if not self.stored.any_with(token(name, "has"), [self.stored.partitions[category]])
        }

    def sample(self, count: int, category: int | None, rng: random.Random) -> list[tuple[int, str, bytes | None]]:
        """Return category, key and payload of random products; see `Gallery.sample`.

        Products are in the order of hashes, so those after a random hash are random.
        """
        if category is not None:
            check_category(category, self.categories, self.held)
        partitions = self.stored.partitions if category is None else [self.stored.partitions[category]]
        start = f"{rng.getrandbits(128):032x}"
        fields = ["category", "content"]
        rows = self.collection.query(f'{MAIN} and row >= "{start}"', fields, partitions, limit=count)
        if len(rows) < count:
            rows += self.collection.query(f'{MAIN} and row < "{start}"', fields, partitions, limit=count - len(rows))
        products = [(int(row["category"]), *key_and_payload(row["content"])[:2]) for row in rows]
        return rng.sample(products, len(products))

    def _expression(self, query_filter: Filter, deadline: Deadline) -> str:
        deadline.check()
        return expression(query_filter, self.stored.has_lists)


def _remaining(deadline: Deadline) -> float | None:
    deadline.check()
    return deadline.remaining_s


def _ranked(hits: list[RowHit], unit: Float32Array) -> list[Match]:
    """Return the products of rows, each once by its best image, best first, equal scores by key and then by image."""
    if not hits:
        return []
    vectors = np.array([hit.fields["vector"] for hit in hits], np.float32).astype(np.float64)
    scores = np.einsum("ij,j->i", vectors, unit.astype(np.float64)).tolist()
    facts = [key_and_payload(hit.fields["content"]) for hit in hits]
    rows = [
        Match(key, score, payload, int(hit.fields["image"]))
        for score, (key, payload, _), hit in zip(scores, facts, hits, strict=True)
    ]
    best: dict[str, Match] = {}
    for match in sorted(rows, key=lambda match: (-match.score, match.key, match.image_index)):
        best.setdefault(match.key, match)
    return list(best.values())


def _is_settled(ranked: list[Match], hits: list[RowHit], wanted: int) -> bool:
    """Return whether no row that is missing can score like one of the wanted products."""
    return len(ranked) >= wanted and ranked[wanted - 1].score > hits[-1].distance + SCORE_NOISE
