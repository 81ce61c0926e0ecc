"""Milvus against FAISS, as engines of the index: the same products, queries and code above them.

MILVUS_BENCH is the number of products, all in one category (default: 100,000). Milvus is a real server, installed by
`python -m tools.milvus_server`. Both engines are driven as the index drives them: searches are scored again, filters
and exclusions are the API's. The clients of the throughput are threads of one process. Times are wall-clock times.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in the service

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil  # type: ignore[import-untyped]

from services.catalogue.documents.product_document import Record
from services.catalogue.product import Product
from services.contracts.wire.filter_json import parse_filter
from services.engine.category_view import Float32Array
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery, Query
from services.index.milvus.collection import MilvusCollection
from services.index.milvus.gallery import MilvusGallery
from services.index.milvus.replica import MilvusReplica
from services.index.replica.replica import Replica
from tests.support.servers.milvus import IS_INSTALLED, MilvusProcess, running_milvus
from tests.support.values.products import make_product

COUNT = int(os.environ.get("MILVUS_BENCH", "100000"))
BATCH = 1000
QUERIES = int(os.environ.get("MILVUS_BENCH_QUERIES", "200"))
THREADS = 4
UPSERTS = 20
K = 10
MODEL = "fashion/1"
SEED = 20261130
MB = 1 << 20
FILTERS = {"a tenth": {"colour": "c3"}, "half, by a range": {"price": {"lt": 100}}}
CONSISTENCY = ("eventually", "bounded", "session", "strong")
Search = Callable[[Float32Array, Query], list[str]]


def vectors(rng: np.random.Generator, count: int) -> Float32Array:
    """Return vectors around a few thousand centres, as styles have; approximate search is easier than on noise."""
    centres = np.random.default_rng(SEED).standard_normal((2000, 64), dtype=np.float32)
    drawn = centres[rng.integers(0, len(centres), count)] + 0.6 * rng.standard_normal((count, 64), dtype=np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def product(number: int, vector: Float32Array) -> Product:
    return make_product(
        key=str(100_000 + number),
        category=0,
        vector=vector,
        model=MODEL,
        title=f"Product number {number} of this shop",
        url=f"https://shop.example/products/{number}",
        image_url=f"https://images.shop.example/{number}.jpg",
        attributes={"colour": f"c{number % 10}", "price": number * 7919 % 20_000 / 100, "gender": "Women"},
    )


def batches() -> Iterator[list[Record]]:
    rng = np.random.default_rng(SEED + 1)
    for begin in range(0, COUNT, BATCH):
        drawn = vectors(rng, min(BATCH, COUNT - begin))
        made = (product(begin + place, vector) for place, vector in enumerate(drawn))
        yield [Record(each.key, each) for each in made]


def load(replica: Replica) -> float:
    """Load all products; return the seconds."""
    began = time.perf_counter()
    replica.begin_load()
    for documents in batches():
        replica.apply([], documents)
    replica.finish_load()
    return time.perf_counter() - began


def keys_of(replica: Replica) -> Search:
    return lambda vector, query: [match.key for match in replica.gallery.search(0, vector, query)]


def times_of(search: Search, queries: Float32Array, query: Query) -> dict[str, float]:
    """Return p50 and p99 of one search at a time, in milliseconds."""
    for vector in queries[:10]:
        search(vector, query)
    taken = []
    for vector in queries:
        began = time.perf_counter()
        search(vector, query)
        taken.append(1000 * (time.perf_counter() - began))
    return {"p50, ms": statistics.median(taken), "p99, ms": statistics.quantiles(taken, n=100)[98]}


def rate_of(search: Search, queries: Float32Array) -> float:
    """Return the searches a second of several threads."""
    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(lambda vector: search(vector, Query(K)), queries))
    return len(queries) / (time.perf_counter() - began)


def until_seen(replica: Replica, rng: np.random.Generator) -> float:
    """Return the median time from a change until a search finds it, in milliseconds."""
    taken = []
    for number in range(UPSERTS):
        vector = vectors(rng, 1)[0]
        began = time.perf_counter()
        replica.apply([], [Record(str(number), product(number - 100_000, vector))])
        while replica.gallery.search(0, vector, Query(1))[0].score < 1 - 1e-5:
            pass
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken)


def recall(search: Search, exact: list[list[str]], queries: Float32Array) -> float:
    """Return the share of the exact ten nearest products that a search returns."""
    found = [search(vector, Query(K)) for vector in queries]
    return float(np.mean([len(set(one) & set(other)) / K for one, other in zip(found, exact, strict=True)]))


def measured(replica: Replica, queries: Float32Array, exact: list[list[str]] | None) -> dict[str, Any]:
    search = keys_of(replica)
    figures: dict[str, Any] = times_of(search, queries, Query(K))
    figures[f"searches a second, {THREADS} threads"] = rate_of(search, queries)
    for name, condition in FILTERS.items():
        filtered = times_of(search, queries[: QUERIES // 4], Query(K, parse_filter(condition)))
        figures |= {f"filter that {name} meet, {what}": value for what, value in filtered.items()}
    figures["page at offset 400, p50 ms"] = times_of(search, queries[: QUERIES // 4], Query(411))["p50, ms"]
    if exact is not None:
        figures["recall of ten"] = recall(search, exact, queries)
    return figures


def resident_mb(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / MB


def in_milvus(server: MilvusProcess, **options: Any) -> MilvusReplica:
    collection = MilvusCollection(server.connection(timeout_s=120.0, **options), "bench", MODEL, 64)
    return MilvusReplica(MilvusGallery(collection, "default", 1, 64), MODEL, MODEL)


class Figures(dict[str, Any]):
    """Figures, printed as soon as they are known."""

    def add(self, figures: Mapping[str, Any]) -> None:
        self.update(figures)
        for name, value in figures.items():
            print(f"  {name:<60} {value:>12,.3f}", flush=True)


def main() -> dict[str, Any]:
    """Return the figures of both engines."""
    if not IS_INSTALLED:
        sys.exit("there is no Milvus here: pip install pymilvus, and python -m tools.milvus_server")
    rng = np.random.default_rng(SEED + 2)
    queries, figures = vectors(rng, QUERIES), Figures()
    figures.add({"products": COUNT})
    before = resident_mb(os.getpid())
    faiss = Replica(Gallery(1, 64, FaissFlat), MODEL, MODEL)
    figures.add({"faiss, load, s": load(faiss)})
    figures.add({"faiss, memory, MB": resident_mb(os.getpid()) - before})
    exact = [keys_of(faiss)(vector, Query(K)) for vector in queries]
    figures.add(_named("faiss", measured(faiss, queries, None)))
    figures.add({"faiss, change until it is found, ms": until_seen(faiss, rng)})
    with tempfile.TemporaryDirectory(prefix="lookalike-milvus-") as folder, running_milvus(Path(folder)) as server:
        _measure_milvus(server, queries, exact, figures)
    return figures


def _measure_milvus(server: MilvusProcess, queries: Float32Array, exact: list[list[str]], figures: Figures) -> None:
    assert server.process is not None
    before = resident_mb(server.process.pid)
    flat = in_milvus(server)
    figures.add({"milvus flat, load, s": load(flat)})
    flat._rows.collection.server.call(lambda client: client.flush(flat._rows.collection.name, timeout=300))
    figures.add({"milvus flat, memory of the server, MB": resident_mb(server.process.pid) - before})
    figures.add(_named("milvus flat", measured(flat, queries, exact)))
    for level in CONSISTENCY:
        replica = in_milvus(server, consistency=level)
        replica.resume()
        figures.add(
            {
                f"milvus flat, consistency {level}, p50, ms": times_of(keys_of(replica), queries[:30], Query(K))[
                    "p50, ms"
                ]
            }
        )
    began = time.perf_counter()
    hnsw = in_milvus(server, search="hnsw")
    hnsw.resume()
    _wait_for_index(hnsw)
    figures.add({"milvus hnsw, build, s": time.perf_counter() - began})
    figures.add(_named("milvus hnsw", measured(hnsw, queries, exact)))
    figures.add({"milvus, change until it is found, ms": until_seen(flat, np.random.default_rng(SEED + 3))})


def _wait_for_index(replica: MilvusReplica) -> None:
    """Wait until Milvus has built the index of every sealed segment."""
    collection = replica._rows.collection

    def pending(client: Any) -> int:
        return int(client.describe_index(collection.name, "vector").get("pending_index_rows", 0))

    while collection.server.call(pending):
        time.sleep(0.5)


def _named(engine: str, figures: dict[str, Any]) -> dict[str, Any]:
    return {f"{engine}, {name}": value for name, value in figures.items()}


if __name__ == "__main__":
    main()
