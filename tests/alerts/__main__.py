"""Raises the alerts: faults of a running stack under searches, and a real Prometheus that evaluates the rules.

    .venv/bin/python -m tests.alerts [--scale 15] [--pictures docs/images]

The times of the rules are divided by `--scale`, so that minutes pass in seconds. Prints which alerts each fault raised;
exit status 1 if they are not the expected ones.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import httpx

from services.local.stack import Stack
from services.sample_shop.catalogue import sample_products, sample_query
from tests.alerts.pictures import draw
from tests.alerts.prometheus import Prometheus, running_prometheus
from tests.support.shop import running_shop
from tests.support.stack import ROOT, stopped

# What a machine without free processors raises at any time.
OF_THE_MACHINE = {"LookalikeEventLoopBlocked", "LookalikeSearchSlow"}


@dataclass(frozen=True)
class Fault:
    """A fault, how long it lasts, and the alerts that it raises."""

    name: str
    make: Callable[[Stack], AbstractContextManager[object]]
    seconds: float
    alerts: frozenset[str]


def _without(process: str) -> Callable[[Stack], AbstractContextManager[object]]:
    return lambda stack: stopped(stack, process)


@contextmanager
def _rejecting_import(stack: Stack) -> Iterator[None]:
    """Import a feed whose images do not exist."""
    settings = stack.settings
    feed = settings.state_dir / "feed.csv"
    feed.write_text("id,image_url\n" + "".join(f"r{row},http://127.0.0.1:1/{row}.jpg\n" for row in range(5)))
    addresses = {"MONGO_URL": settings.mongo_url, "EMBEDDING_URL": settings.embedding_url}
    command = [sys.executable, "-m", "services.cli.main", "import", str(feed)]
    subprocess.run(command, env={**os.environ, **addresses}, cwd=ROOT, capture_output=True, check=False)
    yield


FAILING = {"LookalikeSearchErrors", "LookalikeUpstreamErrors"}
FAULTS = (
    Fault("none", lambda _: nullcontext(), 30, frozenset()),
    Fault("MongoDB is stopped", _without("mongo"), 50, frozenset({"LookalikeDatabaseDown", "LookalikeIndexStale"})),
    Fault("TensorFlow Serving is stopped", _without("tfs"), 40, frozenset({"LookalikeNetworkUnavailable", *FAILING})),
    Fault("embedding is stopped", _without("embedding"), 40, frozenset({"LookalikeServiceDown", *FAILING})),
    Fault(
        "the index is stopped",
        _without("index"),
        40,
        frozenset({"LookalikeServiceDown", "LookalikeIndexNodeDown", *FAILING}),
    ),
    Fault("a feed without images is imported", _rejecting_import, 40, frozenset({"LookalikeImportRejectsRows"})),
)


@contextmanager
def searching(url: str, pause_s: float) -> Iterator[None]:
    """Search by photo and by product, again and again, for as long as the block lasts."""
    end = threading.Event()
    photo, product = sample_query(3), next(sample_products()).id

    def run() -> None:
        with httpx.Client(base_url=url, timeout=5, trust_env=False) as client:
            while not end.wait(pause_s):
                try:
                    client.post("/v1/search", content=photo, headers={"Content-Type": "image/jpeg"})
                    client.get(f"/v1/products/{product}/similar")
                except httpx.HTTPError:
                    continue

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def raised(fault: Fault, stack: Stack, prometheus: Prometheus) -> set[str]:
    """Return the alerts that fire while a fault lasts. Those of the fault before have ended."""
    prometheus.wait_until_quiet(OF_THE_MACHINE)
    alerts: set[str] = set()
    with fault.make(stack):
        ends = time.monotonic() + fault.seconds
        while time.monotonic() < ends:
            time.sleep(1)
            alerts |= prometheus.firing()
    return alerts


def main() -> int:
    """Run every fault and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.alerts")
    parser.add_argument("--scale", type=float, default=15, help="the times of the rules are divided by it")
    parser.add_argument("--pictures", type=Path, help="a folder for pictures of the dashboards")
    arguments = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as name, running_shop(Path(name) / "stack") as shop:
        stack = Stack(shop.settings)
        with (
            running_prometheus(Path(name), stack.settings, arguments.scale) as prometheus,
            searching(stack.settings.gateway_url, 0.2),
        ):
            began = time.time()
            print("| fault | alerts |\n| --- | --- |")
            for fault in FAULTS:
                alerts = raised(fault, stack, prometheus)
                missing, more = fault.alerts - alerts, alerts - fault.alerts - OF_THE_MACHINE
                wrong += bool(missing or more)
                note = f" (missing: {sorted(missing)}, not expected: {sorted(more)})" if missing or more else ""
                print(f"| {fault.name} | {', '.join(sorted(alerts)) or 'none'}{note} |", flush=True)
            if arguments.pictures:
                draw(prometheus, began, time.time(), arguments.pictures)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
