"""What one search by photo costs over all processes, against the same work in one process, in the same run.

The work is: prepare the photo, run the network, search 15,000 vectors. Rounds of the stack and of the one process take
turns. COST_ROUNDS is their number (default: 9). A second stack has gateway, embedding and index in one process.
"""

import io
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pymongo
from PIL import Image

from services.contracts.domain.manifest import load_manifest
from services.local.own_processes import name_of, own_processes
from services.local.stack import Stack
from services.local.supervisor import process_names
from services.sample_shop.catalogue import sample_query
from tests.benchmarks.bare_search import BareSearch
from tests.benchmarks.empty_route import running_empty_route
from tests.benchmarks.process_times import cpu_ms, cpu_of, resident_mb
from tests.benchmarks.raw_client import RawClient
from tests.benchmarks.spread import Spread
from tests.support.servers.stack import MODEL_DIR, running_stack
from tests.support.waiting import eventually

PRODUCTS = 15_000
ROUNDS = int(os.environ.get("COST_ROUNDS", "9"))
SEARCHES = 60  # of a round
POPULAR = 600  # searches of a round for products by their popularity
CLIENTS = (1, 2, 4, 8, 16, 32)
EACH = 10  # searches of a client, at least
IDLE_S = 15.0  # after the start: each service gives freed memory back every ten seconds
SEED = 20261129
ATTRIBUTES = {"baseColour": "Navy Blue", "gender": "Men", "price": 29.9, "season": "Summer"}


@dataclass(frozen=True)
class Running:
    """A stack whose index holds the vectors, and the processes without services."""

    stack: Stack
    photo: bytes
    pids: Mapping[str, int]
    bare: tuple[BareSearch, BareSearch]
    idle_mb: Mapping[str, float]  # memory of each process before the first product and search

    def search(self) -> RawClient:
        """Return a client that searches by the photo."""
        return RawClient(f"{self.stack.settings.gateway_url}/v1/search", self.photo, {"Content-Type": "image/jpeg"})

    def similar(self) -> RawClient:
        """Return a client that asks for the products that are similar to one."""
        return RawClient(f"{self.stack.settings.gateway_url}/v1/products/7/similar")


@contextmanager
def running(*, one_process: bool = False) -> Iterator[Running]:
    """Run a stack with PRODUCTS vectors in the photo's category, and two processes that search without services.

    `one_process` says whether the services of the stack share a process.
    """
    with tempfile.TemporaryDirectory() as name, running_stack(Path(name), one_process=one_process) as stack:
        folder, photo = Path(name), query_photo()
        pids = {name_of(process): process.pid for process in own_processes(folder.resolve())}
        pids = {name: pids[name] for name in reversed(process_names(stack.settings))}
        time.sleep(IDLE_S)
        idle_mb = memory_mb(pids)
        (folder / "photo.jpg").write_bytes(photo)
        vectors = unit_vectors(PRODUCTS)
        np.save(folder / "vectors.npy", vectors)
        fill(stack, photo, vectors)
        bare = [BareSearch(MODEL_DIR, folder / "photo.jpg", folder / "vectors.npy") for _ in range(2)]
        try:
            yield Running(stack, photo, pids, (bare[0], bare[1]), idle_mb)
        finally:
            for process in bare:
                process.close()


def memory_mb(pids: Mapping[str, int]) -> dict[str, float]:
    """Return the memory of each process."""
    return {name: round(resident_mb(pid), 1) for name, pid in pids.items()}


def query_photo() -> bytes:
    """Return a drawn photo as JPEG of 300×400 pixels."""
    with Image.open(io.BytesIO(sample_query(1))) as picture:
        file = io.BytesIO()
        picture.resize((300, 400)).save(file, "JPEG", quality=90)
    return file.getvalue()


def unit_vectors(count: int) -> Any:
    vectors = np.random.default_rng(SEED).standard_normal((count, 64), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def fill(stack: Stack, photo: bytes, vectors: Any) -> None:
    """Write products with these vectors into the category that the network predicts; wait until the index has them."""
    url, model = stack.settings.gateway_url, load_manifest(MODEL_DIR).model_id
    category = httpx.post(
        f"{url}/v1/search", content=photo, headers={"Content-Type": "image/jpeg"}, timeout=60, trust_env=False
    ).json()["category"]["id"]
    documents = (
        {
            "id": str(number),
            "Category": category,
            "vector": vector.tolist(),
            "model": model,
            "title": f"Product number {number} of this shop",
            "attributes": ATTRIBUTES,
        }
        for number, vector in enumerate(vectors)
    )
    with pymongo.MongoClient[dict[str, Any]](stack.settings.mongo_url) as client:
        client["lookalike"]["products"].insert_many(documents, ordered=False)
    eventually(lambda: httpx.get(f"{url}/v1/stats", trust_env=False).json()["products"] == len(vectors))


def cost(running: Running) -> dict[str, Spread]:
    """Return processor time and duration of a search, each with its ratio to the bare work's."""
    rows: list[dict[str, float]] = []
    for _ in range(ROUNDS):
        bare = running.bare[0].run(SEARCHES)
        client = running.search()  # a connection without a request would be closed meanwhile
        before = cpu_of(running.pids)
        durations = [client.timed_ms() for _ in range(SEARCHES)]
        spent = {name: (ms - before[name]) / SEARCHES for name, ms in cpu_of(running.pids).items()}
        bare_cpu, bare_p50 = bare["cpu_ms"] / SEARCHES, statistics.median(bare["ms"])
        p50 = statistics.median(durations)
        rows.append(
            {f"processor ms: {name}": ms for name, ms in spent.items()}
            | {
                "processor ms: all": sum(spent.values()),
                "processor ms: the bare work": bare_cpu,
                "processor time, times the bare work's": sum(spent.values()) / bare_cpu,
                "p50 ms": p50,
                "p50 ms: the bare work": bare_p50,
                "p50, times the bare work's": p50 / bare_p50,
            }
        )
        client.close()
    return {name: Spread.of([row[name] for row in rows]) for name in rows[0]}


def throughput(running: Running) -> dict[str, Spread]:
    """Return searches a second with several clients, as a share of those of two bare processes."""
    rows: list[dict[str, float]] = []
    for _ in range(max(3, ROUNDS // 3)):
        bare = _rate(2 * SEARCHES, lambda: _both(running.bare))
        row = {"searches a second: two bare processes": bare}
        for clients in CLIENTS:
            row[f"searches a second: {clients} clients"] = _concurrent(running, clients)
        best = max(row[f"searches a second: {clients} clients"] for clients in CLIENTS)
        rows.append(row | {"throughput, share of the bare work's": best / bare})
    return {name: Spread.of([row[name] for row in rows]) for name in rows[0]}


def _both(bare: tuple[BareSearch, BareSearch]) -> None:
    for process in bare:
        process.start(SEARCHES)
    for process in bare:
        process.result()


def _concurrent(running: Running, clients: int) -> float:
    each = max(EACH, 2 * SEARCHES // clients)
    connections = [running.search() for _ in range(clients)]
    threads = [threading.Thread(target=lambda c=c: [c.send() for _ in range(each)]) for c in connections]  # type: ignore[misc]

    def work() -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    rate = _rate(each * clients, work)
    for connection in connections:
        connection.close()
    return rate


def _rate(count: int, work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return count / (time.perf_counter() - started)


def similar(running: Running) -> dict[str, Spread]:
    """Return what a search by product costs, against an empty route: for one product, and for another each time."""
    rows: list[dict[str, float]] = []
    others = iter(range(PRODUCTS - 1, 0, -1))
    with running_empty_route() as (url, pid):
        client, empty, changing = running.similar(), RawClient(url), running.similar()
        client.send()
        for _ in range(ROUNDS):
            empty_before, before = cpu_ms(pid), cpu_of(running.pids)
            empty_ms = [empty.timed_ms() for _ in range(4 * SEARCHES)]
            empty_cpu = (cpu_ms(pid) - empty_before) / len(empty_ms)
            durations = [client.timed_ms() for _ in range(2 * SEARCHES)]
            spent = sum(cpu_of(running.pids).values()) - sum(before.values())
            first_ms = [changing.get_timed_ms(similar_path(next(others))) for _ in range(2 * SEARCHES)]
            rows.append(
                {
                    "similar: p50 ms": statistics.median(durations),
                    "similar: p50, times an empty route's": statistics.median(durations) / statistics.median(empty_ms),
                    "similar: processor ms": spent / len(durations),
                    "similar, another product each time: p50 ms": statistics.median(first_ms),
                    "similar, another product each time: p50, times an empty route's": (
                        statistics.median(first_ms) / statistics.median(empty_ms)
                    ),
                    "an empty route: p50 ms": statistics.median(empty_ms),
                    "an empty route: processor ms": empty_cpu,
                }
            )
    return {name: Spread.of([row[name] for row in rows]) for name in rows[0]} | by_popularity(running)


def by_popularity(running: Running) -> dict[str, Spread]:
    """Return what searches by product cost if shoppers look at the n-th most popular product 1/n times as often.

    The first round begins with few kept responses.
    """
    weights = 1 / np.arange(1, PRODUCTS + 1)
    drawn = np.random.default_rng(SEED).choice(PRODUCTS, (ROUNDS, POPULAR), p=weights / weights.sum())
    client, rows = running.similar(), []
    for numbers in drawn.tolist():
        kept, before = kept_responses(running), sum(cpu_of(running.pids).values())
        times_ms = [client.get_timed_ms(similar_path(number)) for number in numbers]
        spent = sum(cpu_of(running.pids).values()) - before
        rows.append(
            {
                "similar, products by Zipf's law: mean ms": statistics.mean(times_ms),
                "similar, products by Zipf's law: processor ms": spent / len(numbers),
                "similar, products by Zipf's law: share of kept responses": (kept_responses(running) - kept)
                / len(numbers),
            }
        )
    return {name: Spread.of([row[name] for row in rows]) for name in rows[0]}


def similar_path(number: int) -> str:
    """Return the address of what is similar to a product."""
    return f"/v1/products/{number}/similar"


def kept_responses(running: Running) -> float:
    """Return how many searches the gateway has answered with kept responses."""
    text = httpx.get(f"{running.stack.settings.gateway_url}/metrics", trust_env=False).text
    _, _, rest = text.partition('lookalike_cache_hits_total{cache="responses"} ')
    return float(rest.split()[0])


def measure(*, one_process: bool) -> dict[str, Any]:
    """Return the figures of a stack."""
    with running(one_process=one_process) as processes:
        client = processes.search()
        for _ in range(30):
            client.send()
        client.close()
        spreads = cost(processes) | throughput(processes) | similar(processes)
        memory = {f"idle memory, MB: {name}": megabytes for name, megabytes in processes.idle_mb.items()}
        memory |= {f"memory, MB: {name}": megabytes for name, megabytes in memory_mb(processes.pids).items()}
    return {name: spread.figures() for name, spread in spreads.items()} | memory


def main() -> dict[str, Any]:
    """Print and return the figures."""
    shared = measure(one_process=True)
    figures = measure(one_process=False) | {f"one process: {name}": value for name, value in shared.items()}
    print(f"median of {ROUNDS} rounds, and the quarters; a 300×400 JPEG, {PRODUCTS:,} products in its category")
    for name, value in figures.items():
        print(f"  {name:<60} {Spread(**value) if isinstance(value, dict) else f'{value:8.0f}'}")
    return figures
