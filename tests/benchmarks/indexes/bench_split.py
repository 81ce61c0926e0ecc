"""A category in 1, 2 and 4 parts, each part in an index process: the same answers, latency, and work of a node.

SPLIT_BENCH is the number of products, all in one category (default: 400,000). The nodes of the three layouts run at
the same time and are asked in turns, by the gateway's own code, so other work on the machine concerns all of them.
On one machine all nodes share the processors: the processor time of a node says what it would take on its own.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in the service

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry

from services.contracts.domain.parts import Part
from services.contracts.wire.index import IndexResponse, IndexSearch
from services.engine.category_view import Float32Array
from services.engine.packed.rows import PackedRows
from services.gateway.index_nodes.client import IndexClient
from services.gateway.index_nodes.hedging import Hedging
from services.gateway.index_nodes.nodes import IndexNodes
from services.gateway.settings import GatewaySettings
from services.index.replica import snapshot
from services.index.replica.snapshot import Origin, SyncPosition
from tests.benchmarks.process_times import cpu_ms
from tests.benchmarks.spread import Spread
from tests.support.servers.index import CATEGORIES, IndexProcess, new_replica, running_index
from tests.support.waiting import eventually

COUNT = int(os.environ.get("SPLIT_BENCH", "400000"))
LAYOUTS = (1, 2, 4)
ROUNDS = 9
SEARCHES = 40  # of a round
CLIENTS = 4
STUMBLES = 20  # the searches of a replica of which one is late
STUMBLE_S = 0.2
HEDGED_SEARCHES = 600
K = 10
SEED = 20261130
PAYLOAD = b'{"title":"Product of this shop","url":"https://shop.example/products/1"}'
NAME = "lookalike.products@fashion%2F1.snapshot"
NOBODY = "mongodb://127.0.0.1:9"


@dataclass(frozen=True)
class Layout:
    """Index processes that together hold all products, and the gateway's code that asks them."""

    processes: Sequence[IndexProcess]
    nodes: IndexNodes

    def cpu_ms(self) -> float:
        """Return the processor time of all processes so far."""
        return sum(cpu_ms(process.process.pid) for process in self.processes if process.process)


def unit_vectors(count: int, seed: int) -> Float32Array:
    vectors = np.random.default_rng(seed).standard_normal((count, 64), dtype=np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def write_snapshot(folder: Path, part: Part, vectors: Float32Array) -> Path:
    """Write the snapshot of an index that holds a part of the products; return its folder."""
    keys = [str(100_000 + number) for number in range(len(vectors))]
    rows = [row for row, key in enumerate(keys) if part.holds(key)]
    images, replica = np.zeros(len(rows), np.uint8), new_replica(part=part)
    packed = PackedRows.of([keys[row] for row in rows], [PAYLOAD] * len(rows), images)
    replica.gallery.restore(0, vectors[rows], images, packed)  # type: ignore[attr-defined]
    held = "all" if part.is_whole else f"all part {part}"
    origin = Origin("lookalike.products", "fashion/1", "fashion/1", len(CATEGORIES), 64, held)
    folder.mkdir(parents=True)
    position = SyncPosition("bench", None, time.time())
    snapshot.write(folder / NAME, origin, position, replica.freeze(), lambda: None)
    return folder


@contextmanager
def running(folder: Path, vectors: Float32Array, of: int) -> Iterator[list[IndexProcess]]:
    """Run the index processes of a layout, which read their snapshots and find no database."""
    with ExitStack() as stack:
        processes = []
        for part in (Part(number, of) for number in range(1, of + 1)):
            own = folder / f"{part.number}-of-{part.of}"
            snapshots = write_snapshot(own / "snapshots", part, vectors)
            settings = {"INDEX_SNAPSHOT_DIR": str(snapshots), "INDEX_PART": str(part)}
            processes.append(stack.enter_context(running_index(own, NOBODY, **settings)))
        eventually(lambda: all(process.answers("/readyz") for process in processes))
        yield processes


@asynccontextmanager
async def connected(processes: Sequence[IndexProcess]) -> AsyncIterator[Layout]:
    """Ask processes as the gateway does."""
    nodes = IndexNodes([IndexClient(process.url, 30.0) for process in processes], refresh_s=60)
    await nodes.refresh()
    try:
        yield Layout(processes, nodes)
    finally:
        await nodes.close()


async def measured(layout: Layout, queries: Sequence[IndexSearch]) -> tuple[dict[str, float], list[list[str]]]:
    """Return the figures of a round, and the ids that each query returns."""
    durations, ids = [], []
    before, own = layout.cpu_ms(), time.process_time()
    for query in queries:
        began = time.perf_counter()
        response = await layout.nodes.search(query)
        durations.append(1000 * (time.perf_counter() - began))
        ids.append([hit.id for hit in response.hits])
    spent, own = (layout.cpu_ms() - before) / len(queries), 1000 * (time.process_time() - own) / len(queries)
    began = time.perf_counter()
    waiting = iter(queries)

    async def client() -> None:
        for query in waiting:
            await layout.nodes.search(query)

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return {
        "p50 ms": statistics.median(durations),
        "p99 ms": statistics.quantiles(durations, n=100, method="inclusive")[98],
        "processor ms a node": spent / len(layout.processes),
        "processor ms of the gateway's code": own,
        "searches a second of a node's processor": 1000 * len(layout.processes) / spent,
        f"searches a second, {CLIENTS} clients": len(queries) / (time.perf_counter() - began),
    }, ids


async def compared(layouts: Sequence[Layout]) -> dict[int, list[dict[str, float]]]:
    """Return the figures of each round of each layout; all return the same products."""
    vectors = unit_vectors(ROUNDS * SEARCHES, SEED + 1)
    queries = [IndexSearch(category=0, vector=vector.tolist(), model="fashion/1", k=K) for vector in vectors]
    figures: dict[int, list[dict[str, float]]] = {len(layout.processes): [] for layout in layouts}
    for begin in range(0, len(queries), SEARCHES):
        answers = []
        for layout in layouts:
            own, ids = await measured(layout, queries[begin : begin + SEARCHES])
            figures[len(layout.processes)].append(own)
            answers.append(ids)
        assert all(ids == answers[0] for ids in answers), "the layouts return different products"
    return figures


class Stumbling(IndexClient):
    """A replica that stands still for a moment in some searches, as while it collects garbage."""

    calls = 0

    async def search(self, query: IndexSearch) -> IndexResponse:
        """Return the node's response, one of STUMBLES late."""
        self.calls += 1
        if self.calls % STUMBLES == 0:
            await asyncio.sleep(STUMBLE_S)
        return await super().search(query)


async def hedged(process: IndexProcess) -> dict[str, float]:
    """Return the latency behind two replicas of which one stumbles, without and with hedged requests, in turns."""
    vectors = unit_vectors(HEDGED_SEARCHES, SEED + 2)
    queries = [IndexSearch(category=0, vector=vector.tolist(), model="fashion/1", k=K) for vector in vectors]
    registry = CollectorRegistry()
    ways = {"without": Hedging(0.0), "with": Hedging(GatewaySettings().index_hedge_share, registry)}
    durations: dict[str, list[float]] = {name: [] for name in ways}
    replicas = {
        name: IndexNodes([IndexClient(process.url, 30.0), Stumbling(process.url, 30.0)], 60, hedging=hedging)
        for name, hedging in ways.items()
    }
    for nodes in replicas.values():
        await nodes.refresh()
    for query in queries:
        for name, nodes in replicas.items():
            began = time.perf_counter()
            await nodes.search(query)
            durations[name].append(1000 * (time.perf_counter() - began))
    for nodes in replicas.values():
        await nodes.close()
    firsts = ("original", "replica")
    sent = sum(registry.get_sample_value("lookalike_index_hedges_total", {"first": first}) or 0 for first in firsts)
    figures = {}
    for name, times in durations.items():
        figures[f"a replica that stumbles, {name} hedged requests: p50 ms"] = statistics.median(times)
        figures[f"a replica that stumbles, {name} hedged requests: p99 ms"] = statistics.quantiles(times, n=100)[98]
    return figures | {"second requests, share of all": sent / len(queries)}


async def ask_all(processes: Sequence[Sequence[IndexProcess]]) -> dict[int, list[dict[str, float]]]:
    """Connect to all layouts, warm them up, and compare them."""
    async with connected(processes[0]) as first, connected(processes[1]) as two, connected(processes[2]) as four:
        layouts = [first, two, four]
        for layout in layouts:
            warm = IndexSearch(category=0, vector=[1.0] + [0.0] * 63, model="fashion/1", k=K)
            for _ in range(SEARCHES):
                await layout.nodes.search(warm)
        return await compared(layouts)


def main() -> dict[str, Any]:
    """Return the figures of each layout, and their ratios to those of one node in the same round."""
    vectors = unit_vectors(COUNT, SEED)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        processes = [stack.enter_context(running(Path(name), vectors, of)) for of in LAYOUTS]
        rounds = asyncio.run(ask_all(processes))
        figures: dict[str, Any] = {"products": COUNT, **asyncio.run(hedged(processes[0][0]))}
    for of, own in rounds.items():
        nodes = f"{of} node{'s' if of > 1 else ''}"
        for label in own[0]:
            figures[f"{nodes}: {label}"] = Spread.of([each[label] for each in own]).figures()
            if of > 1:
                ratios = [each[label] / base[label] for each, base in zip(own, rounds[1], strict=True)]
                figures[f"{nodes}: {label}, times one node's"] = Spread.of(ratios).figures()
    print(f"median of {ROUNDS} rounds, and the quarters; {COUNT:,} products in one category")
    for label, value in figures.items():
        print(f"  {label:<66} {Spread(**value) if isinstance(value, dict) else f'{value:12,.3f}'}")
    return figures


if __name__ == "__main__":
    main()
