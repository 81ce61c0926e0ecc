"""Milvus against FAISS, as engines of the index: the same products, queries and code above them.

MILVUS_BENCH is the number of products, all in one category (default: 100,000), MILVUS_BENCH_QUERIES that of queries.
Milvus is a real server, installed by `python -m tools.milvus_server`. Both engines are driven as the index drives them:
searches are scored again, filters and exclusions are the API's. Each query goes to FAISS and then to Milvus, so other
work on the machine meets both, and ratios hold. The clients of the throughput are threads of one process.

With MILVUS_BENCH_DATA, Milvus keeps its data in this folder: `MILVUS_BENCH_STEP=load` loads them only, and a later run
measures with them.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in the service

import contextlib
import json
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
from services.index.milvus.collection import Consistency, MilvusCollection, SearchKind
from services.index.milvus.gallery import MilvusGallery
from services.index.milvus.replica import MilvusReplica
from services.index.replica.replica import Replica
from tests.support.servers.milvus import IS_INSTALLED, MilvusProcess, build_index, running_milvus
from tests.support.values.products import make_product
from tests.support.waiting import WITHIN_S

COUNT = int(os.environ.get("MILVUS_BENCH", "100000"))
QUERIES = int(os.environ.get("MILVUS_BENCH_QUERIES", "200"))
DATA = os.environ.get("MILVUS_BENCH_DATA")
STEP = os.environ.get("MILVUS_BENCH_STEP", "all")
BATCH = 1000
WARM = 10  # searches before those that are measured
UPSERTS = 20
K = 10
MODEL = "fashion/1"
SEED = 20261130
MB = 1 << 20
CONDITIONS = {
    "search": Query(K),
    "filter that a tenth meet": Query(K, parse_filter({"colour": "c3"})),
    "range that half meet": Query(K, parse_filter({"price": {"lt": 100}})),
    "page at offset 400": Query(411),
}
KINDS: tuple[SearchKind, ...] = ("hnsw", "flat")
THREADS = (1, 4)
CONSISTENCY: tuple[Consistency, ...] = ("eventually", "bounded", "session", "strong")
LOADED = "loaded.json"
Search = Callable[[Float32Array, Query], list[str]]
Table = dict[str, dict[str, float]]  # figures by row and engine


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


def times_of(searches: Mapping[str, Search], queries: Float32Array, query: Query) -> dict[str, list[float]]:
    """Return the times of each engine in milliseconds: a query goes to one after the other."""
    taken: dict[str, list[float]] = {name: [] for name in searches}
    for place, vector in enumerate([*queries[:WARM], *queries]):
        for name, search in searches.items():
            began = time.perf_counter()
            search(vector, query)
            if place >= WARM:
                taken[name].append(1000 * (time.perf_counter() - began))
    return taken


def rate_of(search: Search, queries: Float32Array, threads: int) -> float:
    """Return the searches a second of several threads."""
    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda vector: search(vector, Query(K)), queries))
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
    actual = [search(vector, Query(K)) for vector in queries]
    return float(np.mean([len(set(item) & set(other)) / K for item, other in zip(actual, exact, strict=True)]))


def resident_mb(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / MB


def in_milvus(server: MilvusProcess, **options: Any) -> MilvusReplica:
    collection = MilvusCollection(server.connection(timeout_s=WITHIN_S, **options), "bench", MODEL, 64)
    return MilvusReplica(MilvusGallery(collection, "default", 1, 64), MODEL, MODEL)


class Figures:
    """Figures by row and engine, printed as soon as they are known."""

    def __init__(self) -> None:
        self.table: Table = {}

    def add(self, row: str, **by_engine: float) -> None:
        self.table.setdefault(row, {}).update(by_engine)
        print(f"  {row:<40}" + "".join(f" {name} {value:,.3f}" for name, value in by_engine.items()), flush=True)


def main() -> dict[str, Any]:
    """Return the figures of both engines; the times of loading only if `STEP` is `load`."""
    if not IS_INSTALLED:
        sys.exit("there is no Milvus here: pip install pymilvus, and python -m tools.milvus_server")
    figures = Figures()
    with contextlib.ExitStack() as exits:
        folder = Path(DATA or exits.enter_context(tempfile.TemporaryDirectory(prefix="lookalike-milvus-")))
        server = exits.enter_context(running_milvus(folder))
        loaded = folder / LOADED
        if not loaded.exists():
            loaded.write_text(json.dumps(_load_milvus(server)))
        times = json.loads(loaded.read_text())
        assert times.pop("products") == COUNT, f"{folder} has other products"
        if STEP == "load":
            return {"products": COUNT, "table": times}
        for row, value in times.items():
            figures.add(row, **value)
        _measure(server, figures)
    return {"products": COUNT, "table": figures.table}


def _load_milvus(server: MilvusProcess) -> dict[str, Any]:
    """Load all products, build the approximate index, and return the times and the memory of the server."""
    figures, pid = Figures(), server.pid
    before = resident_mb(pid)
    flat = in_milvus(server)
    figures.add("load, s", flat=load(flat))
    began = time.perf_counter()
    build_index(flat._rows.collection)
    figures.add("build of the index, s", flat=time.perf_counter() - began)
    figures.add("growth of the memory by the load, MB", flat=resident_mb(pid) - before)
    _open(server, "hnsw", figures)
    figures.add("growth of the memory by the load, MB", hnsw=resident_mb(pid) - before)
    return {"products": COUNT, **figures.table}


def _open(server: MilvusProcess, kind: SearchKind, figures: Figures) -> MilvusReplica:
    """Return a replica of what Milvus holds, with an index of this kind."""
    began = time.perf_counter()
    replica = in_milvus(server, search=kind)
    replica.resume()
    build_index(replica._rows.collection)
    if kind not in figures.table.get("build of the index, s", {}):
        figures.add("build of the index, s", **{kind: time.perf_counter() - began})
    return replica


def _measure(server: MilvusProcess, figures: Figures) -> None:
    rng = np.random.default_rng(SEED + 2)
    queries = vectors(rng, QUERIES)
    before = resident_mb(os.getpid())
    faiss = Replica(Gallery(1, 64, FaissFlat), MODEL, MODEL)
    figures.add("load, s", faiss=load(faiss))
    figures.add("growth of the memory by the load, MB", faiss=resident_mb(os.getpid()) - before)
    exact = [keys_of(faiss)(vector, Query(K)) for vector in queries]
    figures.add("recall of ten", faiss=1.0)
    for kind in KINDS:
        replica = _open(server, kind, figures)
        figures.add("memory of the whole server, MB", **{kind: resident_mb(server.pid)})
        _compare(faiss, replica, kind, queries, figures)
        figures.add("recall of ten", **{kind: recall(keys_of(replica), exact, queries)})
        if kind == "flat":
            _compare_consistency(server, queries, figures)
        figures.add("change until a search finds it, ms", **{kind: until_seen(replica, rng)})
    figures.add("change until a search finds it, ms", faiss=until_seen(faiss, rng))


def _compare(faiss: Replica, replica: MilvusReplica, kind: SearchKind, queries: Float32Array, figures: Figures) -> None:
    """Measure both engines by turns."""
    searches = {"faiss": keys_of(faiss), kind: keys_of(replica)}
    for name, query in CONDITIONS.items():
        taken = times_of(searches, queries if name == "search" else queries[: max(20, QUERIES // 4)], query)
        p50 = {engine: statistics.median(times) for engine, times in taken.items()}
        figures.add(f"{name}, p50, ms", **p50, **{f"{kind} to faiss": p50[kind] / p50["faiss"]})
        if name == "search":
            p99 = {engine: statistics.quantiles(times, n=100)[98] for engine, times in taken.items()}
            figures.add(f"{name}, p99, ms", **p99)
    for threads in THREADS:
        rates = {engine: rate_of(search, queries, threads) for engine, search in searches.items()}
        ratio = {f"{kind} to faiss": rates[kind] / rates["faiss"]}
        figures.add(f"searches a second, {threads} thread{'s' * (threads > 1)}", **rates, **ratio)


def _compare_consistency(server: MilvusProcess, queries: Float32Array, figures: Figures) -> None:
    """Measure the levels by turns."""
    replicas = {level: in_milvus(server, consistency=level) for level in CONSISTENCY}
    for replica in replicas.values():
        replica.resume()
    searches: dict[str, Search] = {level: keys_of(replica) for level, replica in replicas.items()}
    for level, taken in times_of(searches, queries[:30], Query(K)).items():
        figures.add(f"consistency {level}, p50, ms", flat=statistics.median(taken))


if __name__ == "__main__":
    main()
