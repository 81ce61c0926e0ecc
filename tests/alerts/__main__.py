"""Raises the alerts: faults of a running stack under searches, and a real Prometheus that evaluates the rules.

    .venv/bin/python -m tests.alerts [--scale 15] [--only TEXT ...] [--pictures docs/images]

The times of the rules are divided by `--scale`, so that minutes pass in seconds. Prints which alerts each fault raised;
exit status 1 if they are not the expected ones.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from services.local.stack import Stack
from services.sample_shop.catalogue import sample_products, sample_query
from tests.alerts.faults import FAULTS, OF_THE_MACHINE, VARIABLES, Fault
from tests.alerts.pictures import draw
from tests.alerts.prometheus import Prometheus, running_prometheus
from tests.support.servers.shop import running_shop


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
    parser.add_argument("--only", nargs="+", default=[""], help="the faults whose name contains one of these texts")
    parser.add_argument("--pictures", type=Path, help="a folder for pictures of the dashboards")
    arguments = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as name, running_shop(Path(name) / "stack", VARIABLES) as shop:
        stack = Stack(shop.settings)
        with (
            running_prometheus(Path(name), stack.settings, arguments.scale) as prometheus,
            searching(stack.settings.gateway_url, 0.2),
        ):
            began = time.time()
            print("| fault | alerts |\n| --- | --- |")
            for fault in (fault for fault in FAULTS if any(text in fault.name for text in arguments.only)):
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
