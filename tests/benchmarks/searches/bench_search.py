"""The time of each stage of a search through the whole stack."""

import statistics
import tempfile
import time
from pathlib import Path

import httpx

from services.sample_shop.catalogue import sample_products, sample_query
from tests.support.servers.stack import running_stack

ROUNDS = 200
STAGES = ("decode", "network", "index")


def main() -> dict[str, float]:
    """Print and return medians in milliseconds: each stage, the rest of the gateway's time, and the caller's time."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_stack(Path(folder)) as stack,
        httpx.Client(base_url=stack.settings.gateway_url, timeout=20, trust_env=False) as api,
    ):
        for product in sample_products(per_category=3):
            api.put(f"/v1/products/{product.id}", files={"image": product.jpeg()}).raise_for_status()
        figures = measure(api, sample_query(1))
    print(f"median of {ROUNDS} searches, one after the other, in milliseconds:")
    for name, value in figures.items():
        print(f"  {name:<26} {value:7.2f}")
    return figures


def measure(api: httpx.Client, photo: bytes) -> dict[str, float]:
    """Return the medians of ROUNDS searches, after a warm-up."""
    rows: list[dict[str, float]] = []
    for turn in range(ROUNDS + 20):
        started = time.perf_counter()
        response = api.post("/v1/search", content=photo, headers={"Content-Type": "image/jpeg"})
        caller_ms = (time.perf_counter() - started) * 1000
        response.raise_for_status()
        if turn >= 20:
            rows.append({**response.json()["timings_ms"], "caller": caller_ms})
    medians = {name: statistics.median(row[name] for row in rows) for name in (*STAGES, "total", "caller")}
    rest = statistics.median(row["total"] - sum(row[stage] for stage in STAGES) for row in rows)
    return {
        "decode": medians["decode"],
        "network (gRPC)": medians["network"],
        "index (HTTP)": medians["index"],
        "the rest of the gateway": rest,
        "the whole gateway": medians["total"],
        "the caller": medians["caller"],
        "caller p99": statistics.quantiles([row["caller"] for row in rows], n=100)[98],
    }


if __name__ == "__main__":
    main()
