"""Searches at a constant rate, also while earlier ones wait, up to the rate that the stack cannot keep.

Each is sent when it is due, over any number of connections, and its latency counts from then. The sender is that of
the load tests: autocannon, which was used before, sends each connection's share of a second at the beginning of the
second, and records a latency of v milliseconds as v, v - 1, … and 1. LOAD_SECONDS is the time at a rate (default: 8).
"""

import asyncio
import os
from itertools import repeat
from typing import Any

import numpy as np

from tests.benchmarks.searches.bench_cost import Running, running
from tests.load.http import Sender, prepared
from tests.load.open_loop import Load
from tests.load.shop import Request

SECONDS = float(os.environ.get("LOAD_SECONDS", "8"))
RATES = (5, 10, 20, 30, 40, 60, 80, 100, 120, 150, 200)
KEPT = 0.95  # of the planned rate: below it, the stack is past its knee


async def at_rate(processes: Running, rate: int) -> dict[str, float]:
    """Return the rate that was answered, and the percentiles of the latency in milliseconds."""
    sender = Sender(processes.stack.settings.gateway_url, timeout_s=20)
    search = Request("photo", prepared("POST", "/v1/search", processes.photo, "image/jpeg"), lambda _: "")
    load = Load(sender, repeat(search))
    async with load.at(rate):
        await asyncio.sleep(SECONDS)
    sender.close()
    samples = load.samples
    last = max(sample.done for sample in samples.all) - min(sample.due for sample in samples.all)
    good = samples.milliseconds(lambda status: status.startswith("2"))
    p50, p90, p99 = np.percentile(good, (50, 90, 99)).tolist()
    return {
        "planned a second": rate,
        "answered a second": len(good) / max(last, SECONDS),
        "failed": len(samples.failed()),
        "p50 ms": p50,
        "p90 ms": p90,
        "p99 ms": p99,
    }


def main() -> dict[str, Any]:
    """Print and return a line for each rate, and the highest rate that was kept."""
    rows, knee = [], 0
    with running() as processes:
        asyncio.run(at_rate(processes, RATES[0]))  # warms up
        for rate in RATES:
            row = asyncio.run(at_rate(processes, rate))
            rows.append(row)
            print("  " + "  ".join(f"{name} {value:.1f}" for name, value in row.items()), flush=True)
            if row["answered a second"] < KEPT * rate or row["failed"]:
                break
            knee = rate
    print(f"  the highest rate that was kept: {knee} searches a second")
    return {"rates": rows, "knee": knee}
