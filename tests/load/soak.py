"""`make soak`: half an hour at half of the capacity, while the catalogue changes.

Memory may grow by less than 5 %, and open files, threads and tasks may not grow. Otherwise the exit status is 1.
"""

import argparse
import asyncio
import statistics
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from services.local.stack import Stack
from tests.load.http import Sender
from tests.load.open_loop import Load, Samples, capacity
from tests.load.processes import Usage, processes, service_urls, usage
from tests.load.report import write_section
from tests.load.shop import Shop, open_shop

WARM_UP = 0.2  # of the time, before the first measurement counts
MEMORY = 0.05
FLAT = 10  # files, threads or tasks that come and go with requests


@dataclass(frozen=True)
class Drift:
    """How the usage of a service changed: medians of the first and of the last fifth of the measurements."""

    first: Usage
    last: Usage

    @property
    def memory(self) -> float:
        """The growth of memory, as a share."""
        return self.last.memory_mb / self.first.memory_mb - 1

    def problems(self, name: str) -> list[str]:
        """Return what grew, in words."""
        grew = [
            f"{name}: {what} from {before} to {after}"
            for what, before, after in (
                ("files", self.first.files, self.last.files),
                ("threads", self.first.threads, self.last.threads),
                ("tasks", self.first.tasks, self.last.tasks),
            )
            if after > before + FLAT
        ]
        return grew + ([f"{name}: memory grew by {self.memory:.1%}"] if self.memory >= MEMORY else [])


def drift(measured: Sequence[Usage]) -> Drift:
    """Return the change over measurements after the warm-up."""
    fifth = max(1, len(measured) // 5)
    return Drift(_medians(measured[:fifth]), _medians(measured[-fifth:]))


def _medians(measured: Sequence[Usage]) -> Usage:
    return Usage(
        statistics.median(sample.memory_mb for sample in measured),
        *(
            int(statistics.median(getattr(sample, name) for sample in measured))
            for name in ("files", "threads", "tasks")
        ),
    )


@dataclass(frozen=True)
class Soak:
    """What came of a soak."""

    minutes: float
    rate: float
    samples: Samples
    drifts: Mapping[str, Drift]
    lost: Sequence[str]

    def rows(self) -> list[tuple[str, ...]]:
        """Return a table of the services."""
        head = ("service", "memory, MB: first, last", "growth", "files", "threads", "tasks")
        return [head] + [
            (
                name,
                f"{drift.first.memory_mb:.1f}, {drift.last.memory_mb:.1f}",
                f"{drift.memory:+.1%}",
                *(
                    f"{getattr(drift.first, what)}, {getattr(drift.last, what)}"
                    for what in ("files", "threads", "tasks")
                ),
            )
            for name, drift in self.drifts.items()
        ]

    def notes(self) -> list[str]:
        """Return sentences about the requests."""
        statuses = ", ".join(f"{count:,} × {status}" for status, count in self.samples.statuses().most_common())
        return [
            f"{self.minutes:g} minutes at {self.rate:.0f} requests a second, of ten of which one changes a product.",
            f"Statuses: {statuses}; wrong results: {len(self.samples.wrong())}; lost writes: {len(self.lost)}.",
        ]

    def problems(self) -> list[str]:
        """Return what is not as it has to be, in words."""
        actual = [problem for name, drift in self.drifts.items() for problem in drift.problems(name)]
        actual += [f"a wrong result: {text}" for text in self.samples.wrong()[:3]]
        return actual + [f"a lost write: {text}" for text in self.lost]


async def soak(stack: Stack, shop: Shop, minutes: float, interval_s: float) -> Soak:
    """Send requests, and measure the services meanwhile."""
    sender = Sender(stack.settings.gateway_url)
    rate = await capacity(Load(sender, shop.mixed())) / 2
    load, watched, urls = Load(sender, shop.mixed()), processes(stack), service_urls(stack)
    measured: dict[str, list[Usage]] = {name: [] for name in urls}
    count = max(10, round(minutes * 60 / interval_s))
    async with load.at(rate):
        for number in range(count):
            await asyncio.sleep(minutes * 60 / count)
            for name, url in urls.items() if number >= WARM_UP * count else ():
                measured[name].append(await asyncio.to_thread(usage, watched[name], url))
    lost = await shop.lost(sender)
    sender.close()
    return Soak(minutes, rate, load.samples, {name: drift(values) for name, values in measured.items()}, lost)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = argparse.ArgumentParser(prog="make soak", description=__doc__)
    result.add_argument("--minutes", type=float, default=30.0, help="length of the soak")
    result.add_argument("--interval", type=float, default=10.0, help="seconds between two measurements")
    result.add_argument("--write", action="store_true", help="write the figures into docs/reliability.md")
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status."""
    options = parser().parse_args(arguments)
    with suppress(KeyboardInterrupt), open_shop("soak") as (stack, shop):
        result = asyncio.run(soak(stack, shop, options.minutes, options.interval))
        sys.stdout.write("\n".join(result.notes()) + "\n")
        for row in result.rows():
            sys.stdout.write(f"  {row[0]:<10} {row[1]:>24} {row[2]:>8} {row[3]:>10} {row[4]:>10} {row[5]:>10}\n")
        for problem in result.problems():
            sys.stdout.write(f"! {problem}\n")
        if options.write:
            write_section("soak", result.rows(), result.notes())
        return int(bool(result.problems()))
    return 130


if __name__ == "__main__":
    sys.exit(main())
