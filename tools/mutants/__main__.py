"""`make mutants`: draws mutants of the services, runs the tests that cover them, prints the survivors.

The tests that run the code in their own process come first. With `--processes`, what survives them meets the tests that
start services and commands as processes.
"""

import argparse
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.mutants.coverage_map import CoverageMap
from tools.mutants.draw import candidates, draw, read_equivalent
from tools.mutants.mutant import Mutant
from tools.mutants.workspace import MutantOutcome, Workspace

ROOT = Path(__file__).resolve().parents[2]
EXCLUDED = ("services/local", "services/sample_shop")  # stand-ins and drawings: they do not run in production
TESTS = (
    "tests/unit",
    "tests/property",
    "tests/contract",
    # These run the code that they test in their own process, next to others that they start.
    "tests/integration/catalogue/test_backup.py",
    "tests/integration/catalogue/test_import_session.py",
    "tests/integration/gateway/test_connections.py",
    "tests/integration/gateway/test_tracing.py",
    "tests/integration/models/test_large_pictures.py",
)
TESTS_EXCLUDED = (
    "tests/unit/training",
    "tests/unit/sample_shop",
    "tests/unit/local",
    "tests/unit/deploy",
    "tests/unit/tools",
)
PROCESS_TESTS = tuple(
    f"tests/integration/{name}" for name in ("catalogue", "gateway", "imports", "index", "models", "processes", "stack")
)
# These take minutes each, or send requests at random.
PROCESS_TESTS_EXCLUDED = ("test_attack.py", "test_fuzz.py", "test_outages.py", "test_training.py")


@dataclass(frozen=True)
class Maps:
    """Which tests run which lines: those in one process, and those that start processes."""

    in_process: CoverageMap
    with_processes: CoverageMap | None


@dataclass(frozen=True)
class Result:
    """A mutant, what became of it, and the test that caught it."""

    mutant: Mutant
    outcome: MutantOutcome
    reason: str

    @property
    def caught(self) -> bool:
        return self.outcome is not MutantOutcome.SURVIVED


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--seed", type=int, help="the seed of the draw (default: drawn by the clock)")
    parser.add_argument("--count", type=int, default=150, help="number of mutants (default: 150)")
    parser.add_argument("--package", nargs="+", default=["services"], help="folders or modules (default: services)")
    parser.add_argument("--jobs", type=int, default=1, help="processes that measure the coverage (default: 1)")
    parser.add_argument("--processes", action="store_true", help="try survivors with the tests that start processes")
    parser.add_argument("--survivors", action="store_true", help="try the survivors of the last run again")
    parser.add_argument("--list", action="store_true", help="print the mutants, run no test")
    return parser.parse_args(words)


def test_files(root: Path) -> list[str]:
    """Return the test files that run in one process."""
    roots = [root / name for name in TESTS]
    files = sorted({path for place in roots for path in (*place.rglob("test_*.py"), place) if path.is_file()})
    names = [path.relative_to(root).as_posix() for path in files]
    return [name for name in names if not name.startswith(tuple(f"{folder}/" for folder in TESTS_EXCLUDED))]


def process_test_files(root: Path) -> list[str]:
    """Return the test files that start processes, without those that `test_files` returns."""
    files = sorted(path for name in PROCESS_TESTS for path in (root / name).rglob("test_*.py"))
    names = [path.relative_to(root).as_posix() for path in files if path.name not in PROCESS_TESTS_EXCLUDED]
    return [name for name in names if name not in TESTS]


def try_all(mutants: Sequence[Mutant], maps: Maps, root: Path) -> list[Result]:
    """Try each mutant and print a line for it."""
    results = []
    with Workspace(root) as workspace:
        for number, mutant in enumerate(mutants, 1):
            result = _try(mutant, maps, workspace)
            results.append(result)
            place = f"{mutant.path}:{mutant.line}"
            say(f"{number:4}/{len(mutants)} {result.outcome:9} {place} ({mutant.kind}) {result.reason}")
    return results


def _try(mutant: Mutant, maps: Maps, workspace: Workspace) -> Result:
    result = Result(mutant, MutantOutcome.SURVIVED, "no test runs this line")
    for coverage in (maps.in_process, maps.with_processes):
        tests = coverage.tests_of(mutant) if coverage else []
        if coverage and tests:
            result = Result(mutant, *workspace.try_mutant(mutant, tests, coverage.failures(tests), coverage.limit_s))
        if result.caught:
            break
    return result


def report(results: Sequence[Result], root: Path) -> None:
    """Print the survivors and the rates."""
    for result in results:
        if not result.caught:
            text = (root / result.mutant.path).read_text()
            say(f"\n{result.mutant.path}:{result.mutant.line} ({result.mutant.kind}) {result.reason}")
            say(result.mutant.diff(text))
    say("\ncaught")
    totals = Counter(_package(result) for result in results)
    caught = Counter(_package(result) for result in results if result.caught)
    for package, total in sorted(totals.items()):
        say(f"  {package:24} {caught[package]:4} of {total:4} {caught[package] / total:7.1%}")
    say(f"  {'all':24} {caught.total():4} of {totals.total():4} {caught.total() / max(1, totals.total()):7.1%}")


def _package(result: Result) -> str:
    return "/".join(result.mutant.path.split("/")[:2])


def _last_survivors(path: Path, mutants: Sequence[Mutant], root: Path) -> list[Mutant]:
    """Return the survivors of the last run that are still in the code."""
    signatures = {tuple(signature) for signature in json.loads(path.read_text())} if path.is_file() else set()
    texts = {mutant.path: (root / mutant.path).read_text() for mutant in mutants}
    return [mutant for mutant in mutants if mutant.signature(texts[mutant.path]) in signatures]


def _measured(coverage: CoverageMap, tests: list[str], jobs: int) -> CoverageMap:
    """Measure new and changed test files, and print how long it took and which tests are left out."""
    began = time.monotonic()
    measured = coverage.update(tests, jobs)
    say(f"coverage: {measured} test files measured in {time.monotonic() - began:.0f} s")
    for test in coverage.failures(coverage.files):
        say(f"  fails without a mutant and is left out: {test}")
    return coverage


def main(words: Sequence[str], root: Path = ROOT) -> int:
    """Run the command; return 0, regardless of the mutants' outcomes."""
    options = arguments(words)
    folder = root / "var" / "mutants"
    seed = time.time_ns() % 1_000_000 if options.seed is None else options.seed
    mutants = candidates(root, options.package, EXCLUDED, read_equivalent())
    drawn = (
        _last_survivors(folder / "survivors.json", mutants, root)
        if options.survivors
        else draw(mutants, options.count, seed)
    )
    say(f"seed {seed}: {len(drawn)} of {len(mutants)} mutants")
    if options.list:
        for mutant in drawn:
            say(f"\n{mutant.path}:{mutant.line} ({mutant.kind})\n{mutant.diff((root / mutant.path).read_text())}")
        return 0
    in_process = _measured(CoverageMap(root, folder / "coverage.json"), test_files(root), options.jobs)
    with_processes = None
    if options.processes:
        with_processes = CoverageMap(root, folder / "processes.json", processes=True)
        _measured(with_processes, process_test_files(root), options.jobs)
    results = try_all(drawn, Maps(in_process, with_processes), root)
    report(results, root)
    texts = {mutant.path: (root / mutant.path).read_text() for mutant in drawn}
    survivors = [result.mutant.signature(texts[result.mutant.path]) for result in results if not result.caught]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "survivors.json").write_text(json.dumps(survivors, indent=1))
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that the copy is removed
    sys.exit(main(sys.argv[1:]))
