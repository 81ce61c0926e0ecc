"""`make overload`: three times the capacity. What can be served is served, and the rest is refused soon.

The goodput has to be at least 90 % of the peak, and the median refusal within 50 ms. Otherwise the exit status is 1.
"""

import argparse
import asyncio
import statistics
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from tests.load.http import Sender
from tests.load.open_loop import REFUSALS, Load, Samples, capacity
from tests.load.report import write_section
from tests.load.shop import Shop, open_shop

TIMES = 3
GOODPUT = 0.9
REFUSED_MS = 50.0


@dataclass(frozen=True)
class Overload:
    """What came of an overload: good answers a second, the peak before it, and the samples."""

    peak: float
    seconds: float
    samples: Samples

    @property
    def goodput(self) -> float:
        """Good answers a second."""
        return sum(sample.is_good for sample in self.samples.all) / self.seconds

    @property
    def refused_ms(self) -> float:
        """The median time of a refusal; 0 without one."""
        return statistics.median(self.samples.milliseconds(lambda status: status in REFUSALS) or [0.0])

    def figures(self) -> dict[str, str]:
        """Return the figures by their names."""
        good = self.samples.milliseconds(lambda status: status.startswith("2")) or [0.0]
        statuses = ", ".join(f"{count:,} × {status}" for status, count in self.samples.statuses().most_common())
        return {
            "peak, answers a second": f"{self.peak:.0f}",
            f"requests a second, {TIMES} times the peak": f"{TIMES * self.peak:.0f}",
            "goodput, answers a second": f"{self.goodput:.0f}",
            "goodput of the peak": f"{self.goodput / self.peak:.0%}",
            "statuses": statuses,
            "median refusal, ms": f"{self.refused_ms:.0f}",
            "median answer, ms": f"{statistics.median(good):.0f}",
            "wrong results": f"{len(self.samples.wrong())}",
        }

    def problems(self) -> list[str]:
        """Return what is not as it has to be, in words."""
        rules = (
            (self.goodput >= GOODPUT * self.peak, f"the goodput is {self.goodput / self.peak:.0%} of the peak"),
            (self.refused_ms <= REFUSED_MS, f"the median refusal takes {self.refused_ms:.0f} ms"),
            (self.samples.statuses().keys() <= REFUSALS | {"200", "201"}, "a status that is no refusal"),
            (any(status in REFUSALS for status in self.samples.statuses()), "nothing was refused: this is no overload"),
            (not self.samples.wrong(), f"a wrong result: {', '.join(self.samples.wrong()[:3])}"),
        )
        return [text for holds, text in rules if not holds]


async def overload(url: str, shop: Shop, seconds: float) -> Overload:
    """Measure the peak, then send three times as many requests.

    The peak is the mean of the one before and the one after: other work on the machine changes it during the overload.
    """
    sender = Sender(url)
    before = await capacity(Load(sender, shop.searches()))
    load = Load(sender, shop.searches())
    async with load.at(TIMES * before):
        await asyncio.sleep(seconds)
    after = await capacity(Load(sender, shop.searches()))
    sender.close()
    begin = min(sample.due for sample in load.samples.all)
    length = max(sample.done for sample in load.samples.all if sample.is_good) - begin
    return Overload((before + after) / 2, length, load.samples)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = argparse.ArgumentParser(prog="make overload", description=__doc__)
    result.add_argument("--seconds", type=float, default=20.0, help="length of the overload")
    result.add_argument("--write", action="store_true", help="write the figures into docs/reliability.md")
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status."""
    options = parser().parse_args(arguments)
    with suppress(KeyboardInterrupt), open_shop("overload") as (stack, shop):
        result = asyncio.run(overload(stack.settings.gateway_url, shop, options.seconds))
        for what, value in result.figures().items():
            sys.stdout.write(f"  {what:<40} {value}\n")
        for problem in result.problems():
            sys.stdout.write(f"! {problem}\n")
        if options.write:
            write_section("overload", [("", "figure"), *result.figures().items()])
        return int(bool(result.problems()))
    return 130


if __name__ == "__main__":
    sys.exit(main())
