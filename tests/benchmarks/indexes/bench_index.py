"""A search in the original system against one in Lookalike, with 15,000 products in the category; then filters.

The original reads all vectors of the category from the database for each query and fits a nearest-neighbour search on
them. Lookalike: the index service over HTTP, its gallery in this process, and FAISS alone. The database is that of
MONGO_URL, or else nx-27017. Both read the same legacy documents, and must find the same ids.

A filtered search is compared with the same search without a filter, in this process, with 15,000 and 200,000 products.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in the service

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pymongo
from sklearn.neighbors import NearestNeighbors

from services.contracts.wire.filter_json import parse_filter
from services.engine.category_view import Float32Array
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Query
from services.index.replica.replica import Replica
from tests.benchmarks.raw_client import RawClient
from tests.support.servers.index import IndexProcess, new_replica, running_index
from tests.support.servers.mongo import any_mongo, fresh_database
from tests.support.waiting import eventually

PRODUCTS = 15_000
MANY = 200_000
ORIGINAL_QUERIES = 5
QUERIES = 300
K = 10
SEED = 20260501
FILTERS: dict[str, dict[str, Any]] = {
    "one value, a tenth of the products": {"colour": "c3"},
    "a range of numbers, half of them": {"price": {"lt": 100}},
    "a range of dates, half of them": {"since": {"gte": "2023-01-01"}},
    "everything but one value": {"$not": {"colour": "c3"}},
    "or, and, not over three attributes": {
        "$or": [{"price": {"lt": 50}}, {"since": {"gte": "2025-01-01T00:00Z"}, "colour": ["c1", "c2", "c4"]}],
        "$not": {"colour": "c9"},
    },
}
Search = Callable[[Float32Array], list[str]]


def unit_vectors(rng: np.random.Generator, count: int) -> Float32Array:
    vectors = rng.standard_normal((count, 64)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def as_the_original(collection: Any) -> Search:
    """Return the search of the original: it reads and fits all vectors for each query."""

    def search(query: Float32Array) -> list[str]:
        documents = list(collection.find({"Category": 0}))
        neighbours = NearestNeighbors(n_neighbors=K).fit([document["vector"] for document in documents])
        (nearest,) = neighbours.kneighbors([query], return_distance=False)
        return [str(documents[row]["id"]) for row in nearest]

    return search


def over_http(index: IndexProcess) -> Search:
    """Return the search of the service, by a client that costs next to nothing: the original has none."""
    client = RawClient(f"{index.url}/v1/search", b"", {"Content-Type": "application/json"})

    def search(query: Float32Array) -> list[str]:
        body = {"category": 0, "vector": query.tolist(), "model": "fashion/1", "k": K}
        return [hit["id"] for hit in orjson.loads(client.post(orjson.dumps(body)))["hits"]]

    return search


def in_process(replica: Replica) -> Search:
    return lambda query: [match.key for match in replica.gallery.search(0, query, Query(K))]


def filtered(replica: Replica, wanted: dict[str, Any]) -> Search:
    query = Query(K, parse_filter(wanted))
    return lambda vector: [match.key for match in replica.gallery.search(0, vector, query)]


def measure(search: Search, queries: Float32Array) -> tuple[float, list[list[str]]]:
    """Return the median milliseconds of a query, and the results of each, after a warm-up with the first query."""
    search(queries[0])
    times, collected = [], []
    for query in queries:
        started = time.perf_counter()
        collected.append(search(query))
        times.append(time.perf_counter() - started)
    return float(np.median(times)) * 1000, collected


@contextmanager
def catalogue(vectors: Float32Array) -> Iterator[tuple[str, str, Any]]:
    """Yield URL, name and collection of a database that holds the vectors in legacy documents of one category."""
    with tempfile.TemporaryDirectory() as folder, any_mongo(Path(folder)) as url, fresh_database(url) as name:
        client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(url)
        with client:
            collection = client[name]["products"]
            for begin in range(0, len(vectors), 1000):
                batch = enumerate(vectors[begin : begin + 1000].tolist(), begin)
                collection.insert_many([{"id": number, "Category": 0, "vector": vector} for number, vector in batch])
            yield url, name, collection


def replica_of(vectors: Float32Array) -> Replica:
    """Return a replica of the vectors, with ten colours, prices from 0 to 200 and dates of six years."""
    draw, replica, first = random.Random(SEED), new_replica(), date(2020, 1, 1)
    for number, vector in enumerate(vectors):
        attributes = {
            "colour": f"c{draw.randrange(10)}",
            "price": draw.randrange(20_000) / 100,
            "since": (first + timedelta(draw.randrange(6 * 365))).isoformat(),
        }
        replica.gallery.put(0, str(number), vector, orjson.dumps({"attributes": attributes}))
    replica.gallery.publish()
    return replica


def compared(replica: Replica, queries: Float32Array) -> dict[str, tuple[float, float]]:
    """Return the median milliseconds of a query with each filter, and the ratio to those without; they take turns."""
    collected = {}
    for name, wanted in FILTERS.items():
        ways, times = (filtered(replica, wanted), in_process(replica)), []
        for search in ways:
            search(queries[0])
        for query in queries:
            moments = [time.perf_counter()]
            for search in ways:
                search(query)
                moments.append(time.perf_counter())
            times.append(np.diff(moments))
        with_filter, without = np.median(times, axis=0) * 1000
        collected[name] = float(with_filter), float(with_filter / without)
    return collected


def main() -> dict[str, float]:
    """Print a table of milliseconds a query and ratios to the original; return them."""
    rng = np.random.default_rng(SEED)
    vectors, queries = unit_vectors(rng, PRODUCTS), unit_vectors(rng, QUERIES)
    few = queries[:ORIGINAL_QUERIES]
    replica, flat = replica_of(vectors), FaissFlat(vectors, two_stage_rows=PRODUCTS + 1)
    with catalogue(vectors) as (url, name, collection), tempfile.TemporaryDirectory() as folder:
        with running_index(Path(folder), url, name) as index:
            eventually(lambda: index.answers("/readyz"))
            times, results = {}, {}
            times["original"], results["original"] = measure(as_the_original(collection), few)
            times["http"], results["http"] = measure(over_http(index), queries)
        times["gallery"], results["gallery"] = measure(in_process(replica), queries)
        times["faiss"], _ = measure(lambda query: list(map(str, flat.nearest(query, K, None)[0])), queries)
    agree = all(results["original"] == results[way][:ORIGINAL_QUERIES] for way in ("http", "gallery"))
    assert agree, "the searches do not find the same products"
    of_few = compared(replica, queries)
    of_many = compared(replica_of(unit_vectors(rng, MANY)), queries)
    return report(times) | report_filters(of_few, of_many)


def report_filters(of_few: dict[str, tuple[float, float]], of_many: dict[str, tuple[float, float]]) -> dict[str, float]:
    """Print the table of filters; return the ratios to searches without a filter."""
    print(f"\n{'':38}{f'{PRODUCTS:,} products':>24}{f'{MANY:,} products':>24}")
    print(f"{'with a filter':38}{'ms a query':>12}{'x without':>12}{'ms a query':>12}{'x without':>12}")
    for name in FILTERS:
        (few_ms, few), (many_ms, many) = of_few[name], of_many[name]
        print(f"{name:38}{few_ms:12.3f}{few:12.2f}{many_ms:12.3f}{many:12.2f}")
    return {
        f"{name}, {count:,} products, times no filter": ratios[name][1]
        for count, ratios in ((PRODUCTS, of_few), (MANY, of_many))
        for name in FILTERS
    }


def report(times: dict[str, float]) -> dict[str, float]:
    """Print the table of the ways to search; return it."""
    names = {
        "original": "the original: reads and fits for each query",
        "http": "the index service over HTTP",
        "gallery": "its gallery, in process",
        "faiss": "bare FAISS",
    }
    print(f"{PRODUCTS:,} products in the category, k = {K}")
    print(f"median of {QUERIES} queries ({ORIGINAL_QUERIES} of the original)")
    print(f"{'':50}{'ms a query':>12}{'times faster':>14}")
    for way, text in names.items():
        print(f"{text:50}{times[way]:12.3f}{times['original'] / times[way]:14,.0f}")
    return (
        {"products": PRODUCTS}
        | {f"{text}, ms": times[way] for way, text in names.items()}
        | {f"the original's time, times {names[way]}": times["original"] / times[way] for way in ("http", "gallery")}
    )


if __name__ == "__main__":
    main()
