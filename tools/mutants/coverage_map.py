"""Which tests run which lines of the services, measured once and kept in a file."""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tools.mutants.mutant import Mutant

SUPPORT_IMPORT = re.compile(r"^\s*(?:from|import) (tests(?:\.\w+)+)", re.MULTILINE)
SERVICE_IMPORT = re.compile(r"^\s*(?:from|import) (services(?:\.\w+)+)", re.MULTILINE)
PASSED, FAILED = 0, 1  # pytest's exit codes


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
    """The coverage of every test file, measured again where a file or the code under it has changed."""

    def __init__(self, root: Path, cache: Path) -> None:
        self._root = root
        self._cache = cache
        self.files: dict[str, FileCoverage] = {}
        self._imports: dict[str, set[str]] = {}

    def update(self, tests: list[str], jobs: int) -> int:
        """Measure the test files that are new or changed; return their number."""
        entries = _read(self._cache)
        digests = {name: self._test_digest(name) for name in tests}
        self.files = {
            name: entries[name] for name in tests if name in entries and self._is_fresh(entries[name], digests[name])
        }
        stale = [name for name in tests if name not in self.files]
        if stale:
            self._measure(stale, digests, jobs)
            self._cache.write_text(
                json.dumps({name: asdict(entry) for name, entry in {**entries, **self.files}.items()})
            )
        self._imports = {name: set(SERVICE_IMPORT.findall((self._root / name).read_text())) for name in tests}
        return len(stale)

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Return the tests that run the mutant's line, the likeliest to notice first: ids of tests or of files.

        Code that no test runs, or that runs at import, belongs to the files that run any line of the module, and to
        those that import it.
        """
        matches: dict[str, list[str]] = {}
        if not mutant.at_import:
            lines = set(range(mutant.lines[0], mutant.lines[1] + 1))
            matches = {name: _tests_that_run(entry, name, mutant.path, lines) for name, entry in self.files.items()}
        if not any(matches.values()):
            module = mutant.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            matches = {
                name: [name]
                for name, entry in self.files.items()
                if mutant.path in entry.lines or module in self._imports[name]
            }
        files = [name for name, tests in matches.items() if tests]
        files.sort(key=lambda name: (-_kinship(name, mutant.path), self.files[name].seconds, name))
        return [test for name in files for test in matches[name]]

    def failures(self, tests: Iterable[str]) -> list[str]:
        """Return the ids of the tests in the files of these tests that fail without a mutant."""
        return [test for name in _files_of(tests) for test in self.files[name].failures]

    def seconds(self, tests: Iterable[str]) -> float:
        """Return how long the files of these tests took."""
        return sum(self.files[name].seconds for name in _files_of(tests))

    def _measure(self, tests: list[str], digests: dict[str, str], jobs: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "pytest", "-q", "--no-header", "--tb=line", "-p", "no:cacheprovider"]
            command += ["-p", "tools.mutants.coverage_plugin", "--hypothesis-seed=0", *tests]
            command += ["-n", str(jobs), "--dist", "loadfile"] if jobs > 1 else []
            environment = {**os.environ, "MUTANTS_COVERAGE": folder}
            self._cache.parent.mkdir(parents=True, exist_ok=True)
            log = self._cache.with_suffix(".log")
            with log.open("w") as out:
                code = subprocess.run(  # noqa: S603 - our own command
                    command, cwd=self._root, env=environment, check=False, stdout=out, stderr=out
                )
            results = [json.loads(path.read_text()) for path in Path(folder).iterdir()]
        if code.returncode not in (PASSED, FAILED):
            raise CoverageError(f"the tests cannot be run: pytest ended with exit code {code.returncode}, see {log}")
        for name, result in ((name, result) for part in results for name, result in part.items()):
            entry = FileCoverage(digests[name], result["seconds"], result["failures"], {}, result["lines"])
            entry.sources = {source: _digest(self._root / source) for source in entry.lines}
            self.files[name] = entry
        for name in tests:
            if name not in self.files:  # a file that cannot be imported, or holds no test
                self.files[name] = FileCoverage(digests[name], failures=[name])

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
