"""The products of one catalogue by one model in Milvus, searched as a `Gallery` is. It holds no vectors in memory."""

import random
import sys
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from services.catalogue.product import MAX_IMAGES, Float32Array
from services.contracts.domain.errors import (
    UnknownProduct,
    UpstreamTimeout,
)
from services.contracts.domain.filtering.facets import Facet
from services.contracts.domain.filtering.filters import EVERYTHING, Filter
from services.engine.category_view import SCORE_NOISE, CategoryView, Match
from services.engine.deadline import NO_DEADLINE, Deadline
from services.engine.facets import FacetCounts, build_facets
from services.engine.gallery import Query, check_category, unit_query
from services.engine.segment import Segment
from services.index.milvus.collection import MAX_HITS, MilvusCollection, RowHit, partition_of
from services.index.milvus.expressions import EVERY, contains, expression, token
from services.index.milvus.rows import Entry, Stored, digest_of, key_and_payload, rows_of, version_of

MAIN = "image == 0"
GROWTH = 4  # how many times more rows the next search asks for, if the first ones were not enough
KEYS_AT_ONCE = MAX_HITS // MAX_IMAGES
Wanted = Entry | None  # None for a product that is to be deleted


@dataclass(frozen=True)
class _Segments:
    """The attributes of a category, for facets, and the state of the category that they were read at."""

    changes: int
    segment: Segment


class MilvusGallery:
    """A catalogue's products in a collection. One thread at a time may change it; any number may search it.

    Changes are collected, and written by `publish`, which returns when searches see them.
    """

    def __init__(self, collection: MilvusCollection, catalogue: str, categories: int, dimension: int) -> None:
        """Open nothing yet; see `open`.

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
        self._catalogue = catalogue
        self._partitions = [partition_of(catalogue, category) for category in self.held]
        self._counts = [0] * categories
        self._changes = [0] * categories
        self._is_open = False
        self._known: dict[str, Stored | None] = {}  # by key, as Milvus has it
        self._wanted: dict[str, Wanted] = {}
        self._loaded: set[int] | None = None  # hashes of the products that a load in progress has seen
        self._was_empty = False
        self._is_dirty = False  # changes have been written that searches may not see yet
        self._with_lists: dict[int, bool] = {}  # whether an attribute has several numbers or dates in any product
        self._segments: dict[int, _Segments] = {}
        self._lock = threading.Lock()

    # --- what a replica does

    def open(self) -> None:
        """Make missing partitions, and count the products.

        Raises:
            IndexNotReady, UpstreamTimeout: Milvus is unavailable.
        """
        if self._is_open:
            return
        self.collection.open(self._partitions)
        self._counts = [self._count_strongly(category) for category in range(self.categories)]
        self._is_open = True

    def begin_load(self) -> None:
        """Expect all products, each once or more. Nothing waits for searches to see them before `end_load`."""
        self.open()
        self._loaded, self._was_empty = set(), len(self) == 0

    def end_load(self) -> None:
        """Delete the products that the load has not seen, and wait until searches see all changes."""
        loaded, self._loaded = self._loaded or set(), None
        if not self._was_empty:
            for rows in self.collection.scan(EVERY, ["product", "category"], self._partitions):
                for category in self.held:
                    gone = [
                        row["row"] for row in rows if row["category"] == category and hash(row["product"]) not in loaded
                    ]
                    self.collection.delete(gone, self._partitions[category])
        self._counts = [self._count_strongly(category) for category in range(self.categories)]
        self._changes = [changes + 1 for changes in self._changes]
        self._is_dirty = False

    def forget(self) -> None:
        """Forget the rows that `fetch` has read: others may have changed them."""
        self._known.clear()

    def fetch(self, keys: Iterable[str]) -> None:
        """Read what Milvus holds of products, as long as it is not known yet."""
        self.open()
        missing = {self._digest(key): key for key in keys if key not in self._known}
        if self._loaded is not None and self._was_empty:  # only what this load has written can be there
            seen = {digest: key for digest, key in missing.items() if hash(digest) in self._loaded}
            self._known |= {key: None for digest, key in missing.items() if digest not in seen}
            missing = seen
        if missing and self._is_dirty:
            self._wait_until_visible()
        digests = list(missing)
        for begin in range(0, len(digests), KEYS_AT_ONCE):
            part = digests[begin : begin + KEYS_AT_ONCE]
            self._known |= {missing[digest]: None for digest in part}
            for digest, stored in self._stored(part).items():
                self._known[missing[digest]] = stored

    def _stored(self, digests: list[str]) -> Mapping[str, Stored]:
        quoted = ", ".join(f'"{digest}"' for digest in digests)
        fields = ["row", "product", "version", "category"]
        rows = self.collection.query(f"product in [{quoted}]", fields, self._partitions)
        found: dict[str, Stored] = {}
        for row in rows:
            before = found.get(row["product"])
            ids = (before.rows if before else frozenset()) | {row["row"]}
            # Rows of two versions or partitions are left of an interrupted change: their version is none.
            is_same = before is None or (before.version, before.category) == (row["version"], row["category"])
            found[row["product"]] = Stored(row["category"], row["version"] if is_same else "", ids)
        return found

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, str):
            return False
        if key in self._wanted:
            return self._wanted[key] is not None
        self.fetch([key])
        return self._known[key] is not None

    def put(
        self, category: int, key: str, vectors: Float32Array, payload: bytes | None, source: str | None = None
    ) -> None:
        """Add a product, or replace it in any category; see `Gallery.put`. `source`: its legacy document."""
        self._wanted[key] = Entry(category, np.atleast_2d(vectors), payload, source)

    def discard(self, key: str) -> None:
        """Delete a product if it is there. Searches see it at the next `publish`."""
        self._wanted[key] = None

    def holds(self, key: str, category: int, vectors: Float32Array, payload: bytes | None, source: str | None) -> bool:
        """Return whether a product is in exactly this state."""
        self.fetch([key])
        stored = self._known[key]
        return stored is not None and stored.version == version_of(
            key, Entry(category, np.atleast_2d(vectors), payload, source)
        )

    def current(self, key: str) -> tuple[int, Float32Array, bytes | None]:
        """Return a product's category, vectors of its images and payload, published or not.

        Raises:
            KeyError: the product is not there.
        """
        wanted = self._wanted.get(key)
        if wanted is not None:
            return wanted.category, wanted.vectors, wanted.payload
        if key in self._wanted or key not in self:
            raise KeyError(key)
        rows = self._rows_of(key, ["category", "image", "content", "vector"])
        rows.sort(key=lambda row: int(row["image"]))  # type: ignore[call-overload]
        _, payload, _ = key_and_payload(str(rows[0]["content"]))
        vectors = np.array([row["vector"] for row in rows], np.float32)
        return int(str(rows[0]["category"])), vectors, payload

    def publish(self) -> None:
        """Write all changes, and wait until searches see them. After an error, the changes have to be applied again.

        Raises:
            IndexNotReady, UpstreamTimeout: Milvus is unavailable.
        """
        try:
            self._publish()
        finally:
            self._wanted.clear()
            self._known.clear()

    def _publish(self) -> None:
        self.fetch(self._wanted)
        deleted: dict[int, list[str]] = {}
        written: dict[int, list[dict[str, object]]] = {}
        for key, entry in self._wanted.items():
            stored = self._known[key]
            if self._loaded is not None and entry is not None:
                self._loaded.add(hash(self._digest(key)))
            if stored is not None and entry is not None and stored.version == version_of(key, entry):
                continue
            rows = [] if entry is None else rows_of(self._catalogue, key, entry)
            kept = {row["row"] for row in rows} if entry and stored and stored.category == entry.category else set()
            if stored is not None and stored.rows - kept:
                deleted.setdefault(stored.category, []).extend(stored.rows - kept)
            if entry is not None:
                written.setdefault(entry.category, []).extend(rows)
                self._note_lists(rows[0]["tokens"])
        for category, ids in deleted.items():
            self.collection.delete(ids, self._partitions[category])
        for category, new_rows in written.items():
            self.collection.write(new_rows, self._partitions[category])
        changed = deleted.keys() | written.keys()
        self._is_dirty = self._is_dirty or bool(changed)
        if changed and self._loaded is None:
            for category in changed:  # a strongly consistent count waits until all changes are visible
                self._counts[category] = self._count_strongly(category)
                self._changes[category] += 1
            self._is_dirty = False

    def _note_lists(self, tokens: Collection[int]) -> None:
        for each in self._with_lists.keys() & set(tokens):
            self._with_lists[each] = True

    def _wait_until_visible(self) -> None:
        self._count_strongly(0)
        self._is_dirty = False

    def _count_strongly(self, category: int) -> int:
        return self.collection.count(MAIN, self._partitions[category], strong=True)

    def legacy_sources(self) -> dict[str, str]:
        """Return the legacy document of each product that is made of one."""
        pages = self.collection.scan(f"legacy == true and {MAIN}", ["content"], self._partitions)
        facts = (key_and_payload(row["content"]) for page in pages for row in page)
        return {key: source for key, _, source in facts if source is not None}

    def __iter__(self) -> Iterator[str]:
        """Yield the keys of all products."""
        for page in self.collection.scan(MAIN, ["content"], self._partitions):
            yield from (key_and_payload(row["content"])[0] for row in page)

    # --- what a search does

    def __len__(self) -> int:
        return sum(self._counts)

    @property
    def views(self) -> tuple[CategoryView, ...]:
        """None: there is nothing in memory to build columns or scales of."""
        return ()

    def counts(self) -> list[int]:
        """Return the number of products of each category."""
        return list(self._counts)

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
        condition = self._expression(query.filter, query.deadline)
        limit = min(wanted + 1, MAX_HITS)
        while True:
            hits = self.collection.search(
                self._partitions[category], unit, limit, condition if query.filter else "", _remaining(query.deadline)
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
        rows = [row for row in self._rows_of(key, ["category", "image", "content", "vector"]) if row["image"] == 0]
        if not rows:
            raise UnknownProduct(f"there is no product {key!r} in the index")
        _, payload, _ = key_and_payload(str(rows[0]["content"]))
        return int(str(rows[0]["category"])), np.array(rows[0]["vector"], np.float32), payload

    def _rows_of(self, key: str, fields: list[str]) -> list[dict[str, object]]:
        return self.collection.query(f'product == "{self._digest(key)}"', fields, self._partitions)

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
        changes = self._changes[category]
        with self._lock:
            kept = self._segments.get(category)
        if kept is not None and kept.changes == changes:
            return kept.segment
        keys: list[str] = []
        payloads: list[bytes | None] = []
        for page in self.collection.scan(MAIN, ["content"], [self._partitions[category]]):
            if deadline.remaining_s == 0:
                raise UpstreamTimeout(
                    f"facets of a category of {self._counts[category]:,} products take longer than "
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
            f"{MAIN} and ({condition})", self._partitions[category], timeout_s=_remaining(deadline)
        )

    def lacking(self, category: int, names: Iterable[str]) -> set[str]:
        """Return which of these attributes no product of a category has."""
        return {name for name in names if not self._any_with(token(name, "has"), [self._partitions[category]])}

    def sample(self, count: int, category: int | None, rng: random.Random) -> list[tuple[int, str, bytes | None]]:
        """Return category, key and payload of random products; see `Gallery.sample`.

        Products are in the order of hashes, so those after a random hash are random.
        """
        if category is not None:
            check_category(category, self.categories, self.held)
        partitions = self._partitions if category is None else [self._partitions[category]]
        start = f"{rng.getrandbits(128):032x}"
        fields = ["category", "content"]
        rows = self.collection.query(f'{MAIN} and row >= "{start}"', fields, partitions, limit=count)
        if len(rows) < count:
            rows += self.collection.query(f'{MAIN} and row < "{start}"', fields, partitions, limit=count - len(rows))
        products = [(int(row["category"]), *key_and_payload(row["content"])[:2]) for row in rows]
        return rng.sample(products, len(products))

    def _expression(self, query_filter: Filter, deadline: Deadline) -> str:
        deadline.check()

        def has_lists(kind: int) -> bool:
            if kind not in self._with_lists:
                # Changes from here on set it: see `_note_lists`.
                self._with_lists[kind] = False
                if self._any_with(kind, self._partitions):
                    self._with_lists[kind] = True
            return self._with_lists[kind]

        return expression(query_filter, has_lists)

    def _any_with(self, wanted: int, partitions: list[str]) -> bool:
        return bool(self.collection.query(contains([wanted]), ["image"], partitions, limit=1))

    def _digest(self, key: str) -> str:
        return digest_of(f"{self._catalogue}/{key}")


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
