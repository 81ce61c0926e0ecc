"""`make attack`: what a hostile client can send, against the whole stack, next to honest clients.

No process may end or exceed the memory that the Compose file gives it, no answer may be a server error or an error of
more than 16 kB, honest requests must be answered, /livez within 100 ms. Otherwise the exit status is 1.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from services.sample_shop.catalogue import sample_query
from tests.attack.campaign import Bounds, Campaign, Outcome
from tests.attack.corpus import corpus
from tests.attack.memory import SERVICES
from tests.attack.probe import percentile
from tests.attack.shop import fill
from tests.support.stack import running_stack

HEADER = f"  {'attack':<38} {'answers':<28} {'livez':>7} {'search p99':>10}  memory after, peak in MB\n"


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = argparse.ArgumentParser(prog="make attack", description=__doc__)
    result.add_argument("--only", default="", help="the attacks whose name contains this text")
    result.add_argument("--rounds", type=int, default=2, help="number of times that all attacks are carried out")
    result.add_argument("--slow", type=float, default=25.0, help="seconds that slow connections last")
    result.add_argument("--calm", type=float, default=10.0, help="seconds of searches without an attack, before")
    result.add_argument(
        "--livez",
        type=float,
        default=100.0,
        help="the most milliseconds of /livez, if it does not take half of it without an attack",
    )
    return result


async def attacked(campaign: Campaign, options: argparse.Namespace, bounds: Bounds) -> bool:
    """Carry out the attacks, print the table, and return whether no bound is broken."""
    is_right, sizes = True, []
    calm = await campaign.calm(options.calm)
    livez, p99 = max(calm.livez_ms, default=0), percentile(calm.search_ms, 0.99)
    sys.stdout.write(f"without an attack: /livez at most {livez:.0f} ms, 99th percentile of searches {p99:.0f} ms\n")
    bounds = replace(bounds, livez_ms=max(options.livez, 2 * livez))
    for number in range(options.rounds):
        sys.stdout.write(f"round {number + 1}\n{HEADER}")
        chosen = [attack for attack in corpus(options.slow) if options.only in attack.name]
        outcomes = [_printed(await campaign.run(attack), bounds) for attack in chosen]
        is_right &= not any(list(outcome.problems(bounds)) for outcome in outcomes)
        sizes.append({name: memory.now for name, memory in outcomes[-1].after.items()})
        searches = [ms for outcome in outcomes for ms in outcome.probe.search_ms]
        sys.stdout.write(
            f"  during the attacks, the 99th percentile of searches is {percentile(searches, 0.99):.0f} ms\n"
        )
    for name in SERVICES if options.rounds > 1 else ():
        first, last = sizes[0].get(name, 0), sizes[-1].get(name, 0)
        sys.stdout.write(f"  {name}: {first:.0f} MB after the first round, {last:.0f} MB after the last\n")
        is_right &= bounds.growth is None or last <= first * (1 + bounds.growth)
    return is_right


def _printed(outcome: Outcome, bounds: Bounds) -> Outcome:
    statuses = ", ".join(f"{count}×{status}" for status, count in outcome.answers.statuses.most_common(3))
    memory = ", ".join(f"{name} {value.now:.0f} {value.peak:.0f}" for name, value in outcome.after.items())
    livez, p99 = max(outcome.probe.livez_ms, default=0), percentile(outcome.probe.search_ms, 0.99)
    sys.stdout.write(f"  {outcome.attack:<38} {statuses:<28} {livez:>4.0f} ms {p99:>7.0f} ms  {memory}\n")
    for problem in outcome.problems(bounds):
        sys.stdout.write(f"! {outcome.attack}: {problem}\n")
    sys.stdout.flush()
    return outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status."""
    options = parser().parse_args(arguments)
    with (
        suppress(KeyboardInterrupt),
        tempfile.TemporaryDirectory(prefix="lookalike-attack-") as name,
        running_stack(Path(name)) as stack,
    ):
        fill(stack.settings.gateway_url)
        return int(not asyncio.run(attacked(Campaign(stack, sample_query(3)), options, Bounds())))
    return 130


if __name__ == "__main__":
    sys.exit(main())
