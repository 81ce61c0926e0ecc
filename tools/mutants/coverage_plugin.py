"""A pytest plugin that notes which lines of the services each test file runs, and how long the file takes.

`MUTANTS_COVERAGE` names the folder for the result: one JSON file a test process.
"""

import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest


class CoverageByFile:
    """Measures coverage with one context a test file."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self._folder = folder
        self._seconds: dict[str, float] = defaultdict(float)
        self._failures: dict[str, list[str]] = defaultdict(list)
        self._coverage = coverage.Coverage(
            data_file=None, source=[str(root / "services")], config_file=False, messages=False
        )
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        name = item.path.relative_to(self._root).as_posix()
        self._coverage.switch_context(name)
        began = time.monotonic()
        try:
            return (yield)
        finally:
            self._seconds[name] += time.monotonic() - began

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failures[report.nodeid.partition("::")[0]].append(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        self._coverage.stop()
        data = self._coverage.get_data()
        lines: dict[str, dict[str, list[int]]] = {name: {} for name in self._seconds}
        for source in data.measured_files():
            path = Path(source).relative_to(self._root).as_posix()
            for line, contexts in data.contexts_by_lineno(source).items():
                for context in filter(None, contexts):
                    lines[context].setdefault(path, []).append(line)
        result = {
            name: {"seconds": self._seconds[name], "failures": self._failures.get(name, []), "lines": lines[name]}
            for name in lines
        }
        (self._folder / f"{os.getpid()}.json").write_text(json.dumps(result))


def pytest_configure(config: pytest.Config) -> None:
    """Start measuring before the tests and, with them, the services are imported."""
    if "MUTANTS_COVERAGE" in os.environ:
        config.pluginmanager.register(CoverageByFile(config.rootpath, Path(os.environ["MUTANTS_COVERAGE"])))
