"""The operations and the kills of a run, drawn by a seed."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from services.catalogue.product import Float32Array, Product, unit_vector
from tests.support.servers.index import CATEGORIES
from tests.support.values.products import make_product

MODEL = "fashion/1"
GONE = 0  # the revision of a product that does not exist
DELETES = 0.25  # of the batches
KINDS = {"index": 4, "database": 4, "importer": 3, "milvus": 3, "gateway": 3}  # how often each is killed, in proportion
STOPS = 1 / 3  # of the ends of the database
SNAPSHOTS = {"kept": 8, "removed": 1, "damaged": 1}  # the state of the snapshot when an index restarts, in proportion


@dataclass(frozen=True)
class Write:
    """One operation: a product gets a revision, or is deleted."""

    key: str
    revision: int


@dataclass(frozen=True)
class Kill:
    """A kill after a number of operations, how long the process stays down, and what happens to an index's snapshot.

    `is_stop`: a database is stopped by SIGTERM instead, and may answer the last request of a stream with nothing.
    """

    after: int
    kind: str
    down_s: float
    snapshot: str
    is_stop: bool = False


class Plan:
    """Draws operations and kills: the same seed gives the same ones."""

    def __init__(self, seed: int, operations: int, products: int, batch: int) -> None:
        """Draw nothing yet.

        Args:
            seed: of everything.
            operations: their number.
            products: the number of keys.
            batch: the largest number of operations sent together.
        """
        self.operations = operations
        self._seed = seed
        self._products = products
        self._batch = batch

    def batches(self) -> Iterator[list[Write]]:
        """Yield the operations that are sent together: writes or deletions, each key once."""
        draw, number = random.Random(f"operations {self._seed}"), 0
        while number < self.operations:
            size = min(draw.randint(1, self._batch), self._products, self.operations - number)
            is_delete = draw.random() < DELETES
            keys = draw.sample(range(self._products), size)
            yield [Write(f"k{key}", GONE if is_delete else number + at) for at, key in enumerate(keys, 1)]
            number += size

    def kills(self, count: int, kinds: Sequence[str]) -> list[Kill]:
        """Return kills in order, at least one of each kind if there are enough."""
        draw = random.Random(f"kills {self._seed}")
        moments = sorted(draw.sample(range(1, self.operations), count))
        weights = [KINDS[kind] for kind in kinds]
        drawn = [*kinds, *draw.choices(kinds, weights, k=count)][:count]
        draw.shuffle(drawn)
        snapshots = draw.choices(list(SNAPSHOTS), list(SNAPSHOTS.values()), k=count)
        planned = zip(moments, drawn, snapshots, strict=True)
        stops = random.Random(f"stops {self._seed}")
        return [
            Kill(after, kind, draw.uniform(0, 2), snapshot, kind == "database" and stops.random() < STOPS)
            for after, kind, snapshot in planned
        ]


@lru_cache(50_000)
def category_of(revision: int) -> int:
    """Return the category of a revision."""
    return random.Random(f"category {revision}").randrange(len(CATEGORIES))


@lru_cache(50_000)
def vector_of(revision: int) -> Float32Array:
    """Return the vector of a revision, shape (64,), unit length."""
    return unit_vector(np.random.default_rng(revision).standard_normal(64).astype(np.float32))


def product(write: Write) -> Product:
    """Return the product that a write gives."""
    return make_product(
        key=write.key,
        category=category_of(write.revision),
        vector=vector_of(write.revision),
        model=MODEL,
        title=f"Revision {write.revision}",
        url=f"https://shop.example/{write.key}",
        attributes={"revision": write.revision, "shelf": category_of(write.revision)},
        category_source="feed",
    )
