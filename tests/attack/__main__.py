"""`make attack`: what a hostile client can send, against the whole stack, next to honest clients.

Each service has the memory that the Compose file gives it, and no more. No process may end, no answer may be a server
error or an error of more than 16 kB, honest requests must be answered, /livez within 100 ms, and searches within twice
the time of a calm stack (99th percentile). Otherwise the exit status is 1.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from services.sample_shop.catalogue import sample_query
from tests.attack.campaign import Bounds, Campaign, Outcome
from tests.attack.corpus import corpus
from tests.attack.memory import SERVICES, Memory, limits_mb
from tests.attack.probe import Honest, Probe, percentile
from tests.attack.shop import fill
from tests.load.report import write_section
from tests.support.servers.stack import running_stack

HEADER = f"  {'attack':<38} {'answers':<28} {'livez':>7} {'control':>7} {'search p99':>10}  memory after, peak in MB\n"
SLOWER = 2.0  # times the 99th percentile of searches of a calm stack


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = argparse.ArgumentParser(prog="make attack", description=__doc__)
    result.add_argument("--only", default="", help="the attacks whose name contains this text")
    result.add_argument("--rounds", type=int, default=2, help="number of times that all attacks are carried out")
    result.add_argument("--slow", type=float, default=25.0, help="seconds that slow connections last")
    result.add_argument("--calm", type=float, default=10.0, help="seconds of searches without an attack, before")
    result.add_argument("--write", action="store_true", help="write the figures into docs/reliability.md")
    return result


async def attacked(campaign: Campaign, options: argparse.Namespace, bounds: Bounds) -> bool:
    """Carry out the attacks, print the table, and return whether no bound is broken."""
    rounds: list[list[Outcome]] = []
    resting: list[dict[str, Memory]] = []
    calm = Probe()
    for number in range(options.rounds):
        calm.add(await campaign.calm(options.calm))  # before each round: other programs may use the machine
        sys.stdout.write(f"round {number + 1}\n{HEADER}")
        chosen = [attack for attack in corpus(options.slow) if options.only in attack.name]
        rounds.append([_printed(await campaign.run(attack), bounds) for attack in chosen])
        resting.append(await campaign.rest())
    summary = Summary(calm, rounds, resting)
    sys.stdout.write("".join(f"  {what:<58} {value}\n" for what, value in summary.rows()[1:]))
    sys.stdout.write("".join(f"! {problem}\n" for problem in summary.problems(bounds)))
    if options.write:
        write_section("attack", summary.rows())
    return not summary.problems(bounds) and not any(
        list(outcome.problems(bounds)) for outcomes in rounds for outcome in outcomes
    )


@dataclass(frozen=True)
class Summary:
    """All rounds of the attacks, next to a calm stack."""

    calm: Probe
    rounds: Sequence[Sequence[Outcome]]
    resting: Sequence[dict[str, Memory]]

    @property
    def probes(self) -> list[Probe]:
        """What honest clients saw during each attack."""
        return [outcome.probe for outcomes in self.rounds for outcome in outcomes]

    def _all(self, name: str) -> list[float]:
        return [value for probe in self.probes for value in getattr(probe, name)]

    @property
    def p99_ms(self) -> float:
        """The 99th percentile of honest searches during the attacks."""
        return percentile(self._all("search_ms"), 0.99)

    def growth(self) -> dict[str, tuple[float, float]]:
        """Return the memory of each service at rest, after the first and after the last round, in MB."""
        first, last = self.resting[0], self.resting[-1]
        return {name: (first[name].now, last[name].now) for name in SERVICES if name in first and name in last}

    def rows(self) -> list[tuple[str, str]]:
        """Return the figures as a table."""
        every = [outcome for outcomes in self.rounds for outcome in outcomes]
        sent, failed = len(self._all("search_ms")), sum(len(probe.failed) for probe in self.probes)
        limits = limits_mb()
        peaks = {name: max(outcome.after[name].peak for outcome in every if name in outcome.after) for name in SERVICES}
        return [
            ("", "figure"),
            ("attacks, rounds", f"{len(self.rounds[0])}, {len(self.rounds)}"),
            (
                "attacks that broke a bound",
                f"{sum(bool(list(each.problems(Bounds()))) for each in every)} of {len(every)}",
            ),
            ("processes that ended", f"{sum(len(outcome.restarted) for outcome in every)}"),
            ("largest error, bytes", f"{max(outcome.answers.largest_error for outcome in every):,}"),
            ("honest searches; requests that failed", f"{sent:,}; {failed}"),
            *((what, _times(values)) for what, values in self._times().items()),
            *(
                (f"memory of {name}, MB: peak of its limit", f"{peaks[name]:.0f} of {limits[name]:.0f}")
                for name in peaks
            ),
            *(
                (f"memory of {name}, MB: at rest after the first and the last round", f"{before:.0f}, {after:.0f}")
                for name, (before, after) in self.growth().items()
            ),
        ]

    def _times(self) -> dict[str, list[float]]:
        return {
            "/livez, ms: p50, p99, longest": self._all("livez_ms"),
            "the control's health check, ms": self._all("control_ms"),
            "searches during the attacks, ms": self._all("search_ms"),
            "searches of a calm stack, ms": self.calm.search_ms,
        }

    def problems(self, bounds: Bounds) -> list[str]:
        """Return the bounds of all attacks together that are broken, in words."""
        calm = percentile(self.calm.search_ms, 0.99)
        broken = [
            f"{name} grew from {before:.0f} to {after:.0f} MB"
            for name, (before, after) in self.growth().items()
            if bounds.growth is not None and after > before * (1 + bounds.growth)
        ]
        is_slow = self.p99_ms > SLOWER * calm
        return broken + (
            [f"the 99th percentile of searches is {self.p99_ms:.0f} ms, calm {calm:.0f} ms"] if is_slow else []
        )


def _times(values: list[float]) -> str:
    return f"{percentile(values, 0.5):.0f}, {percentile(values, 0.99):.0f}, {max(values, default=0):.0f}"


def _printed(outcome: Outcome, bounds: Bounds) -> Outcome:
    statuses = ", ".join(f"{count}×{status}" for status, count in outcome.answers.statuses.most_common(3))
    memory = ", ".join(f"{name} {value.now:.0f} {value.peak:.0f}" for name, value in outcome.after.items())
    probe = outcome.probe
    livez, control = max(probe.livez_ms, default=0), max(probe.control_ms, default=0)
    times = f"{livez:>4.0f} ms {control:>4.0f} ms {percentile(probe.search_ms, 0.99):>7.0f} ms"
    sys.stdout.write(f"  {outcome.attack:<38} {statuses:<28} {times}  {memory}\n")
    for problem in outcome.problems(bounds):
        sys.stdout.write(f"! {outcome.attack}: {problem}\n")
    sys.stdout.flush()
    return outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status."""
    options = parser().parse_args(arguments)
    os.environ["GATEWAY_EVENTS_ENABLED"] = "true"
    with (
        suppress(KeyboardInterrupt),
        tempfile.TemporaryDirectory(prefix="lookalike-attack-") as name,
        running_stack(Path(name)) as stack,
    ):
        fill(stack.settings.gateway_url)
        campaign = Campaign(stack, Honest(stack.settings.gateway_url, sample_query(3)))
        campaign.bound_memory()
        return int(not asyncio.run(attacked(campaign, options, Bounds())))
    return 130


if __name__ == "__main__":
    sys.exit(main())
