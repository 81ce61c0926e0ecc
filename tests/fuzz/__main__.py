"""`make fuzz`: generated requests of every operation in the OpenAPI document, and damaged images, against a stack.

There may be no server error, no undeclared answer, no answer that its schema does not allow, and no process that ends.
Otherwise the exit status is 1, and damaged images with a server error are in the folder `var/fuzz`.
"""

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.attack.memory import process_ids
from tests.attack.shop import fill
from tests.fuzz.images import ImageRun, fuzz_images
from tests.fuzz.operations import figures_of, fuzz_operations
from tests.load.report import write_section
from tests.support.servers.stack import running_stack

P99_MS = 2000.0
FOUND = Path("var/fuzz")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    result.add_argument("--examples", type=int, default=1000, help="generated requests of each operation")
    result.add_argument("--images", type=int, default=10_000, help="number of damaged images")
    result.add_argument("--seed", type=int, default=1, help="the same seed gives the same requests")
    result.add_argument("--write", action="store_true", help="write the figures into docs/reliability.md")
    return result


def _kept(run: ImageRun) -> None:
    FOUND.mkdir(parents=True, exist_ok=True)
    for data in run.errors:
        (FOUND / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status."""
    options = parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="lookalike-fuzz-") as name, running_stack(Path(name)) as stack:
        url = stack.settings.gateway_url
        fill(url)
        processes = process_ids(stack)
        images = fuzz_images(url, count=options.images, seed=options.seed)
        _kept(images)
        statuses = ", ".join(f"{count:,}×{status}" for status, count in sorted(images.statuses.items()))
        sys.stdout.write(f"{options.images:,} damaged images: {statuses}; 99th percentile {images.p99_ms:.0f} ms\n")
        sys.stdout.flush()
        is_right, report = fuzz_operations(url, examples=options.examples, seed=options.seed, folder=Path(name))
        sys.stdout.write(report)
        is_same = process_ids(stack) == processes
        sys.stdout.write("every process is the same\n" if is_same else "! a process has ended and was started again\n")
    if options.write:
        rows = [
            ("", "figure"),
            ("damaged images", f"{options.images:,}: {statuses}"),
            ("server errors among them", f"{len(images.errors)}"),
            ("99th percentile, ms", f"{images.p99_ms:.0f}"),
            *figures_of(report, options.examples).items(),
            ("processes that ended", "0" if is_same else "at least one"),
        ]
        write_section("fuzz", rows)
    return int(not (is_right and is_same and not images.errors and images.p99_ms < P99_MS))


if __name__ == "__main__":
    sys.exit(main())
