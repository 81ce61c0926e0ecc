"""How large a machine a catalogue needs, and how many searches a second a running installation answers.

    .venv/bin/python -m tests.benchmarks.sizing [--products 10000 100000 1000000] [--write]
    .venv/bin/python -m tests.benchmarks.sizing --url http://127.0.0.1:8000 [--key KEY] [--clients 4] [--seconds 10]

The first form measures the index, each number of products in a process of its own. All products are in one category,
the worst case for a search. The vectors are drawn at random. `--write` puts the table into docs/operations.md.
The second form searches a running gateway, whichever catalogue it has, by photo and by product.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import httpx
import psutil  # type: ignore[import-untyped]

from tests.load.report import write_section

MIB = 1024 * 1024
QUERIES = 200
PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
PROCESS_MIB = 70  # an index without products
STEP_MIB = 256
HEAD = (
    "products", "memory of the index, MiB", "`INDEX_MEMORY`", "snapshot, MiB", "a search, ms of one core",
    "searches a second and core",
)  # fmt: skip


def measured(count: int) -> dict[str, float]:
    """Return memory and snapshot in MiB, and the milliseconds of a search, for a number of products."""
    import numpy as np

    from services.catalogue.documents.product_document import Record
    from services.engine.gallery import Query
    from services.index.replica import snapshot
    from services.index.replica.snapshot import Origin, SyncPosition
    from tests.support.servers.index import CATEGORIES, new_replica
    from tests.support.values.products import make_product

    rng = np.random.default_rng(1)
    replica, process = new_replica(), psutil.Process()
    before = process.memory_info().rss
    for start in range(0, count, 10_000):
        vectors = rng.standard_normal((min(10_000, count - start), 64)).astype(np.float32)
        records = [
            Record(f"p{start + row}", make_product(
                f"p{start + row}", 0, vector, "fashion/1", title=f"Shirt number {start + row}",
                url=f"https://shop.example/products/{start + row}",
                image_url=f"https://shop.example/images/{start + row}.jpg",
                attributes={"price": float(row % 200), "brand": f"brand {row % 50}", "colour": f"c{row % 12}"},
            ))
            for row, vector in enumerate(vectors)
        ]  # fmt: skip
        replica.apply([record.document_id for record in records], records)
    used = process.memory_info().rss - before
    queries = rng.standard_normal((QUERIES, 64)).astype(np.float32)
    replica.gallery.search(0, queries[0], Query(10))
    began = time.process_time()
    for vector in queries:
        replica.gallery.search(0, vector, Query(10))
    search_ms = (time.process_time() - began) * 1000 / QUERIES
    origin = Origin("lookalike.products", "fashion/1", "fashion/1", len(CATEGORIES), 64)
    with tempfile.TemporaryDirectory() as folder:
        position = SyncPosition("sizing", None, 0.0)
        size = snapshot.write(Path(folder) / "snapshot", origin, position, replica.freeze(), lambda: None)
    return {"memory_mib": used / MIB, "snapshot_mib": size / MIB, "search_ms": search_ms}


def row(count: int, figures: dict[str, float]) -> tuple[str, ...]:
    """Return a row of the table. INDEX_MEMORY has room for two states, as while everything is read again."""
    needed = PROCESS_MIB + 2 * figures["memory_mib"]
    limit = -(-needed // STEP_MIB) * STEP_MIB
    ms = figures["search_ms"]
    return (
        f"{count:,}", f"{figures['memory_mib']:,.0f}", f"{limit:.0f}m", f"{figures['snapshot_mib']:,.0f}", f"{ms:.2f}",
        f"{1000 / ms:,.0f}",
    )  # fmt: skip


def measured_alone(count: int) -> dict[str, float]:
    """Return the figures of a number of products, measured in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.sizing", "--measure", str(count)]
    done = subprocess.run(
        command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, text=True, check=True
    )
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def machine() -> str:
    """Return the processor, its number of cores, and the memory."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    name = next((line.partition(":")[2].strip() for line in lines if "model name" in line), "unknown processor")
    memory = psutil.virtual_memory().total / MIB / 1024
    return f"{name}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB"


def size_index(counts: Sequence[int], *, write: bool) -> None:
    """Print the table of the index, and write it into the docs."""
    print(f"{machine()}\n\n| {' | '.join(HEAD)} |\n|{' --- |' * len(HEAD)}")
    rows = []
    for count in counts:
        rows.append(row(count, measured_alone(count)))
        print(f"| {' | '.join(rows[-1])} |", flush=True)
    if write:
        write_section("sizing", [HEAD, *rows], [f"{machine()}."], PAGE)


def searched(client: httpx.Client, clients: int, seconds: float, search: Callable[[int], httpx.Response]) -> str:
    """Return a line of the searches a second, and of their times.

    Raises:
        httpx.HTTPError: a search failed or was refused.
    """
    ends = time.monotonic() + seconds

    def run(number: int) -> list[float]:
        times: list[float] = []
        while (began := time.monotonic()) < ends:
            search(number + len(times)).raise_for_status()
            times.append((time.monotonic() - began) * 1000)
        return times

    with ThreadPoolExecutor(clients) as threads:
        times = sorted(ms for each in threads.map(run, range(clients)) for ms in each)
    p95 = times[int(len(times) * 0.95)]
    median = statistics.median(times)
    return f"{len(times) / seconds:,.0f} a second, median {median:.0f} ms, 95th percentile {p95:.0f} ms"


def size_running(url: str, key: str | None, clients: int, seconds: float) -> None:
    """Print the searches a second of a running gateway.

    Raises:
        httpx.HTTPError: it does not answer, refuses, or cannot search.
    """
    from services.sample_shop.catalogue import sample_query

    photos = [sample_query(number) for number in range(9)]
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    limits = httpx.Limits(max_connections=clients)
    with httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False, limits=limits) as client:
        stats = client.get("/v1/stats").raise_for_status().json()
        print(f"{url}: {stats['products']:,} products, {clients} clients, {seconds:g} s; here: {machine()}")

        def by_photo(number: int) -> httpx.Response:
            return client.post("/v1/search", content=photos[number % 9], headers={"Content-Type": "image/jpeg"})

        print(f"by photo: {searched(client, clients, seconds, by_photo)}", flush=True)
        ids = [quote(result["id"], safe="") for result in by_photo(0).raise_for_status().json()["results"]]
        if ids:

            def by_product(number: int) -> httpx.Response:
                lowest = -1 + number % 1_000_000 / 1e7  # always another request: the gateway keeps its answers
                return client.get(f"/v1/products/{ids[number % len(ids)]}/similar?min_score={lowest:.7f}")

            similar = searched(client, clients, seconds, by_product)
            print(f"by product: {similar}")


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.sizing")
    parser.add_argument("--products", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--write", action="store_true", help="write the table into docs/operations.md")
    parser.add_argument("--url", help="a running gateway")
    parser.add_argument("--key", default=os.environ.get("LOOKALIKE_KEY"), help="an API key of scope search")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measured(arguments.measure)))
    elif arguments.url:
        try:
            size_running(arguments.url, arguments.key, arguments.clients, arguments.seconds)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            print(f"{arguments.url} cannot be measured: {error or type(error).__name__}", file=sys.stderr)
            return 1
    else:
        size_index(arguments.products, write=arguments.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
