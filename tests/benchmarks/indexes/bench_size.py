"""What a search costs with 1,000 to 5,000,000 products in one category, and with 1, 4 and 16 clients at a time.

The gallery in this process takes turns with bare FAISS over the same vectors; both are measured in processor time. The
index service is searched over HTTP, in turns with bare FAISS as well: the milliseconds that one client waits, and the
searches a second of several.
SIZE_BENCH is the list of sizes. Each size has a process of its own. The service is left out where its memory and this
process's do not fit.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in the service

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import psutil  # type: ignore[import-untyped]

from services.engine.category_view import Float32Array
from services.engine.gallery import Gallery, Query
from tests.benchmarks.indexes.bench_million import Search, took, unit_vectors
from tests.benchmarks.raw_client import RawClient
from tests.benchmarks.searches.bench_floors import NO_DATABASE, replica_of, snapshot_of
from tests.support.servers.index import IndexProcess, running_index
from tests.support.waiting import eventually

SIZES = [int(size) for size in os.environ.get("SIZE_BENCH", "1000,10000,100000,1000000,5000000").split(",")]
CLIENTS = (1, 4, 16)
SECONDS = 2.0  # of each measurement of throughput
K = 10
QUERIES = (40, 400)  # at least and at most, of each size
VECTORS_READ = 60_000_000  # by all queries of a size together, if there are not too many or too few
BYTES_A_PRODUCT = 700  # of the service, and of the vectors here
SEED = 20261130


def measured(count: int) -> dict[str, Any]:
    """Return the figures of a category with `count` products."""
    rng = np.random.default_rng(SEED)
    queries = unit_vectors(rng, min(max(VECTORS_READ // count, QUERIES[0]), QUERIES[1]))
    figures: dict[str, Any] = {"products": count}
    with tempfile.TemporaryDirectory() as name:
        replica = replica_of(unit_vectors(rng, count))
        assert isinstance(replica.gallery, Gallery)
        figures |= in_process(replica.gallery, queries)
        if psutil.virtual_memory().available < BYTES_A_PRODUCT * count:
            return figures | dict.fromkeys(over_http_labels())
        snapshots = snapshot_of(replica, Path(name))
        vectors = replica.gallery.views[0].flat.vectors.copy()
        del replica
        with running_index(Path(name), NO_DATABASE, INDEX_SNAPSHOT_DIR=str(snapshots)) as index:
            eventually(lambda: index.answers("/readyz"))
            # The scale of similarity is fitted once, in the background.
            eventually(lambda: index.catalogue()["categories"][0]["close_score"] is not None)
            figures |= over_http(index, vectors, queries)
    return figures


def in_process(gallery: Gallery, queries: Float32Array) -> dict[str, float]:
    """Return the median processor milliseconds of a query, in turns with FAISS alone."""
    bare = bare_search(gallery.views[0].flat.vectors)
    ways: tuple[Search, ...] = (bare, lambda query: gallery.search(0, query, Query(K)))
    times = np.array([[took(search, query) for search in ways] for query in queries][1:])
    of_faiss, of_gallery = (np.median(times, axis=0) * 1000).tolist()
    return {
        "bare FAISS, ms": of_faiss,
        "gallery, ms": of_gallery,
        "gallery, times bare FAISS": float(np.median(times[:, 1] / times[:, 0])),
    }


def bare_search(vectors: Float32Array) -> Search:
    """Return the search of FAISS alone."""
    return lambda query: faiss.knn(query[None, :], vectors, K, faiss.METRIC_INNER_PRODUCT)


def over_http(index: IndexProcess, vectors: Float32Array, queries: Float32Array) -> dict[str, float]:
    """Return the median milliseconds that one client waits, and the searches a second of each number of clients."""
    bodies = [
        json.dumps({"category": 0, "vector": query.tolist(), "model": "fashion/1", "k": K}).encode()
        for query in queries
    ]
    client, times = RawClient(f"{index.url}/v1/search", bodies[0], {"Content-Type": "application/json"}), []
    bare = bare_search(vectors)
    for body, query in zip(bodies, queries, strict=True):
        moments = [time.perf_counter()]
        client.post(body)
        moments.append(time.perf_counter())
        bare(query)
        times.append(np.diff([*moments, time.perf_counter()]))
    client.close()
    of_http, of_faiss = np.array(times[1:]).T
    values = [float(np.median(of_http)) * 1000, float(np.median(of_http / of_faiss))]
    values += [rate(index.url, bodies, clients) for clients in CLIENTS]
    return dict(zip(over_http_labels(), values, strict=True))


def over_http_labels() -> list[str]:
    """Return the names of the figures of the service."""
    return ["HTTP, ms", "HTTP, times bare FAISS", *(f"searches/s, {clients} clients" for clients in CLIENTS)]


def rate(url: str, bodies: Sequence[bytes], clients: int) -> float:
    """Return the searches a second of several clients, each with one search at a time."""
    counts, until = [0] * clients, time.perf_counter() + SECONDS

    def work(number: int) -> None:
        client = RawClient(f"{url}/v1/search", b"", {"Content-Type": "application/json"})
        while time.perf_counter() < until:
            client.post(bodies[(number + counts[number]) % len(bodies)])
            counts[number] += 1
        client.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - started)


def main() -> dict[str, Any]:
    """Print and return a row for each size."""
    rows = []
    for size in SIZES:
        command = [sys.executable, "-m", "tests.benchmarks.indexes.bench_size", str(size)]
        output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        rows.append(json.loads(output.splitlines()[-1]))
        print(
            "  " + "; ".join(f"{name} {value:,.4g}" for name, value in rows[-1].items() if value is not None),
            flush=True,
        )
    return {"rows": rows}


if __name__ == "__main__":
    if sys.argv[1:]:
        print(json.dumps(measured(int(sys.argv[1]))))
    else:
        main()
