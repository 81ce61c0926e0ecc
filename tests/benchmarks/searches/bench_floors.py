"""The floors: what the parts of a search cost at least on this machine, in the same run.

Memory bandwidth, a JPEG's decoding, the network alone at each batch size, a bare FAISS search, an empty route and a
bare gRPC call. The index service with 100,000 products in a category is measured against the last two.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in the service

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from services.contracts.domain.manifest import load_manifest
from services.contracts.images.preparation import prepare_image
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery
from services.engine.packed.rows import PackedRows
from services.engine.packed.texts import PackedTexts
from services.index.replica import snapshot
from services.index.replica.replica import Replica
from services.index.replica.snapshot import Origin, SyncPosition
from tests.benchmarks.empty_route import running_empty_route
from tests.benchmarks.indexes.bench_million import NAME
from tests.benchmarks.raw_client import RawClient
from tests.benchmarks.searches.bench_cost import query_photo, unit_vectors
from tests.benchmarks.spread import Spread
from tests.support.servers.index import CATEGORIES, new_replica, running_index
from tests.support.servers.stack import MODEL_DIR
from tests.support.waiting import eventually

PRODUCTS = 100_000
NO_DATABASE = "mongodb://127.0.0.1:9"
CALLS = 100
ROUNDS = 7
BATCHES = (1, 4, 16, 64)
MB = 1 << 20


def bandwidth() -> Spread:
    """Return gigabytes a second that one core reads."""
    values = np.ones(256 * MB // 8)
    rates = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        values.sum()
        rates.append(values.nbytes / 1e9 / (time.perf_counter() - started))
    return Spread.of(rates)


def in_turns(ways: dict[str, Callable[[], object]], calls: int = CALLS) -> dict[str, Spread]:
    """Return the milliseconds of each way: the medians of ROUNDS rounds, in which the ways take turns."""
    rounds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, call in ways.items():
            call()
            times = []
            for _ in range(calls):
                started = time.perf_counter()
                call()
                times.append((time.perf_counter() - started) * 1000)
            rounds[name].append(statistics.median(times))
    return {name: Spread.of(medians) for name, medians in rounds.items()}


def network() -> dict[str, Spread]:
    """Return the milliseconds of an image in the network alone, in a process of its own, for each size of a batch."""
    command = [sys.executable, "-m", "tests.benchmarks.searches.bench_floors", "network"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    figures: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return {f"network alone, ms an image, batch {size}": Spread.of(times) for size, times in figures.items()}


def _network_here() -> dict[str, list[float]]:
    from services.local.tfs.savedmodel import SavedModel

    size = load_manifest(MODEL_DIR).input
    signature = SavedModel(MODEL_DIR, warm_up=BATCHES).signatures["serving_default"]
    figures: dict[str, list[float]] = {}
    for batch in BATCHES:
        images = {"image": np.zeros((batch, size.height, size.width, 3), np.uint8)}
        figures[str(batch)] = []
        for _ in range(5 * ROUNDS):
            busy = time.process_time()
            signature.run(images)
            figures[str(batch)].append((time.process_time() - busy) * 1000 / batch)
    return figures


def bare_grpc() -> Spread:
    """Return the milliseconds of a gRPC call that echoes 50 kB, from asyncio as the embedding service makes it."""
    echo = grpc.unary_unary_rpc_method_handler(lambda request, _: request)
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test", {"Echo": echo})])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()

    async def measured() -> list[float]:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            call, medians = channel.unary_unary("/test/Echo"), []
            for _ in range(ROUNDS):
                times = []
                for _ in range(CALLS):
                    started = time.perf_counter()
                    await call(bytes(50_000))
                    times.append((time.perf_counter() - started) * 1000)
                medians.append(statistics.median(times))
            return medians

    try:
        return Spread.of(asyncio.run(measured()))
    finally:
        server.stop(None)


def replica_of(vectors: Any) -> Replica:
    """Return a replica of products with these vectors in one category."""
    replica, count = new_replica(), len(vectors)
    keys = PackedTexts.of(str(number).encode() for number in range(count))
    payloads = PackedTexts.of(f'{{"title":"Product number {number}"}}'.encode() for number in range(count))
    assert isinstance(replica.gallery, Gallery)
    images = np.zeros(count, np.uint8)
    replica.gallery.restore(0, vectors, images, PackedRows.of_texts(keys, payloads, images))
    return replica


def snapshot_of(replica: Replica, folder: Path) -> Path:
    """Write the snapshot of a replica; return its folder."""
    origin = Origin("lookalike.products", "fashion/1", "fashion/1", len(CATEGORIES), replica.gallery.dimension)
    (folder / "snapshots").mkdir()
    position = SyncPosition("bench", None, time.time())
    snapshot.write(folder / "snapshots" / NAME, origin, position, replica.freeze(), lambda: None)
    return folder / "snapshots"


def main() -> dict[str, Any]:
    """Print and return the floors, and the index service's ratio to them."""
    vectors, photo = unit_vectors(PRODUCTS), query_photo()
    flat, size = FaissFlat(vectors, two_stage_rows=PRODUCTS + 1), load_manifest(MODEL_DIR).input
    figures = {"memory bandwidth, GB/s": bandwidth(), "bare gRPC call, ms": bare_grpc(), **network()}
    with (
        tempfile.TemporaryDirectory() as name,
        running_index(
            Path(name), NO_DATABASE, INDEX_SNAPSHOT_DIR=str(snapshot_of(replica_of(vectors), Path(name)))
        ) as index,
        running_empty_route() as (empty_url, _),
    ):
        eventually(lambda: index.answers("/readyz"))
        body = json.dumps({"category": 0, "vector": vectors[5].tolist(), "model": "fashion/1", "k": 10}).encode()
        kind = {"Content-Type": "application/json"}
        search, empty = RawClient(f"{index.url}/v1/search", body, kind), RawClient(empty_url, body, kind)
        figures |= in_turns(
            {
                "a JPEG's decoding and preparing, ms": lambda: prepare_image(photo, size),
                f"bare FAISS, {PRODUCTS:,} vectors, ms": lambda: flat.nearest(vectors[5], 10, None),
                "an empty route, ms": empty.send,
                f"index service, {PRODUCTS:,} products, ms": search.send,
            }
        )
    bare = figures[f"bare FAISS, {PRODUCTS:,} vectors, ms"].median + figures["an empty route, ms"].median
    ratio = figures[f"index service, {PRODUCTS:,} products, ms"].median / bare
    print(f"medians of {ROUNDS} rounds, and the quarters")
    for label, spread in figures.items():
        print(f"  {label:<48} {spread}")
    print(f"  index service, times bare FAISS and an empty route: {ratio:.2f}")
    return {label: spread.figures() for label, spread in figures.items()} | {"index service, times the floors": ratio}


if __name__ == "__main__":
    if sys.argv[1:] == ["network"]:
        print(json.dumps(_network_here()))
    else:
        main()
