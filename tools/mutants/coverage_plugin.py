"""A pytest plugin that notes which lines of the services each test runs, and how long each test file takes.

`MUTANTS_COVERAGE` names the folder for the result: one JSON file a test process. With `MUTANTS_PROCESSES`, the lines
that the processes of the tests run are noted as well; they belong to the test file.
"""

import ast
import json
import os
import time
from collections import defaultdict
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import coverage
import pytest

FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


class CoverageByTest:
    """Measures coverage with one context a test.

    The functions that run for a whole file, because a fixture of a wider scope or the import of the file calls them,
    belong to the file.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self._folder = folder
        self._seconds: dict[str, float] = defaultdict(float)
        self._failures: dict[str, list[str]] = defaultdict(list)
        self._contexts = [""]
        self._coverage = coverage.Coverage(
            data_file=None, source=[str(root / "services")], config_file=False, messages=False
        )
        self._coverage.start()
        self._processes = folder / "processes"
        if "MUTANTS_PROCESSES" in os.environ:
            self._measure_processes()

    def _measure_processes(self) -> None:
        """Let each Python process that a test starts measure itself: coverage.py looks for this variable."""
        self._processes.mkdir()
        settings = self._processes / "coverage.ini"
        settings.write_text(
            f"[run]\ndata_file = {self._processes / 'data'}\nparallel = true\nsigterm = true\n"
            f"source = {self._root / 'services'}\ndisable_warnings = no-data-collected, module-not-imported\n"
        )
        os.environ["COVERAGE_PROCESS_START"] = str(settings)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        began = time.monotonic()
        try:
            with self._context(_node_id(item.nodeid)):
                return (yield)
        finally:
            self._seconds[item.nodeid.partition("::")[0]] += time.monotonic() - began

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        if not isinstance(collector, pytest.Module):
            return (yield)
        with self._context(collector.nodeid):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> Generator[None, object, object]:
        if fixturedef.scope == "function":
            return (yield)
        with self._context(self._contexts[-1].partition("::")[0]):
            return (yield)

    @contextmanager
    def _context(self, name: str) -> Iterator[None]:
        self._contexts.append(name)
        self._coverage.switch_context(name)
        try:
            yield
        finally:
            self._contexts.pop()
            self._coverage.switch_context(self._contexts[-1])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failures[report.nodeid.partition("::")[0]].append(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        self._coverage.stop()
        data = self._coverage.get_data()
        lines: dict[str, dict[str, dict[str, list[int]]]] = {name: {} for name in self._seconds}
        for source in data.measured_files():
            path = Path(source).relative_to(self._root).as_posix()
            in_functions = _lines_of_functions(Path(source))
            for line, contexts in data.contexts_by_lineno(source).items():
                for context in filter(None, contexts):
                    name = context.partition("::")[0]
                    if name in lines and (name != context or line in in_functions):
                        lines[name].setdefault(path, {}).setdefault(context, []).append(line)
        for name in lines:
            for path, run in self._lines_of_processes().items():
                lines[name].setdefault(path, {}).setdefault(name, []).extend(run)
        result = {
            name: {"seconds": self._seconds[name], "failures": self._failures.get(name, []), "lines": lines[name]}
            for name in lines
        }
        (self._folder / f"{os.getpid()}.json").write_text(json.dumps(result))

    def _lines_of_processes(self) -> dict[str, list[int]]:
        """Return the lines of functions that the processes of the tests ran, by file."""
        lines: dict[str, set[int]] = defaultdict(set)
        for file in self._processes.glob("data.*"):
            data = coverage.CoverageData(basename=str(file))
            data.read()
            for source in data.measured_files():
                lines[source].update(data.lines(source) or [])
        return {
            Path(source).relative_to(self._root).as_posix(): sorted(run & _lines_of_functions(Path(source)))
            for source, run in lines.items()
        }


def _lines_of_functions(source: Path) -> set[int]:
    """Return the lines in the bodies of functions. The others run when the module is imported, by any test."""
    functions = (node for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, FUNCTIONS))
    return {
        line for node in functions for line in range(node.body[0].lineno, (node.end_lineno or node.body[0].lineno) + 1)
    }


def _node_id(node_id: str) -> str:
    """Return a test's id; tests whose names cannot be written in a line of a file are known by their function."""
    return node_id if node_id.isprintable() else node_id.partition("[")[0]


def pytest_configure(config: pytest.Config) -> None:
    """Start measuring before the tests and, with them, the services are imported."""
    if "MUTANTS_COVERAGE" in os.environ:
        config.pluginmanager.register(CoverageByTest(config.rootpath, Path(os.environ["MUTANTS_COVERAGE"])))
