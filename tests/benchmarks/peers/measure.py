"""Measures one engine on vectors: `python -m tests.benchmarks.peers.measure ENGINE VECTORS.npy QUERIES.npy`.

It prints a line of JSON.
It runs in the environment of the benchmark's peers (`requirements.txt` here), in which Lookalike is not installed, and
in Lookalike's own for `lookalike` and `faiss`. Each engine is a library in this process, as its documentation shows it.
"""

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np

K = 10
CLIENTS = (1, 4, 16)
SECONDS = 1.5  # of each measurement of throughput
SEARCHING_S = 10.0  # of each measurement of searches one after the other; a slow engine searches with fewer queries
TENTH = 10  # a filter keeps the products whose number this divides: those of one colour
Ids = Sequence[int]
T = TypeVar("T")


class Engine:
    """An engine: vectors of unit length under whole numbers, compared by their cosine."""

    def __init__(self, folder: Path, vectors: Any) -> None:
        """Load the vectors."""

    def search(self, query: Any, *, filtered: bool = False) -> Ids:
        """Return the K nearest, of all or of those with the colour 0."""
        raise NotImplementedError

    def upsert(self, number: int, vector: Any) -> None:
        """Add or replace one vector."""
        raise NotImplementedError


class Lookalike(Engine):
    """The gallery of the index service, without HTTP."""

    def __init__(self, folder: Path, vectors: Any) -> None:
        from services.contracts.wire.filter_json import parse_filter
        from services.engine.flat_search import FaissFlat
        from services.engine.gallery import Gallery, Query
        from services.engine.packed.rows import PackedRows
        from services.engine.packed.texts import PackedTexts

        self._gallery = Gallery(1, vectors.shape[1], FaissFlat)
        numbers, images = range(len(vectors)), np.zeros(len(vectors), np.uint8)
        keys = PackedTexts.of(str(number).encode() for number in numbers)
        payloads = PackedTexts.of(f'{{"attributes":{{"colour":{number % TENTH}}}}}'.encode() for number in numbers)
        self._gallery.restore(0, vectors, images, PackedRows.of_texts(keys, payloads, images))
        self._plain, self._filtered = Query(K), Query(K, parse_filter({"colour": 0}))
        self._gallery.prepare(0, self._filtered.filter, facets=False)

    def search(self, query: Any, *, filtered: bool = False) -> Ids:
        matches = self._gallery.search(0, query, self._filtered if filtered else self._plain)
        return [int(match.key) for match in matches]

    def upsert(self, number: int, vector: Any) -> None:
        self._gallery.put(0, str(number), vector, None)
        self._gallery.publish()


class Original(Engine):
    """The original's flow: for each query, fit a nearest-neighbour search on all vectors (the database is left out)."""

    def __init__(self, folder: Path, vectors: Any) -> None:
        self._vectors = vectors.copy()

    def search(self, query: Any, *, filtered: bool = False) -> Ids:
        from sklearn.neighbors import NearestNeighbors

        vectors = self._vectors[::TENTH] if filtered else self._vectors
        rows = NearestNeighbors(n_neighbors=K).fit(vectors.tolist()).kneighbors([query], return_distance=False)[0]
        return [int(row) * (TENTH if filtered else 1) for row in rows]

    def upsert(self, number: int, vector: Any) -> None:
        self._vectors = np.concatenate([self._vectors, vector[None, :]])


class Faiss(Engine):
    """FAISS's flat index."""

    def __init__(self, folder: Path, vectors: Any) -> None:
        import faiss

        self._faiss, self._index = faiss, faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(vectors)
        bitmap = np.packbits(np.arange(len(vectors)) % TENTH == 0, bitorder="little")
        selector = faiss.IDSelectorBitmap(bitmap)  # type: ignore[call-arg,arg-type,unused-ignore]
        self._selected = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg,unused-ignore]

    def search(self, query: Any, *, filtered: bool = False) -> Ids:
        ids: Ids = self._index.search(query[None, :], K, params=self._selected if filtered else None)[1][0].tolist()
        return ids

    def upsert(self, number: int, vector: Any) -> None:
        self._index.add(vector[None, :])


class Hnswlib(Engine):
    """hnswlib, M 16, ef_construction 200, ef 64."""

    def __init__(self, folder: Path, vectors: Any) -> None:
        import hnswlib

        self._index = hnswlib.Index(space="ip", dim=vectors.shape[1])
        self._index.init_index(max_elements=len(vectors) + 1000, M=16, ef_construction=200)
        self._index.set_num_threads(1)
        self._index.add_items(vectors, np.arange(len(vectors)))
        self._index.set_ef(64)

    def search(self, query: Any, *, filtered: bool = False) -> Ids:
        options = {"filter": lambda number: number % TENTH == 0} if filtered else {}
        ids: Ids = self._index.knn_query(query[None, :], k=K, num_threads=1, **options)[0][0].tolist()
        return ids

    def upsert(self, number: int, vector: Any) -> None:
        self._index.add_items(vector[None, :], np.array([number]))


class Usearch(Engine):
    """USearch with its defaults, float32; its Python package has no filter."""

    def __init__(self, folder: Path, vectors: Any) -> None:
        from usearch.index import Index

        self._index = Index(ndim=vectors.shape[1], metric="ip", dtype="f32")
        self._index.add(np.arange(len(vectors)), vectors, threads=1)

    def search(self, query: Any, *, filtered: bool = False) -> Ids:
        if filtered:
            raise NotImplementedError
        ids: Ids = self._index.search(query, K, threads=1).keys.tolist()
        return ids

    def upsert(self, number: int, vector: Any) -> None:
        self._index.add(number, vector)


class Qdrant(Engine):
    """Qdrant's client in its local mode, which is NumPy in this process and not Qdrant's server."""

    def __init__(self, folder: Path, vectors: Any) -> None:
        from qdrant_client import QdrantClient, models

        self._models, self._client = models, QdrantClient(":memory:")
        size = models.VectorParams(size=vectors.shape[1], distance=models.Distance.COSINE)
        self._client.create_collection("products", vectors_config=size)
        for begin in range(0, len(vectors), 1000):
            numbers = range(begin, min(begin + 1000, len(vectors)))
            points = [self._point(number, vectors[number]) for number in numbers]
            self._client.upsert("products", points)
        condition = models.FieldCondition(key="colour", match=models.MatchValue(value=0))
        self._filter = models.Filter(must=[condition])

    def _point(self, number: int, vector: Any) -> Any:
        return self._models.PointStruct(id=number, vector=vector.tolist(), payload={"colour": number % TENTH})

    def search(self, query: Any, *, filtered: bool = False) -> Ids:
        chosen = self._filter if filtered else None
        points = self._client.query_points("products", query=query.tolist(), limit=K, query_filter=chosen).points
        return [int(point.id) for point in points]

    def upsert(self, number: int, vector: Any) -> None:
        self._client.upsert("products", [self._point(number, vector)])


class LanceDb(Engine):
    """LanceDB in a folder, without an index, which is exact."""

    def __init__(self, folder: Path, vectors: Any) -> None:
        import lancedb

        rows = [self._row(number, vector) for number, vector in enumerate(vectors)]
        self._table = lancedb.connect(str(folder)).create_table("products", rows)

    def _row(self, number: int, vector: Any) -> dict[str, Any]:
        return {"id": number, "vector": vector.tolist(), "colour": number % TENTH}

    def search(self, query: Any, *, filtered: bool = False) -> Ids:
        actual = self._table.search(query).metric("cosine").select(["id", "_distance"])
        actual = actual.where("colour = 0", prefilter=True) if filtered else actual
        return [row["id"] for row in actual.limit(K).to_list()]

    def upsert(self, number: int, vector: Any) -> None:
        self._table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all().execute(
            [self._row(number, vector)]
        )


class MilvusLite(Engine):
    """Milvus Lite with a flat index."""

    def __init__(self, folder: Path, vectors: Any) -> None:
        from pymilvus import DataType, MilvusClient

        self._client = MilvusClient(str(folder / "milvus.db"))
        schema = MilvusClient.create_schema(auto_id=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=vectors.shape[1])
        schema.add_field("colour", DataType.INT64)
        index = self._client.prepare_index_params()
        index.add_index(field_name="vector", index_type="FLAT", metric_type="IP")
        self._client.create_collection("products", schema=schema, index_params=index)
        for begin in range(0, len(vectors), 1000):
            numbers = range(begin, min(begin + 1000, len(vectors)))
            self._client.insert("products", [self._row(number, vectors[number]) for number in numbers])
        self._client.load_collection("products")

    def _row(self, number: int, vector: Any) -> dict[str, Any]:
        return {"id": number, "vector": vector.tolist(), "colour": number % TENTH}

    def search(self, query: Any, *, filtered: bool = False) -> Ids:
        condition = "colour == 0" if filtered else ""
        matches = self._client.search("products", [query.tolist()], limit=K, filter=condition)
        return [hit["id"] for hit in matches[0]]

    def upsert(self, number: int, vector: Any) -> None:
        self._client.upsert("products", [self._row(number, vector)])


ENGINES: dict[str, type[Engine]] = {
    "lookalike": Lookalike,
    "original": Original,
    "faiss": Faiss,
    "hnswlib": Hnswlib,
    "usearch": Usearch,
    "qdrant local": Qdrant,
    "lancedb": LanceDb,
    "milvus lite": MilvusLite,
}


def measure(name: str, vectors: Any, queries: Any) -> dict[str, float | None]:
    """Return the figures of an engine; None for what it cannot do."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        ENGINES[name](Path(other), vectors[:100]).search(queries[0])  # its libraries are imported
        memory, started = resident_mb(), time.perf_counter()
        engine = ENGINES[name](Path(folder), vectors)
        figures: dict[str, float | None] = {"load s": time.perf_counter() - started}
        engine.search(queries[0])
        figures["memory MB"] = resident_mb() - memory
        started = time.perf_counter()
        engine.search(queries[0])
        queries = queries[: max(10, int(SEARCHING_S / (time.perf_counter() - started)))]
        times, matches = timed(engine.search, queries)
        figures |= {"p50 ms": percentile(times, 50), "p99 ms": percentile(times, 99)}
        busy = time.process_time()
        timed(engine.search, queries)
        figures["processor ms"] = (time.process_time() - busy) * 1000 / len(queries)
        figures["recall"] = recall(matches, vectors, queries, 1)
        for clients in CLIENTS:
            figures[f"searches/s, {clients} clients"] = rate(engine.search, queries, clients)
        try:
            times, matches = timed(lambda query: engine.search(query, filtered=True), queries)
            figures |= {"filtered p50 ms": percentile(times, 50)}
            figures["filtered recall"] = recall(matches, vectors, queries, TENTH)
        except NotImplementedError:
            figures |= {"filtered p50 ms": None, "filtered recall": None}
        figures["upsert to searchable ms"] = percentile([freshness(engine, vectors, n) for n in range(10)], 50)
    return figures


def freshness(engine: Engine, vectors: Any, turn: int) -> float:
    """Return the milliseconds from an upsert until a search finds the vector; not a number after ten seconds."""
    vector = np.random.default_rng(turn + 1000).standard_normal(vectors.shape[1]).astype(np.float32)
    vector /= np.linalg.norm(vector)
    number, started = len(vectors) + turn, time.perf_counter()
    engine.upsert(number, vector)
    while number not in engine.search(vector):
        if time.perf_counter() - started > 10:
            return float("nan")
    return (time.perf_counter() - started) * 1000


def timed(search: Callable[[Any], T], queries: Any) -> tuple[list[float], list[T]]:
    """Return the milliseconds and the result of each query."""
    times, collected = [], []
    for query in queries:
        started = time.perf_counter()
        collected.append(search(query))
        times.append((time.perf_counter() - started) * 1000)
    return times, collected


def rate(search: Callable[[Any], object], queries: Any, clients: int) -> float:
    """Return the searches a second of several threads, each with one search at a time."""
    until, counts = time.perf_counter() + SECONDS, [0] * clients

    def work(number: int) -> None:
        while time.perf_counter() < until:
            search(queries[(number + counts[number]) % len(queries)])
            counts[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - started)


def recall(idss: Sequence[Ids], vectors: Any, queries: Any, every: int) -> float:
    """Return the share of the nearest vectors that were found, against brute force."""
    exact = queries @ vectors[::every].T
    expected = np.argsort(-exact, axis=1)[:, :K] * every
    return float(
        np.mean([len(set(map(int, ids)) & set(row.tolist())) / K for ids, row in zip(idss, expected, strict=True)])
    )


def percentile(values: Sequence[float], share: float) -> float:
    return float(np.percentile(values, share))


def resident_mb() -> float:
    """Return the memory of this process in megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], np.load(sys.argv[2]), np.load(sys.argv[3]))))
