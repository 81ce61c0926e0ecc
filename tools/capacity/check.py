"""The model against the measured tables in docs/performance.md and docs/operations.md."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tools.capacity.costs import COST_PRODUCTS, MEASURE, CostsError, UnitCosts
from tools.capacity.plan import Demand, Goals, Machine, plan
from tools.capacity.queueing import Search, Station

DOCS = Path(__file__).resolve().parents[2] / "docs"
CORES = 2  # of the machine of the tables
BUSIEST = 60  # searches a second: about half of the processors, as a plan allows
MIB_PER_GIB = 1024


@dataclass(frozen=True)
class CheckedFigure:
    """A measured figure, and what the model computes for it."""

    name: str
    measured: float
    computed: float

    @property
    def ratio(self) -> float:
        """The computed figure, divided by the measured one."""
        return self.computed / self.measured

    def row(self) -> list[str]:
        """Return the line of a table."""
        return [self.name, f"{self.measured:,.3g}", f"{self.computed:,.3g}", f"{self.ratio:.2f}"]


def checked_figures(costs: UnitCosts, docs: Path = DOCS) -> list[CheckedFigure]:
    """Return all checked figures.

    Raises:
        CostsError: a table lacks a figure.
    """
    performance, operations = ((docs / name).read_text() for name in ("performance.md", "operations.md"))
    search_ms = costs.photo_ms + costs.index_ms + costs.scan_ms(COST_PRODUCTS)
    spread = Goals().spread
    result = [
        CheckedFigure(
            "searches a second, 8 clients",
            _figures("searches a second: 8 clients", performance)[0],
            1000 * CORES / search_ms,
        )
    ]
    for rate in (int(text) for text in re.findall(r"^\| (\d+) \| [\d.]+ \| 0 \|", performance, re.MULTILINE)):
        if rate <= BUSIEST:
            _, _, p50, _, p99 = _figures(str(rate), performance)
            computed = latency(rate, search_ms, CORES, spread)
            result.append(CheckedFigure(f"{rate} searches a second: p50 ms", p50, computed[0]))
            result.append(CheckedFigure(f"{rate} searches a second: p99 ms", p99, computed[1]))
    scan = costs.scan_ms(400_000)
    result.append(
        CheckedFigure("scan of 400,000 products, ms", _figures("no filter, ms, median", performance)[0], scan)
    )
    for products in (100_000, 1_000_000):
        gib = plan(Demand(products, 1), costs, Machine(), Goals()).index_gib
        memory = _figures(f"{products:,}", operations)[0]
        result.append(CheckedFigure(f"{products:,} products: memory, MiB", memory, MIB_PER_GIB * gib))
    return result


def latency(rate: float, search_ms: float, cores: int, spread: float) -> tuple[float, float]:
    """Return the p50 and the p99 of searches at equal intervals on one machine, in milliseconds.

    Args:
        rate: searches a second.
        search_ms: processor time of a search.
        cores: of the machine.
        spread: the standard deviation of that time, divided by its mean.
    """
    latencies = Search(Station(cores), search_ms, spread=spread).latencies(rate, evenly=True)
    p50, p99 = np.percentile(latencies, (50, 99)).tolist()
    return p50, p99


def _figures(label: str, text: str) -> list[float]:
    """Return the numbers of a table's row."""
    row = re.search(rf"^\| {re.escape(label)} \| (.*) \|$", text, re.MULTILINE)
    if row is None:
        raise CostsError(
            f"the docs have no row {label!r}: measure with {MEASURE} and python -m tests.benchmarks.report"
        )
    return [float(number.replace(",", "")) for number in re.findall(r"(?<![\w.,])[\d,]+(?:\.\d+)?(?![\w])", row[1])]
