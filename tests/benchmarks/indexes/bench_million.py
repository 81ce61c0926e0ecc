"""A million products in the index: memory a product, time until the service is ready, searches against FAISS alone.

MILLION_BENCH is the number of products (default: 1,000,000; two fifths of them are in the largest category).
MILLION_BENCH_DATABASE is the number of those that are loaded from the database (default: 100,000). Memory is the
growth of a fresh process that reads the snapshot, without the pages of the file. The service starts without a
database. Searches are measured in processor time, and take turns with FAISS alone over the same vectors.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in the service

import asyncio
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from services.catalogue.product import Product
from services.catalogue.store.database import CatalogueDatabase
from services.contracts.wire.filter_json import parse_filter
from services.engine.category_view import Float32Array
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery, Query
from services.engine.packed.rows import PackedRows
from services.engine.payload import pack
from services.engine.product_gallery import ProductGallery
from services.index.replica import snapshot
from services.index.replica.block_file import BlockReader
from services.index.replica.column_keeper import ColumnKeeper
from services.index.replica.snapshot import Origin, SyncPosition
from tests.support.servers.index import CATEGORIES, IndexProcess, new_replica
from tests.support.servers.mongo import private_mongo
from tests.support.values.products import make_product
from tests.support.waiting import eventually

COUNT = int(os.environ.get("MILLION_BENCH", "1000000"))
FROM_DATABASE = int(os.environ.get("MILLION_BENCH_DATABASE", "100000"))
SHARES = (0.4, 0.2, 0.1, 0.1, 0.06, 0.05, 0.04, 0.03, 0.02)  # of the products, by category
QUERIES = 300
K = 10
READY_S = 600.0
SEED = 20261123
FILTERS = {"a filter that a tenth meets": {"colour": "c3"}, "a range that half meet": {"price": {"lt": 100}}}
NAME = "lookalike.products@fashion%2F1.snapshot"
MB = 1 << 20
Search = Callable[[Float32Array], object]


def unit_vectors(rng: np.random.Generator, count: int) -> Float32Array:
    vectors = rng.standard_normal((count, 64), dtype=np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def products(count: int) -> Iterator[Product]:
    """Yield products like a shop's, one category after the other."""
    rng = np.random.default_rng(SEED)
    number = 0
    for category, share in enumerate(SHARES):
        for vector in unit_vectors(rng, round(count * share)):
            number += 1
            yield make_product(
                key=str(100_000 + number),
                category=category,
                vector=vector,
                model="fashion/1",
                title=f"Product number {number} of this shop",
                url=f"https://shop.example/products/{number}",
                image_url=f"https://images.shop.example/{number}.jpg",
                attributes={"colour": f"c{number % 10}", "price": number * 7919 % 20_000 / 100, "gender": "Women"},
                category_source="feed",
            )


def write_snapshot(folder: Path) -> Path:
    """Write the snapshot of an index that holds the products."""
    gallery, path = new_replica(), folder / NAME
    for product in products(COUNT):
        gallery.gallery.put(product.category, product.key, product.vector, pack(product))
    gallery.gallery.publish()
    origin = Origin("lookalike.products", "fashion/1", "fashion/1", len(CATEGORIES), 64)
    folder.mkdir()
    snapshot.write(path, origin, SyncPosition("bench", None, time.time()), gallery.freeze(), lambda: None)
    return path


def anonymous_kb() -> int:
    """Return the memory of this process that belongs to no file, in kB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


def held(path: Path) -> dict[str, Any]:
    """Read the snapshot in this process; return its cost, and the searches' times against FAISS alone."""
    gc.collect()
    before, replica = anonymous_kb(), new_replica()
    with BlockReader(path, snapshot.FORMAT, snapshot.OLDEST_FORMAT) as file:
        origin = Origin(**file.header["origin"])
    began = time.process_time()
    snapshot.read(path, origin, replica)
    seconds = time.process_time() - began

    def memory_a_product() -> float:
        return (anonymous_kb() - before) * 1024 / len(replica.gallery)

    gc.collect()
    figures: dict[str, Any] = {
        "products": len(replica.gallery),
        "in the largest category": replica.gallery.counts()[0],
        "snapshot, MB": path.stat().st_size / MB,
        "snapshot read in, s of a processor": seconds,
        "memory a product, bytes": memory_a_product(),
    }
    figures |= compared(replica.gallery)
    gc.collect()
    figures["memory a product with the columns of all attributes, bytes"] = memory_a_product()
    return figures | one_category()


def compared(gallery: ProductGallery) -> dict[str, Any]:
    """Return the processor milliseconds of a query in the largest category, and the ratio to FAISS alone."""
    view = gallery.views[0]
    flat = bare(view.flat.vectors)
    queries = unit_vectors(np.random.default_rng(SEED + 1), QUERIES)
    ways: dict[str, Search] = {"bare FAISS": lambda query: flat.nearest(query, K, None)}
    ways["no filter"] = lambda query: gallery.search(0, query, Query(K))
    figures: dict[str, Any] = {}
    keeper, began = ColumnKeeper(lambda: gallery), time.thread_time()
    keeper.build()
    figures["columns of all attributes, s of a processor, in the background"] = time.thread_time() - began
    for name, wanted in FILTERS.items():
        parsed = parse_filter(wanted)
        ways[name] = lambda query, parsed=parsed: gallery.search(0, query, Query(K, parsed))  # type: ignore[misc]
        figures[f"first search with {name}, ms"] = took(ways[name], queries[0]) * 1000
    times = np.array([[took(search, query) for search in ways.values()] for query in queries[1:]]) * 1000
    base = np.percentile(times[:, 0], [50, 99])
    for (name, _), column in zip(ways.items(), times.T, strict=True):
        p50, p99 = np.percentile(column, [50, 99])
        figures |= {f"{name}, ms, median": p50, f"{name}, ms, 99 %": p99, f"{name}, times bare FAISS": p50 / base[0]}
    return figures


def bare(vectors: Float32Array) -> FaissFlat:
    """Return a flat index that reads all vectors in each search."""
    return FaissFlat(vectors, two_stage_rows=2 * len(vectors) + 1)


def one_category() -> dict[str, Any]:
    """Return the processor milliseconds of a query among COUNT vectors in one category, in turns with FAISS alone."""
    rng = np.random.default_rng(SEED)
    vectors, queries = unit_vectors(rng, COUNT), unit_vectors(rng, QUERIES // 3)
    gallery, flat = Gallery(1, 64, FaissFlat), bare(vectors)
    keys = [str(number) for number in range(COUNT)]
    images = np.zeros(COUNT, np.uint8)
    gallery.restore(0, vectors, images, PackedRows.of(keys, [None] * COUNT, images))
    ways = (lambda query: flat.nearest(query, K, None), lambda query: gallery.search(0, query, Query(K)))
    times = np.array([[took(search, query) for search in ways] for query in queries]) * 1000
    both = np.median(times, axis=0)
    low, high = np.percentile(times[:, 1] / times[:, 0], [25, 75])
    return {
        "one category: bare FAISS, ms, median": both[0],
        "one category: no filter, ms, median": both[1],
        "one category: times bare FAISS": both[1] / both[0],
        "one category: times bare FAISS, lower quarter": low,
        "one category: times bare FAISS, upper quarter": high,
    }


def took(search: Search, query: Float32Array) -> float:
    """Return the seconds of processor time that a search takes; other work on the machine does not count."""
    began = time.thread_time()
    search(query)
    return time.thread_time() - began


def ready_from(folder: Path, url: str, **settings: str) -> float:
    """Start the service and return the seconds until it is ready."""
    index = IndexProcess(folder, url, **settings)
    began = time.perf_counter()
    index.start()
    try:
        eventually(lambda: index.answers("/readyz"))
        return time.perf_counter() - began
    finally:
        index.stop()
        index.http.close()


async def fill(url: str) -> None:
    """Write products into a database."""
    async with CatalogueDatabase(url, timeout_s=60) as store:
        batch: list[Product] = []
        for product in products(FROM_DATABASE):
            batch.append(product)
            if len(batch) == 1000:
                await store.products.put_many(batch, probably_new=True)
                batch = []
        await store.products.put_many(batch, probably_new=True)


def main() -> dict[str, Any]:
    """Print and return the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = write_snapshot(folder / "snapshots")
        command = [sys.executable, "-m", "tests.benchmarks.indexes.bench_million", str(path)]
        output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        figures: dict[str, Any] = json.loads(output)
        nobody = "mongodb://127.0.0.1:9"
        figures["service ready from the snapshot, s"] = ready_from(folder, nobody, INDEX_SNAPSHOT_DIR=str(path.parent))
        with private_mongo(folder) as mongo:
            asyncio.run(fill(mongo.url))
            label = f"service ready from the database, {FROM_DATABASE:,} products, s"
            figures[label] = ready_from(folder, mongo.url, INDEX_SNAPSHOT_DIR="")
    for label, value in figures.items():
        print(f"  {label:<66} {value:14,.2f}")
    return figures


if __name__ == "__main__":
    if sys.argv[1:]:
        print(json.dumps(held(Path(sys.argv[1]))))
    else:
        main()
