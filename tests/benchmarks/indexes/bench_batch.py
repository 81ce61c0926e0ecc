"""Whether one call of FAISS for several queries is cheaper than a call for each, in processor time.

Two ways to search a batch: FAISS scans the 8-bit codes for each query, in one call; or it multiplies the matrices of
queries and vectors, which reads the vectors once for all queries. The first is compared with the same scans one by one;
the second with searches in two stages, one by one. The ways take turns.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in the service

import time
from collections.abc import Callable
from typing import Any

import faiss
import numpy as np

from services.engine.category_view import Float32Array
from services.engine.coarse_scan import CANDIDATES, CoarseScan
from tests.benchmarks.indexes.bench_million import unit_vectors

SIZES = (100_000, 400_000, 1_000_000)
BATCHES = (2, 4, 8, 16)
K = 12
VECTORS_READ = 12_000_000  # by each way and batch, so that each size takes as long
SEED = 20261130


class Ways:
    """The ways to search a batch of queries among vectors."""

    def __init__(self, vectors: Float32Array) -> None:
        self._scan = CoarseScan(vectors)
        self._flat = faiss.IndexFlatIP(vectors.shape[1])
        self._flat.add(vectors)

    def searches(self, queries: Float32Array) -> None:
        """Search in two stages, one query after the other."""
        for query in queries:
            self._scan.nearest(query, K, None)

    def product(self, queries: Float32Array) -> None:
        """Multiply the matrices of queries and vectors."""
        default = faiss.cvar.distance_compute_blas_threshold
        faiss.cvar.distance_compute_blas_threshold = 1
        try:
            self._flat.search(queries, K)
        finally:
            faiss.cvar.distance_compute_blas_threshold = default

    def scans(self, queries: Float32Array) -> None:
        """Scan the codes, one query after the other."""
        for query in queries:
            self.one_scan(query[None, :])

    def one_scan(self, queries: Float32Array) -> None:
        """Scan the codes for all queries in one call."""
        self._scan._codes.search(self._scan._coded(queries), CANDIDATES[0])


def compared(
    other_product: Callable[[Float32Array], None],
    other: Callable[[Float32Array], None],
    queries: Float32Array,
    size: int,
    turns: int,
) -> float:
    """Return the median ratio of the processor times of two ways to search batches: the second to the first."""
    ratios = []
    for turn in range(turns):
        batch = queries[np.arange(turn * size, (turn + 1) * size) % len(queries)]
        ways = [other_product, other] if turn % 2 else [other, other_product]
        times = {way: took(way, batch) for way in ways}
        ratios.append(times[other] / times[other_product])
    return float(np.median(ratios))


def took(way: Callable[[Float32Array], None], batch: Float32Array) -> float:
    """Return the seconds of processor time that a way takes."""
    began = time.thread_time()
    way(batch)
    return time.thread_time() - began


def main() -> dict[str, Any]:
    """Print and return a row for each number of products, with the ratios for each size of a batch."""
    rows, rng = [], np.random.default_rng(SEED)
    for count in SIZES:
        ways, queries, row = Ways(unit_vectors(rng, count)), unit_vectors(rng, 64), {"products": float(count)}
        turns = {size: max(6, VECTORS_READ // count // size) for size in BATCHES}
        for size in BATCHES:
            name = f"{size} queries in one call, times one by one"
            row[name] = compared(ways.scans, ways.one_scan, queries, size, turns[size])
        for size in BATCHES:
            name = f"product with {size} queries, times searches"
            row[name] = compared(ways.searches, ways.product, queries, size, turns[size])
        print("  " + "; ".join(f"{name} {value:,.3g}" for name, value in row.items()), flush=True)
        rows.append(row)
    return {"rows": rows}


if __name__ == "__main__":
    main()
