"""`make faults`: writes, deletes, imports, searches and events while database, index, gateway and import are killed.

No acknowledged write or event may be lost, and no search may have a wrong result. In the end, the index must hold the
products of the database, byte by byte. Otherwise the exit status is 1.
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
    """Return the parser of the command line."""
    result = argparse.ArgumentParser(prog="make faults", description=__doc__)
    result.add_argument(
        "--operations", type=int, default=200_000, help="number of upserts and deletes, without those of the imports"
    )
    result.add_argument("--kills", type=int, default=36, help="number of kills")
    result.add_argument("--seed", type=int, default=1, help="the same seed gives the same operations and kills")
    result.add_argument("--products", type=int, default=20_000, help="number of different keys")
    result.add_argument("--batch", type=int, default=200, help="largest number of operations sent together")
    result.add_argument("--rate", type=float, default=1000, help="largest number of operations a second")
    result.add_argument("--feed", type=int, default=300, help="number of products of an import; 0 for no import")
    result.add_argument("--events", type=float, default=200, help="number of events a second; 0 for none")
    result.add_argument("--late", type=float, default=2.0, help="seconds after which searches must see a change")
    result.add_argument("--pause", type=float, default=0.05, help="seconds between two searches")
    result.add_argument(
        "--engine", choices=("faiss", "milvus"), default="faiss", help="of the index; milvus is killed too"
    )
    return result


async def faults(options: argparse.Namespace) -> bool:
    """Run everything, print the table, and return whether nothing is wrong."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lookalike-faults-") as name:
        names = (WITH_IMPORT if options.feed else WITHOUT_IMPORT) + (("gateway",) if options.events else ())
        async with running_servers(Path(name), names, options.engine) as servers:
            run = Run(options, servers, Path(name))
            await run.all()
            figures, is_right = await run.figures()
    for what, value in {**figures, "seconds": round(time.monotonic() - began, 1)}.items():
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
