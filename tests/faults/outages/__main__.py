"""The second part of `make faults`: each process killed, stopped, delayed, and without a disk, under load.

The load is half of what the stack can do, at a fixed rate even if earlier requests have no answer yet. There may be no
wrong result, no lost write and no undeclared answer, and the stack has to recover within 30 s. Otherwise the exit
status is 1.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from services.local.stack import Stack
from tests.faults.outages.fault import KINDS
from tests.faults.outages.outage import HEAD, PARTS, Outage, outage
from tests.load.http import Sender
from tests.load.open_loop import Load, capacity
from tests.load.report import write_section
from tests.load.shop import Shop
from tests.support.servers.shop import environment
from tests.support.servers.stack import running_stack

SNAPSHOTS = {"INDEX_SNAPSHOT_S": "2"}  # so that the index writes while its disk is full


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = argparse.ArgumentParser(prog="make faults", description=__doc__)
    result.add_argument("--only", default="", help="the faults whose name contains this text, such as 'stop tfs'")
    result.add_argument("--seconds", type=float, default=5.0, help="length of a fault")
    result.add_argument("--rate", type=float, default=0.0, help="requests a second. Default: half of the capacity")
    result.add_argument("--write", action="store_true", help="write the figures into docs/reliability.md")
    return result


async def outages(stack: Stack, shop: Shop, options: argparse.Namespace) -> list[Outage]:
    """Let each process fail in each way, print what came of it, and return it."""
    sender, collected = Sender(stack.settings.gateway_url), []
    rate = options.rate or await capacity(Load(sender, shop.mixed())) / 2
    sender.close()
    sys.stdout.write(f"{rate:.0f} requests a second\n")
    for kind in KINDS:
        for part in PARTS:
            if options.only in f"{kind} {part}":
                first = await outage(stack, shop, part, kind, rate=rate, seconds=options.seconds)
                collected.append(first)
                sys.stdout.write("  " + " | ".join(first.row()) + "\n")
                sys.stdout.write("".join(f"! {problem}\n" for problem in first.problems()))
                sys.stdout.flush()
    return collected


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status."""
    options = parser().parse_args(arguments)
    with suppress(KeyboardInterrupt), tempfile.TemporaryDirectory(prefix="lookalike-outages-") as name:
        with environment(SNAPSHOTS), running_stack(Path(name)) as stack:
            shop = Shop(stack.settings.gateway_url)
            shop.open()
            actual = asyncio.run(outages(stack, shop, options))
        if options.write:
            write_section("outages", [HEAD, *(item.row() for item in actual)], [actual[0].load])
        return int(not actual or any(item.problems() for item in actual))
    return 130


if __name__ == "__main__":
    sys.exit(main())
