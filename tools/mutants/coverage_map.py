"""Which tests run which lines of the services, measured once and kept in a file."""

import hashlib
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tools.mutants.mutant import Mutant

SUPPORT_IMPORT = re.compile(r"^\s*(?:from|import) (tests(?:\.\w+)+)", re.MULTILINE)
SERVICE_IMPORT = re.compile(r"^\s*(?:from|import) (services(?:\.\w+)+)", re.MULTILINE)
PASSED, FAILED = 0, 1  # pytest's exit codes
# These compare what modules declare with a page or a snapshot. They import the modules by way of others.
DOCUMENTS = (
    "tests/unit/test_figures_documented.py",
    "tests/unit/test_settings_documented.py",
    "tests/unit/cli/test_commands_documented.py",
    "tests/contract/test_openapi.py",
)
LONGEST_S = 180.0
GROUP = 25  # test files that one process measures; its start takes about as long as three of them


class CoverageError(Exception):
    """The tests cannot be run."""


@dataclass
class FileCoverage:
    """What one test file runs.

    Attributes:
        digest: of the test file and of what it imports from tests.
        sources: the digest of each file of the services that the tests run.
        lines: the lines that they run, by file of the services and by test. What the fixtures of a module or of the
            session run stands under the name of the test file: it belongs to each of its tests.
        failures: the ids of tests that fail without a mutant.
    """

    digest: str
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    lines: dict[str, dict[str, list[int]]] = field(default_factory=dict)


class CoverageMap:
    """The coverage of every test file, measured again where a file or the code under it has changed.

    Args:
        root: the repository.
        cache: the file that keeps the measurements.
        processes: whether the processes that the tests start are measured, too, each test file by itself. Then
            `tests_of` returns the likeliest files only, as many as take `LONGEST_S`.
    """

    def __init__(self, root: Path, cache: Path, *, processes: bool = False) -> None:
        self._root = root
        self._cache = cache
        self._processes = processes
        self.files: dict[str, FileCoverage] = {}
        self._imports: dict[str, set[str]] = {}

    def update(self, tests: list[str], jobs: int) -> int:
        """Measure the test files that are new or changed; return their number.

        Args:
            tests: paths of test files.
            jobs: processes that measure at a time.

        Raises:
            CoverageError: the tests cannot be run.
        """
        entries = _read(self._cache)
        digests = {name: self._test_digest(name) for name in tests}
        self.files = {
            name: entries[name] for name in tests if name in entries and self._is_fresh(entries[name], digests[name])
        }
        stale = [name for name in tests if name not in self.files]
        if stale:
            self._measure(stale, digests, entries, jobs)
        self._imports = {name: set(SERVICE_IMPORT.findall((self._root / name).read_text())) for name in tests}
        return len(stale)

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Return the tests that run the mutant's line, the likeliest to notice first: ids of tests or of files.

        Those that run another line of its function come last: in Python 3.11, some lines after an `await` are not
        measured. Code that no test runs, or that runs at import, belongs to the files that run any line of the module,
        to those that import it, and to `DOCUMENTS`, which come first for what runs at import: defaults and bounds.
        """
        if self._processes:
            return self._likeliest(self._all_tests_of(mutant))
        return self._all_tests_of(mutant)

    def _likeliest(self, tests: list[str]) -> list[str]:
        seconds, files = 0.0, set[str]()
        for name in _files_of(tests):
            seconds += self.files[name].seconds
            if files and seconds > LONGEST_S:
                break
            files.add(name)
        return [test for test in tests if test.partition("::")[0] in files]

    def _all_tests_of(self, mutant: Mutant) -> list[str]:
        if mutant.function is not None:
            tests = self._tests_that_run(mutant.path, mutant.lines)
            tests = list(dict.fromkeys([*tests, *self._tests_that_run(mutant.path, mutant.function)]))
            if tests:
                return tests
        module = mutant.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        files = self._sorted(
            (name for name, entry in self.files.items() if mutant.path in entry.lines or module in self._imports[name]),
            mutant.path,
        )
        documents = [name for name in DOCUMENTS if name in self.files]
        return list(dict.fromkeys([*documents, *files] if mutant.at_import else [*files, *documents]))

    def _tests_that_run(self, source: str, span: tuple[int, int]) -> list[str]:
        lines = set(range(span[0], span[1] + 1))
        tests = {name: _tests_that_run(entry, name, source, lines) for name, entry in self.files.items()}
        return [test for name in self._sorted((name for name in tests if tests[name]), source) for test in tests[name]]

    def _sorted(self, names: Iterable[str], source: str) -> list[str]:
        """Return test files, the likeliest to notice a change of the source first."""
        return sorted(names, key=lambda name: (-_kinship(name, source), self.files[name].seconds, name))

    def failures(self, tests: Iterable[str]) -> list[str]:
        """Return the ids of the tests in the files of these tests that fail without a mutant."""
        return [test for name in _files_of(tests) for test in self.files[name].failures]

    def limit_s(self, tests: Iterable[str]) -> float:
        """Return after which time these tests are ended: more than pytest's start and what their files took."""
        return 60 + 5 * sum(self.files[name].seconds for name in _files_of(tests))

    def _measure(self, tests: list[str], digests: dict[str, str], entries: dict[str, FileCoverage], jobs: int) -> None:
        """Measure test files, several groups of them at a time. If it is interrupted, the finished groups stay."""
        self._cache.parent.mkdir(parents=True, exist_ok=True)
        size = 1 if self._processes else max(1, min(GROUP, math.ceil(len(tests) / jobs)))
        groups = [tests[begin : begin + size] for begin in range(0, len(tests), size)]
        with ThreadPoolExecutor(jobs) as pool:
            running = [pool.submit(self._measure_group, group, number) for number, group in enumerate(groups)]
            try:
                for done in as_completed(running):
                    for name, result in done.result().items():
                        entry = FileCoverage(digests[name], result["seconds"], result["failures"], {}, result["lines"])
                        entry.sources = {source: _digest(self._root / source) for source in entry.lines}
                        self.files[name] = entry
                    kept = {name: asdict(entry) for name, entry in {**entries, **self.files}.items()}
                    self._cache.write_text(json.dumps(kept))
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
        for name in tests:
            if name not in self.files:  # a file that cannot be imported, or holds no test
                self.files[name] = FileCoverage(digests[name], failures=[name])

    def _measure_group(self, tests: list[str], number: int) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "pytest", "-q", "--no-header", "--tb=line", "-p", "no:cacheprovider"]
            command += ["-p", "tools.mutants.coverage_plugin", "--hypothesis-seed=0", *tests]
            environment = {**os.environ, "MUTANTS_COVERAGE": folder}
            if self._processes:
                environment["MUTANTS_PROCESSES"] = "1"
            log = self._cache.with_suffix(f".{number}.log")
            with log.open("w") as out:
                code = subprocess.run(  # noqa: S603 - our own command
                    command, cwd=self._root, env=environment, check=False, stdout=out, stderr=out
                )
            results = [json.loads(path.read_text()) for path in Path(folder).glob("*.json")]
        if code.returncode not in (PASSED, FAILED):
            raise CoverageError(f"the tests cannot be run: pytest ended with exit code {code.returncode}, see {log}")
        log.unlink()
        return {name: result for part in results for name, result in part.items()}

    def _is_fresh(self, entry: FileCoverage, digest: str) -> bool:
        if entry.digest != digest or entry.failures:
            return False
        return all(_digest(self._root / source) == known for source, known in entry.sources.items())

    def _test_digest(self, test: str) -> str:
        """Return the digest of a test file, of the conftest files over it and of what it imports from tests."""
        waiting = {self._root / test}
        waiting |= {folder / "conftest.py" for folder in (self._root / test).parents if self._root in folder.parents}
        files: set[Path] = set()
        while waiting:
            path = waiting.pop()
            if path in files or not path.is_file():
                continue
            files.add(path)
            for module in SUPPORT_IMPORT.findall(path.read_text()):
                waiting.add((self._root / module.replace(".", "/")).with_suffix(".py"))
        return hashlib.sha256("".join(_digest(path) for path in sorted(files)).encode()).hexdigest()


def _tests_that_run(entry: FileCoverage, name: str, source: str, lines: set[int]) -> list[str]:
    """Return the ids of a file's tests that run any of the lines; the file's name alone stands for all its tests."""
    tests = [test for test, run in entry.lines.get(source, {}).items() if not lines.isdisjoint(run)]
    return [name] if name in tests else tests


def _files_of(tests: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(test.partition("::")[0] for test in tests))


def _read(cache: Path) -> dict[str, FileCoverage]:
    try:
        entries: dict[str, Any] = json.loads(cache.read_text())
    except (OSError, ValueError):
        return {}
    return {name: FileCoverage(**entry) for name, entry in entries.items()}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _kinship(test: str, source: str) -> int:
    """Return how many words of the source's path the test's path shares; the module's own name counts three times."""
    words = set(re.split(r"[/_.]", test))
    stem = Path(source).stem
    return len(words & set(Path(source).parts)) + 3 * (stem in test)
