"""How many machines a catalogue needs: processors, memory, network, latency and price, for sizes and rates.

    .venv/bin/python -m tools.capacity
    .venv/bin/python -m tools.capacity --products 5e6 --rate 40 --costs var/bench.json --cores 8 --memory 32

The costs of a search and a product are measured ones: those of docs/performance.md, or with --costs those of your
machine (`make bench BENCH="cost million"`). The waiting is simulated: searches come at random times.
If the file has the benchmark `load`, too, its latencies are printed next to those that the model computes for them,
with searches at equal intervals, as that benchmark sends them.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path

from tools.capacity.check import checked_figures, latency
from tools.capacity.costs import COST_PRODUCTS, MEASURED, CostsError, Point, UnitCosts, measured_points, read
from tools.capacity.plan import CapacityPlan, Demand, Goals, Machine, plan
from tools.capacity.pods import SIZES as POD_SIZES
from tools.capacity.pods import Pods, pods

SIZES = (1e6, 1e7, 1e8, 1e9)
RATES = (10.0, 100.0, 1000.0)
HEAD = (
    "products", "searches/s", "parts × replicas", "GiB a node", "other machines", "busy cores", "scan ms",
    "network Mbit/s", "p50 ms", "p99 ms", "price a month",
)  # fmt: skip
PODS_HEAD = (
    "folder", "searches/s", "parts", "index pods", "processors", "memory, GiB", "volume, GiB",
    "gateway pods, in flight", "embedding pods, in flight", "network pods × processors",
)  # fmt: skip
CHECK_HEAD = ("", "measured", "computed", "computed ÷ measured")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = argparse.ArgumentParser(
        prog="python -m tools.capacity", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    result.add_argument("--products", type=_positive, nargs="+", default=SIZES, help="numbers of products")
    result.add_argument("--rate", type=_positive, nargs="+", default=RATES, help="searches by photo a second")
    result.add_argument("--costs", type=Path, help="a file of make bench; default: the figures of docs/performance.md")
    result.add_argument("--measured-cores", type=_whole, default=2, help="processors where it was measured; default: 2")
    result.add_argument("--largest", type=_share, default=0.4, help="share of the largest category; default: 0.4")
    result.add_argument("--images", type=_positive, default=1.0, help="images of a product; default: 1")
    result.add_argument("--cores", type=_whole, default=16, help="processors of a machine; default: 16")
    result.add_argument("--memory", type=_positive, default=64.0, help="its memory in GiB; default: 64")
    result.add_argument("--bandwidth", type=_positive, default=40.0, help="its memory's GB a second; default: 40")
    result.add_argument("--core-hour", type=_positive, default=0.04, help="price of a processor's hour; default: 0.04")
    result.add_argument("--scan", type=_positive, default=50.0, help="longest scan of a category in ms; default: 50")
    result.add_argument("--utilisation", type=_share, default=0.6, help="busy share at the peak; default: 0.6")
    result.add_argument("--pods", action="store_true", help="print the pods of the folders in deploy/kubernetes/sizes")
    result.add_argument("--check", action="store_true", help="compare the model with the measured tables in docs/")
    return result


def row(demand: Demand, result: CapacityPlan) -> list[str]:
    """Return the line of a table."""
    return [
        f"{demand.products:,.0f}",
        f"{demand.rate:,.0f}",
        f"{'Milvus, ' if result.is_milvus else ''}{result.parts} × {result.replicas}",
        f"{result.index_gib:,.1f}",
        f"{result.search_machines + result.control_machines}",
        f"{result.busy_cores:,.1f}",
        f"{result.scan_ms:,.1f}",
        f"{result.network_mbit:,.0f}",
        f"{result.p50_ms:,.0f}",
        f"{result.p99_ms:,.0f}",
        f"{result.month:,.0f}",
    ]


def pods_row(name: str, demand: Demand, result: Pods) -> list[str]:
    """Return the line of a size in the table of pods."""
    scaled = (result.gateway, result.embedding)
    return [
        name,
        f"{demand.rate:,.0f}",
        f"{result.parts}",
        f"{result.index}",
        f"{result.index_cores}",
        f"{result.index_gib}",
        f"{result.volume_gib}",
        *(f"{pods.least} to {pods.most}, {pods.in_flight}" for pods in scaled),
        f"{result.network} × {result.network_cores}",
    ]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return "\n".join([lines[0], f"|{' ---: |' * len(head)}", *lines[1:]])


def check(points: Sequence[Point], costs: UnitCosts, cores: int, spread: float) -> str:
    """Return a table of measured latencies next to those of the model, on one machine with these processors."""
    head = ("searches/s", "p50 ms, measured", "p50 ms, model", "p99 ms, measured", "p99 ms, model")
    rows = []
    for point in points:
        search_ms = costs.photo_ms + costs.index_ms + costs.scan_ms(COST_PRODUCTS)
        p50, p99 = latency(point.rate, search_ms, cores, spread)
        rows.append((f"{point.rate:g}", f"{point.p50_ms:.0f}", f"{p50:.0f}", f"{point.p99_ms:.0f}", f"{p99:.0f}"))
    return table(head, rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return the exit status."""
    options = parser().parse_args(arguments)
    try:
        costs = MEASURED if options.costs is None else read(options.costs)
    except CostsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    machine = Machine(options.cores, options.memory, options.bandwidth, options.core_hour)
    goals = Goals(options.scan, options.utilisation)
    sys.stdout.write(f"costs of {costs.source}, in ms of a processor:")
    numbers = [(field.name, getattr(costs, field.name)) for field in fields(costs) if field.name != "source"]
    sys.stdout.write(" ".join(f" {name} {value:.1f}" for name, value in numbers).rstrip() + "\n")
    if options.check:
        sys.stdout.write(table(CHECK_HEAD, [figure.row() for figure in checked_figures(costs)]) + "\n")
        return 0
    if options.pods:
        sizes = [(name, demand, pods(demand, costs, machine, goals)) for name, demand in POD_SIZES.items()]
        sys.stdout.write(table(PODS_HEAD, [pods_row(*size) for size in sizes]) + "\n")
        return 0
    demands = [
        Demand(products, rate, options.largest, options.images)
        for products in options.products
        for rate in options.rate
    ]
    sys.stdout.write(table(HEAD, [row(demand, plan(demand, costs, machine, goals)) for demand in demands]) + "\n")
    if options.costs is not None and (points := measured_points(options.costs)):
        sys.stdout.write(f"\n{check(points, costs, options.measured_cores, goals.spread)}\n")
    return 0


def _number(check: Callable[[float], bool], words: str) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text.replace(",", ""))
        except ValueError:
            value = float("nan")
        if not check(value):
            raise argparse.ArgumentTypeError(f"{text!r} is no {words}")
        return value

    return parse


_positive = _number(lambda value: 0 < value < float("inf"), "number above 0")
_share = _number(lambda value: 0 < value <= 1, "number above 0 and at most 1")


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
