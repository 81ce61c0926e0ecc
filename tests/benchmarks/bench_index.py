"""A search as the original did it against ours, at 15,000 products in the category, in one run.

The original: for each query all vectors of the category are read from the database, and a nearest-neighbour search is
fitted on them. Ours: the index service over HTTP, its gallery in this process, and bare FAISS beneath them. The database
is the one that MONGO_URL names, else nx-27017; both sides read the same older documents, and have to find the same ids.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as the service has it

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pymongo
from sklearn.neighbors import NearestNeighbors

from services.index.flat import FaissFlat
from services.index.gallery import Query
from services.index.mirror import Mirror
from services.index.view import Float32Array
from tests.support.index import IndexProcess, new_mirror, running_index
from tests.support.mongo import any_mongo, fresh_database
from tests.support.stack import eventually

PRODUCTS = 15_000
ORIGINAL_QUERIES = 5
QUERIES = 300
K = 10
SEED = 20260501
Search = Callable[[Float32Array], list[str]]


def unit_vectors(rng: np.random.Generator, count: int) -> Float32Array:
    vectors = rng.standard_normal((count, 64)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def as_the_original(collection: Any) -> Search:
    """Return the search as it was: everything read and fitted for each query."""

    def search(query: Float32Array) -> list[str]:
        documents = list(collection.find({"Category": 0}))
        neighbours = NearestNeighbors(n_neighbors=K).fit([document["vector"] for document in documents])
        (nearest,) = neighbours.kneighbors([query], return_distance=False)
        return [str(documents[row]["id"]) for row in nearest]

    return search


def over_http(index: IndexProcess) -> Search:
    return lambda query: [hit["id"] for hit in index.search(query, k=K)]


def in_process(mirror: Mirror) -> Search:
    return lambda query: [match.key for match in mirror.gallery.search(0, query, Query(K))]


def with_a_filter(mirror: Mirror) -> Search:
    wanted = Query(K, {"colour": "blue"})
    return lambda query: [match.key for match in mirror.gallery.search(0, query, wanted)]


def measure(search: Search, queries: Float32Array) -> tuple[float, list[list[str]]]:
    """Return the median milliseconds of a query, and what each found. The first query is asked once before."""
    search(queries[0])
    times, found = [], []
    for query in queries:
        started = time.perf_counter()
        found.append(search(query))
        times.append(time.perf_counter() - started)
    return float(np.median(times)) * 1000, found


@contextmanager
def catalogue(vectors: Float32Array) -> Iterator[tuple[str, str, Any]]:
    """Give a database that holds the vectors in older documents of one category: its URL, name and collection."""
    with tempfile.TemporaryDirectory() as folder, any_mongo(Path(folder)) as url, fresh_database(url) as name:
        client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(url)
        with client:
            collection = client[name]["products"]
            for begin in range(0, len(vectors), 1000):
                batch = enumerate(vectors[begin : begin + 1000].tolist(), begin)
                collection.insert_many([{"id": number, "Category": 0, "vector": vector} for number, vector in batch])
            yield url, name, collection


def mirrored(vectors: Float32Array) -> Mirror:
    """Return a mirror of the vectors, every tenth of them blue."""
    mirror = new_mirror()
    for number, vector in enumerate(vectors):
        colour = "blue" if number % 10 == 0 else "red"
        mirror.gallery.put(0, str(number), vector, f'{{"attributes":{{"colour":"{colour}"}}}}'.encode())
    mirror.gallery.publish()
    return mirror


def main() -> dict[str, Any]:
    """Print a table of milliseconds a query and ratios to the original; return them."""
    rng = np.random.default_rng(SEED)
    vectors, queries = unit_vectors(rng, PRODUCTS), unit_vectors(rng, QUERIES)
    few = queries[:ORIGINAL_QUERIES]
    mirror, flat = mirrored(vectors), FaissFlat(vectors)
    with catalogue(vectors) as (url, name, collection), tempfile.TemporaryDirectory() as folder:
        with running_index(Path(folder), url, name) as index:
            eventually(lambda: index.answers("/readyz"), 120)
            times, results = {}, {}
            times["original"], results["original"] = measure(as_the_original(collection), few)
            times["http"], results["http"] = measure(over_http(index), queries)
        times["gallery"], results["gallery"] = measure(in_process(mirror), queries)
        times["filtered"], _ = measure(with_a_filter(mirror), queries)
        times["faiss"], _ = measure(lambda query: list(map(str, flat.nearest(query, K, None)[0])), queries)
    agree = all(results["original"] == results[way][:ORIGINAL_QUERIES] for way in ("http", "gallery"))
    assert agree, "the ways to search do not find the same products"
    return report(times)


def report(times: dict[str, float]) -> dict[str, Any]:
    names = {
        "original": "as the original: read and fitted for each query",
        "http": "the index service over HTTP",
        "gallery": "its gallery, in process",
        "filtered": "the same with a filter that one in ten meets",
        "faiss": "bare FAISS",
    }
    print(
        f"{PRODUCTS:,} products in the category, k = {K}; median of {QUERIES} queries ({ORIGINAL_QUERIES} the original's)"
    )
    print(f"{'':50}{'ms a query':>12}{'times faster':>14}")
    for way, text in names.items():
        print(f"{text:50}{times[way]:12.3f}{times['original'] / times[way]:14,.0f}")
    ratios = {way: round(times["original"] / value, 1) for way, value in times.items() if way != "original"}
    return {
        "products": PRODUCTS,
        "ms": {way: round(value, 4) for way, value in times.items()},
        "times_faster_than_the_original": ratios,
        "gallery_against_bare_faiss": round(times["gallery"] / times["faiss"], 2),
    }


if __name__ == "__main__":
    main()
