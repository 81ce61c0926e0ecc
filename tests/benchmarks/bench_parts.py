"""A category in 1, 2 and 4 parts: what a search costs each node, and what the gateway adds by merging.

PARTS_BENCH is the number of products, all in one category (default: 1,000,000). Times are processor times, so that
other work on the machine counts little: on one machine all parts share the processors, on several each has its own.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in the service

import statistics
import time
from typing import Any

import numpy as np

from services.contracts.domain.parts import Part
from services.contracts.wire.index import Hit, IndexResponse, IndexSearch
from services.engine.category_view import Float32Array, Match
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery, Query
from services.engine.packed.rows import PackedRows
from services.gateway.index_nodes.merge import merged_response

COUNT = int(os.environ.get("PARTS_BENCH", "1000000"))
QUERIES = 100
K = 10
SEED = 20261130
PAYLOAD = b'{"title":"Product of this shop","url":"https://shop.example/products/1"}'


def unit_vectors(count: int, seed: int) -> Float32Array:
    vectors = np.random.default_rng(seed).standard_normal((count, 64), dtype=np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def galleries(vectors: Float32Array, of: int) -> list[Gallery]:
    """Return a gallery for each part."""
    keys = [str(100_000 + number) for number in range(len(vectors))]
    parts = []
    for part in (Part(number, of) for number in range(1, of + 1)):
        rows = [row for row, key in enumerate(keys) if part.holds(key)]
        gallery = Gallery(1, 64, FaissFlat)
        held = [keys[row] for row in rows]
        images = np.zeros(len(rows), np.uint8)
        gallery.restore(0, vectors[rows], images, PackedRows.of(held, [PAYLOAD] * len(rows), images))
        parts.append(gallery)
    return parts


def response(matches: list[Match]) -> str:
    """Return a part's response as it travels."""
    hits = [Hit(id=match.key, catalogue="default", category=0, score=match.score, title="Product") for match in matches]
    return IndexResponse(
        category=0,
        hits=hits,
        best_score=None,
        best_similarity=None,
        next_page=None,
        model="fashion/1",
        active="fashion/1",
        timings_ms={"search": 1.0},
    ).model_dump_json()


def measured(parts: list[Gallery], queries: Float32Array) -> tuple[dict[str, float], list[list[str]]]:
    """Return the figures of a layout, and the ids that it returns for each query."""
    means, sums, merges, ids = [], [], [], []
    for vector in queries:
        taken, bodies = [], []
        for gallery in parts:
            began = time.process_time()
            matches = gallery.search(0, vector, Query(K + 1))
            taken.append(1000 * (time.process_time() - began))
            bodies.append(response(matches))
        query = IndexSearch(category=0, vector=vector.tolist(), model="fashion/1", k=K)
        began = time.process_time()
        merged = merged_response([IndexResponse.model_validate_json(body) for body in bodies], query)
        merges.append(1000 * (time.process_time() - began))
        means.append(statistics.mean(taken))
        sums.append(sum(taken))
        ids.append([hit.id for hit in merged.hits])
    figures = {
        "a node, median processor ms": statistics.median(means),
        "a node, p99 processor ms": statistics.quantiles(means, n=100)[98],
        "a node, searches a second of a processor": 1000 / statistics.median(means),
        "all nodes, median processor ms": statistics.median(sums),
        "merging in the gateway, median processor ms": statistics.median(merges),
    }
    return figures, ids


def main() -> dict[str, Any]:
    """Return the figures of each layout; all return the same."""
    vectors, queries = unit_vectors(COUNT, SEED), unit_vectors(QUERIES, SEED + 1)
    figures: dict[str, Any] = {"products": COUNT}
    expected: list[list[str]] | None = None
    for of in (1, 2, 4):
        own, ids = measured(galleries(vectors, of), queries)
        figures |= {f"{of} part{'s' if of > 1 else ''}, {name}": value for name, value in own.items()}
        assert expected is None or ids == expected, "the layouts return different products"
        expected = ids
    for name, value in figures.items():
        print(f"  {name:<60} {value:>12,.3f}")
    return figures


if __name__ == "__main__":
    main()
