"""`make faults`: products are written, deleted, imported and searched for while the database, the index and the import are
killed and started again. Nothing that was acknowledged may be lost, no search may be answered wrongly, and in the end the
index has to hold what the database holds, byte by byte. The exit status is 1 where one of these is not so.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.faults.run import Run
from tests.faults.servers import running_servers

WITHOUT_IMPORT = ("mongo",)
WITH_IMPORT = ("mongo", "tfs", "embedding")


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    made = argparse.ArgumentParser(prog="make faults", description=__doc__)
    made.add_argument("--operations", type=int, default=200_000, help="upserts and deletes, beside the import's")
    made.add_argument("--kills", type=int, default=36, help="how often something is killed, in all")
    made.add_argument("--seed", type=int, default=1, help="the same seed brings the same operations and kills")
    made.add_argument("--products", type=int, default=20_000, help="how many keys the operations are about")
    made.add_argument("--batch", type=int, default=200, help="the most operations that are sent together")
    made.add_argument("--rate", type=float, default=1000, help="operations a second at most")
    made.add_argument("--feed", type=int, default=300, help="products that an import brings; 0 for no import")
    made.add_argument("--late", type=float, default=2.0, help="seconds after which a change has to be seen")
    made.add_argument("--pause", type=float, default=0.05, help="seconds between two searches")
    return made


async def faults(options: argparse.Namespace) -> bool:
    """Do everything, print the table, and return whether all is as it has to be."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lookalike-faults-") as name:
        names = WITH_IMPORT if options.feed else WITHOUT_IMPORT
        async with running_servers(Path(name), names) as servers:
            run = Run(options, servers, Path(name))
            await run.all()
            figures, is_right = await run.figures()
    for what, value in {**figures, "in all, s": round(time.monotonic() - began, 1)}.items():
        sys.stdout.write(f"  {what:<62} {value:>12,}\n")
    for example in run.searcher.examples:
        sys.stdout.write(f"! {example}\n")
    return is_right


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status."""
    options = parser().parse_args(arguments)
    sys.stdout.write(f"{options.operations:,} operations, {options.kills} kills, seed {options.seed}\n")
    sys.stdout.flush()
    with suppress(KeyboardInterrupt):
        return int(not asyncio.run(faults(options)))
    return 130


if __name__ == "__main__":
    sys.exit(main())
