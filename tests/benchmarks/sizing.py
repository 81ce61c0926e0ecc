"""How large a machine a catalogue needs: memory, snapshot and searches of the index, for growing numbers of products.

    .venv/bin/python -m tests.benchmarks.sizing [--products 10000 100000 1000000]

Each number is measured in a process of its own. All products are in one category, the worst case for a search.
Searches of photos need the network too: the last line has the searches a second of a running gateway, with --url.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil  # type: ignore[import-untyped]

MIB = 1024 * 1024
QUERIES = 200
CLIENTS = 4
LOAD_S = 10.0


def measured(count: int) -> dict[str, float]:
    """Return memory in MiB, the snapshot's size in MiB and the milliseconds of a search, for a number of products."""
    import numpy as np

    from services.catalogue.documents.product_document import Record
    from services.engine.gallery import Query
    from tests.support.servers.index import new_replica
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
    return {"memory_mib": used / MIB, "search_ms": (time.process_time() - began) * 1000 / QUERIES}


def machine() -> str:
    """Return the processor, its number of cores, and the memory."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    name = next((line.partition(":")[2].strip() for line in lines if "model name" in line), "unknown processor")
    memory = psutil.virtual_memory().total / MIB / 1024
    return f"{name}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB"


def photo_searches(url: str) -> float:
    """Return the searches of photos a second of a running gateway, with CLIENTS clients."""
    from services.sample_shop.catalogue import sample_query

    photo, ends = sample_query(3), time.monotonic() + LOAD_S

    def search(_: int) -> int:
        done = 0
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
            while time.monotonic() < ends:
                client.post("/v1/search", content=photo, headers={"Content-Type": "image/jpeg"}).raise_for_status()
                done += 1
        return done

    with ThreadPoolExecutor(CLIENTS) as clients:
        return sum(clients.map(search, range(CLIENTS))) / LOAD_S


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.sizing")
    parser.add_argument("--products", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--url", help="a running gateway, for searches of photos")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measured(arguments.measure)))
        return
    print(machine())
    print("\n| products | memory of the index, MiB | a search, ms of one core | searches a second and core |")
    print("| --- | --- | --- | --- |")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": tempfile.gettempdir()}
    for count in arguments.products:
        command = [sys.executable, "-m", "tests.benchmarks.sizing", "--measure", str(count)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        ms = found["search_ms"]
        print(f"| {count:,} | {found['memory_mib']:,.0f} | {ms:.2f} | {1000 / ms:,.0f} |", flush=True)
    if arguments.url:
        print(f"\nSearches of photos a second, {CLIENTS} clients: {photo_searches(arguments.url):.0f}")


if __name__ == "__main__":
    main()
